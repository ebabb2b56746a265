package mem

import (
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

// Faults says what leaks. The zero value leaks nothing. "OneIn n" means that Chance decides with odds of 1 to n; 0 is
// never and 1 is always.
type Faults struct {
	// Chance returns a number from 0 to n-1, e.g. world.Virtual.IntN. Needed by every fault but the hooks and times.
	// It is called with the table locked, one call at a time.
	Chance func(n int) int

	// IndexLagOps makes an index entry's coming or going visible only after up to so many further calls.
	IndexLagOps int
	// IndexLagTime does so for that time. With both, both must have passed.
	IndexLagTime time.Duration
	// ShortPagesOneIn cuts a page short at a random length, which may be zero, although more follows.
	ShortPagesOneIn int
	// ConflictOneIn answers a Commit with ErrConflict; nothing happens.
	ConflictOneIn int
	// LeaveOneIn leaves each item of a PutMany or DeleteMany undone.
	LeaveOneIn int
	// LateExpiry keeps an item that long past its expiry. By default it goes at once.
	LateExpiry time.Duration

	// Before is called ahead of every call, outside of the table's lock, so that it may itself use the table. An error
	// is returned to the caller and nothing happens.
	Before func(Call) error
	// After is called after every call that succeeded. An error is returned to the caller in place of the answer,
	// although the call happened.
	After func(Call) error
}

func (f *Faults) hits(oneIn int) bool { return oneIn > 0 && f.Chance(oneIn) == 0 }

// Kind names a method of the port.
type Kind string

// The kinds of Call.
const (
	Get        Kind = "Get"
	GetMany    Kind = "GetMany"
	Query      Kind = "Query"
	QueryIndex Kind = "QueryIndex"
	Commit     Kind = "Commit"
	PutMany    Kind = "PutMany"
	DeleteMany Kind = "DeleteMany"
)

// Call is what the hooks learn of a call.
type Call struct {
	Kind Kind
	// Number counts all calls, and Write all Commits, PutManys and DeleteManys, both from 1. Write is 0 for a read. A
	// crash test fails the n-th write, for every n until the scene runs through.
	Number, Write int
	// Keys are those of the call; none for Query and QueryIndex.
	Keys []table.Key
	// Ops are those of a Commit.
	Ops []table.Op
	// Token is that of a Commit or PutMany.
	Token string
	// Range is that of a Query or QueryIndex, and Index that of a QueryIndex.
	Range table.Range
	Index table.Index
}
