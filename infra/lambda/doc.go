// Package lambda runs a function of Bookplate on AWS Lambda: it carries the gateway's events to an http.Handler, and
// gives every bootstrap what all of them need: settings, a log that Lambda can read, and the callers that may come in.
// It knows no service of AWS; see infra/cloud.
package lambda
