package table

import (
	"bytes"
	"time"
)

// Change is what a write does to one key; nil stands for no item. A check, and an op whose condition failed, leave the
// item as it was: Before and After are the same pointer.
type Change struct{ Before, After *Item }

// Decide is a Commit for engines that hold the stored items themselves: it looks up each op's item, nil for none, and
// returns one change an op. With a *ConditionError, which lists every failed op, the changes are none but say what was
// read. It knows a put that is Alone and has happened by its item; tokens are remembered by the engine.
func Decide(token string, ops []Op, lookup func(Key) *Item) ([]Change, error) {
	changes := make([]Change, len(ops))
	var failed []int
	for i, op := range ops {
		stored := lookup(op.Item.Key)
		changes[i] = Change{stored, stored}
		if op.Kind == OpPut && Alone(ops) && stored != nil && stored.Version == token {
			return changes, nil
		}
		if !op.If.holds(stored) {
			failed = append(failed, i)
		}
	}
	if failed != nil {
		return changes, &ConditionError{Failed: failed}
	}
	for i, op := range ops {
		switch op.Kind {
		case OpPut:
			changes[i].After = Stored(op.Item, token)
		case OpDelete:
			changes[i].After = nil
		}
	}
	return changes, nil
}

func (c Condition) holds(stored *Item) bool {
	switch c.Want {
	case WantAbsent:
		return stored == nil
	case WantPresent:
		return stored != nil
	case WantVersion:
		return stored != nil && stored.Version == c.Version
	}
	return true
}

// Stored is the item as it is kept: with its version, its expiry cut to the second, and a body of its own.
func Stored(item Item, version string) *Item {
	item.Version = version
	if !item.Expires.IsZero() {
		item.Expires = item.Expires.UTC().Truncate(time.Second)
	}
	item.Body = bytes.Clone(item.Body)
	return &item
}

// Entries are the item's entries in the index before and after the change; the zero Entry is none.
func (c Change) Entries(index Index) (before, after Entry) {
	return entryOf(c.Before, index), entryOf(c.After, index)
}

// entryOf is the item's entry in the index, or the zero Entry.
func entryOf(item *Item, index Index) Entry {
	if item == nil || item.Index[index] == (IndexKey{}) {
		return Entry{}
	}
	return Entry{Place: item.Index[index], Key: item.Key}
}
