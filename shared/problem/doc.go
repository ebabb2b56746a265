// Package problem is the error that a caller of Bookplate can do something about: it has a kind, which code decides
// by, and a text, which people read and code never matches on.
//
// The domain returns problems; the HTTP functions turn them into the error shape of the protocol they speak (OData for
// Graph's API, SCIM's for the directory). Any other error is ours: it is logged whole and answered without details.
package problem
