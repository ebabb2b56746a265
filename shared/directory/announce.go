package directory

import "context"

// Change names what a write touches. A change of a person carries the groups they are in, as the index knows them.
type Change struct {
	Groups []string // group ids whose members, kind or existence change, or whose member changes
	People []string // ids of people who appear, disappear, or whose eligibility or account changes
}

// Announcer is told of every change that the rest of the product may have to act on, so that this package needn't know
// who that is (design, section 3, "Marks": what no single Commit can hold is marked twice).
//
// Before is called before the first write; when it fails, nothing is written. Its marks must become due after the
// function's time-out, so that work is done even if the writer dies half way. After is called when all is written; when
// it fails the write is reported as failed and will be repeated, though it has happened.
type Announcer interface {
	Before(ctx context.Context, change Change) error
	After(ctx context.Context, change Change) error
}
