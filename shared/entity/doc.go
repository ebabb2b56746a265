// Package entity shows the records as Graph's entities: which properties they have, under /v1.0 and /beta, and what of
// them can be filtered and ordered by. What Graph has no word for carries the prefix x_.
//
// It reads nothing and decides nothing; a secret is never among what it is given.
package entity
