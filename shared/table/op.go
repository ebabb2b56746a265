package table

import (
	"errors"
	"fmt"
)

// Op is one part of a Commit: put, delete or check of one key under a condition. Make it with Put, Delete or Check.
type Op struct {
	Kind OpKind
	Item Item // for Delete and Check only the key is used
	If   Condition
}

// OpKind is what an Op does when its condition holds.
type OpKind int

// The kinds of Op.
const (
	OpPut OpKind = iota
	OpDelete
	OpCheck
)

// Condition is what must hold for the key before a Commit. The zero value always holds.
type Condition struct {
	Want    Want
	Version string // for AtVersion
}

// Want is the sort of a Condition.
type Want int

// The sorts of Condition.
const (
	WantAny Want = iota
	WantAbsent
	WantPresent
	WantVersion
)

// Any always holds.
func Any() Condition { return Condition{} }

// Absent holds when there is no item of that key. An expired item that is still stored counts as present.
func Absent() Condition { return Condition{Want: WantAbsent} }

// Present holds when there is an item of that key.
func Present() Condition { return Condition{Want: WantPresent} }

// At holds when the item's version is v. The empty version, which a reader has of an item that it found absent, means
// Absent: so that what was read can be handed back as the condition, whichever it was.
func At(v string) Condition {
	if v == "" {
		return Absent()
	}
	return Condition{Want: WantVersion, Version: v}
}

// Put stores the item; its Version is ignored and becomes the Commit's token.
func Put(item Item, c Condition) Op { return Op{OpPut, item, c} }

// Delete removes the item.
func Delete(key Key, c Condition) Op { return Op{OpDelete, Item{Key: key}, c} }

// Check changes nothing and only states a condition.
func Check(key Key, c Condition) Op { return Op{OpCheck, Item{Key: key}, c} }

// Alone says that ops are a single op that needs no token: a put or delete under a version or under Absent, whose
// repetition finds out by itself that it has happened and undoes nobody's work, or a check, which does nothing.
// Everything else is a transaction.
func Alone(ops []Op) bool {
	if len(ops) != 1 {
		return false
	}
	want := ops[0].If.Want
	return ops[0].Kind == OpCheck || want == WantAbsent || want == WantVersion
}

// Errors of the port.
var (
	// ErrAbsent: Get found no item.
	ErrAbsent = errors.New("no such item")
	// ErrCondition is what a *ConditionError is.
	ErrCondition = errors.New("a condition of the commit doesn't hold")
	// ErrConflict: nothing happened, because another commit touched the same keys at that moment, or the engine
	// throttles. Repeat with the same token after a pause.
	ErrConflict = errors.New("the commit conflicts with another")
	// ErrLimit: the call breaks one of the limits above. A fault of the caller's code.
	ErrLimit = errors.New("the call breaks a limit of the table")
)

// ConditionError says which ops of a Commit had conditions that didn't hold, by their index. The list has at least one
// entry; an engine that stops at the first may leave out others.
type ConditionError struct{ Failed []int }

func (e *ConditionError) Error() string { return fmt.Sprintf("%v: ops %v", ErrCondition, e.Failed) }

// Is makes errors.Is(err, ErrCondition) true.
func (e *ConditionError) Is(target error) bool { return target == ErrCondition }
