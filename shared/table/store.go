package table

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/bookplate/bookplate/shared/world"
)

// Store is the table as the domain uses it: an Engine with tokens, repetition and bulk taken care of, and the consumed
// units added up. It is safe for concurrent use as far as its engine and world are.
type Store struct {
	*ReadStore
	writer Writer
}

// NewStore returns a store on the engine.
func NewStore(engine Engine, w world.World) *Store {
	return &Store{ReadStore: NewReadStore(engine, w), writer: engine}
}

// Commit does all ops or none and returns the version that the items put now have. It repeats what may be repeated: a
// conflict up to 8 times, an unknown outcome twice, with the same token, so that the ops happen at most once.
//
// The error is a *ConditionError or ErrLimit, ErrConflict when the keys stayed busy (after these three nothing
// happened), or another one, after which the outcome is unknown. When a single op that is Alone was repeated because its
// answer was lost, a *ConditionError may also mean that it happened and was overtaken, or, of a delete, that it happened.
func (s *Store) Commit(ctx context.Context, ops ...Op) (version string, err error) {
	token := world.NewID(s.world)
	err = s.repeat(ctx, func() error {
		units, err := s.writer.Commit(ctx, token, ops...)
		s.used.add(units)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("commit %v: %w", opKeys(ops), err)
	}
	return token, nil
}

// PutAll stores any number of items with distinct keys, unconditionally and not atomically: after an error any of them
// may have been. For what one writer alone writes.
func (s *Store) PutAll(ctx context.Context, items ...Item) error {
	token := world.NewID(s.world)
	return bulk(ctx, s, items, func(i Item) Key { return i.Key }, CheckItem,
		func(ctx context.Context, some []Item) ([]Item, Units, error) {
			return s.writer.PutMany(ctx, token, some...)
		})
}

// DeleteAll removes any number of distinct keys in the same manner. Absent keys are no error.
func (s *Store) DeleteAll(ctx context.Context, keys ...Key) error {
	return bulk(ctx, s, keys, func(k Key) Key { return k }, CheckKey,
		func(ctx context.Context, some []Key) ([]Key, Units, error) {
			return s.writer.DeleteMany(ctx, some...)
		})
}

// bulk checks the whole list before anything happens, then writes it in chunks, each until nothing of it is left.
func bulk[T any](
	ctx context.Context, s *Store, list []T, keyOf func(T) Key, check func(T) error,
	write func(context.Context, []T) (left []T, u Units, err error),
) error {
	seen := make(map[Key]bool, len(list))
	for _, one := range list {
		if err := check(one); err != nil {
			return fmt.Errorf("write %d items: %w", len(list), err)
		}
		if key := keyOf(one); seen[key] {
			return fmt.Errorf("write %d items: %w", len(list), limitf("%v: twice in one call", key))
		}
		seen[keyOf(one)] = true
	}
	return s.inChunks(ctx, len(list), MaxPutMany, func(ctx context.Context, from, to int) error {
		todo := list[from:to]
		err := s.repeat(ctx, func() error {
			left, units, err := write(ctx, todo)
			s.used.add(units)
			if err != nil {
				return err
			}
			progress := len(left) < len(todo)
			switch todo = left; {
			case len(left) == 0:
				return nil
			case progress:
				return errSomeLeft
			default:
				return errLeft
			}
		})
		if err != nil {
			return fmt.Errorf("write %d items from %v on: %w", len(todo), keyOf(todo[0]), err)
		}
		return nil
	})
}

// A bulk write that wrote nothing counts as busy; one that wrote some of its items is on its way and does not.
var (
	errLeft     = errors.New("the table left items unwritten")
	errSomeLeft = errors.New("the table left some items unwritten")
)

const (
	busyRepeats    = 8 // of ErrConflict, or of bulk writes that wrote nothing; the pauses add up to 6 s at the most
	unknownRepeats = 2
	firstPause     = 25 * time.Millisecond
)

// repeat calls do until it succeeds, fails for good, or has been repeated often enough. Once an outcome was unknown, a
// conflict doesn't make it known: then the unknown error is the one returned.
func (s *Store) repeat(ctx context.Context, do func() error) error {
	var unknown error
	for busy, unclear := 0, 0; ; {
		err := do()
		switch {
		case err == nil, errors.Is(err, ErrCondition), errors.Is(err, ErrLimit):
			return err
		case errors.Is(err, ErrConflict), errors.Is(err, errLeft):
			if busy++; busy > busyRepeats {
				return firstOf(unknown, err)
			}
		case errors.Is(err, errSomeLeft):
			busy = 0
		default:
			unknown = err
			if unclear++; unclear > unknownRepeats {
				return err
			}
		}
		if stop := s.world.Sleep(ctx, s.pause(busy+unclear)); stop != nil {
			return fmt.Errorf("%w (%w)", firstOf(unknown, err), stop)
		}
	}
}

// pause is a random time up to 25 ms for the first repetition and up to twice that for every further one: whoever
// collided once shouldn't do so again.
func (s *Store) pause(repetition int) time.Duration {
	var b [8]byte
	s.world.Read(b[:])
	longest := firstPause << max(repetition-1, 0)
	return time.Duration(binary.BigEndian.Uint64(b[:]) % uint64(longest))
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func opKeys(ops []Op) []Key {
	keys := make([]Key, len(ops))
	for i, op := range ops {
		keys[i] = op.Item.Key
	}
	return keys
}
