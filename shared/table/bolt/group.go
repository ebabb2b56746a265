package bolt

import (
	"context"
	"fmt"

	"go.etcd.io/bbolt"
)

// job is one write that waits for a transaction. do writes nothing when what it found forbids it, keeps its own answer,
// and returns an error only when the file fails.
type job struct {
	do   func(w *writing) error
	done bool
	err  error
}

// write runs do in a transaction and returns when it is on the disk. Jobs that queue up while the disk is busy share
// the next transaction: whoever gets to lead runs them all, the others find theirs done.
func (t *Table) write(ctx context.Context, do func(w *writing) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	mine := &job{do: do}
	t.waiting.Lock()
	t.queue = append(t.queue, mine)
	t.waiting.Unlock()

	t.leading.Lock()
	defer t.leading.Unlock()
	if !mine.done {
		t.waiting.Lock()
		jobs := t.queue
		t.queue = nil
		t.waiting.Unlock()

		err := t.runAll(jobs)
		for _, j := range jobs {
			j.done, j.err = true, err
		}
	}
	return mine.err
}

// runAll runs the jobs in one transaction. If the file fails, none of them happened, or nobody knows.
func (t *Table) runAll(jobs []*job) (err error) {
	tx, err := t.db.Begin(true)
	if err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	w := &writing{reading: reading{tx}, now: t.clock.Now()}
	for _, j := range jobs {
		if err = j.do(w); err != nil {
			break
		}
	}
	if err == nil && w.dirty {
		err = w.sweep()
	}
	if err != nil || !w.dirty {
		if failed := tx.Rollback(); failed != nil {
			return fmt.Errorf("roll back: %w", failed)
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit to the file: %w", err)
	}
	return nil
}

// reading is a transaction that reads.
type reading struct{ tx *bbolt.Tx }

// view runs do in a transaction that reads.
func (t *Table) view(ctx context.Context, do func(r reading) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return t.db.View(func(tx *bbolt.Tx) error { return do(reading{tx}) })
}
