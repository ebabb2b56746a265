package bolt

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

// remember is how long the port promises that a Commit's token is known.
const remember = 10 * time.Minute

// sweepSteps is how many old tokens, and how many expired items, a transaction clears away. More than a commit adds, so
// that none pile up.
const sweepSteps = 32

// writing is a transaction that writes; dirty says that it has.
type writing struct {
	reading
	now   time.Time
	dirty bool
}

// Commit is the port's.
func (t *Table) Commit(ctx context.Context, token string, ops ...table.Op) (u table.Units, err error) {
	if err := table.CheckCommit(token, ops); err != nil {
		return table.Units{}, err
	}
	var refused error
	err = t.write(ctx, func(w *writing) (err error) {
		u, refused, err = w.commit(token, ops)
		return err
	})
	return u, firstOf(err, refused)
}

// commit returns in refused what the caller did wrong, and in err that the file failed.
func (w *writing) commit(token string, ops []table.Op) (u table.Units, refused, err error) {
	print, alone := table.Fingerprint(ops), table.Alone(ops)
	if known := w.tx.Bucket(tokenBucket).Get([]byte(token)); known != nil && !alone {
		if !bytes.Equal(known, print[:]) {
			return table.Units{}, table.ErrTokenReused(token), nil
		}
		return table.Units{Read: float64(len(ops))}, nil, nil
	}
	stored := make(map[table.Key]*table.Item, len(ops))
	for _, op := range ops {
		if stored[op.Item.Key], err = w.get(op.Item.Key); err != nil {
			return table.Units{}, nil, err
		}
	}
	changes, refused := table.Decide(token, ops, func(k table.Key) *table.Item { return stored[k] })
	if refused != nil {
		return table.CommitUnits(ops, changes), refused, nil
	}
	for _, c := range changes {
		if err := w.store(c); err != nil {
			return table.Units{}, nil, err
		}
	}
	if alone {
		return table.CommitUnits(ops, changes), nil, nil
	}
	return table.CommitUnits(ops, changes), nil, errors.Join(
		w.put(tokenBucket, []byte(token), print[:]),
		w.put(ageBucket, timed(w.now.Unix(), []byte(token)), nil))
}

// PutMany is the port's. It leaves nothing undone.
func (t *Table) PutMany(
	ctx context.Context, token string, items ...table.Item,
) (left []table.Item, u table.Units, err error) {
	if err := table.CheckPutMany(token, items); err != nil {
		return nil, table.Units{}, err
	}
	err = t.write(ctx, func(w *writing) error {
		for _, item := range items {
			spent, err := w.replace(item.Key, table.Stored(item, token))
			if err != nil {
				return err
			}
			u = u.Add(spent)
		}
		return nil
	})
	return nil, u, err
}

// DeleteMany is the port's. It leaves nothing undone.
func (t *Table) DeleteMany(ctx context.Context, keys ...table.Key) (left []table.Key, u table.Units, err error) {
	if err := table.CheckDeleteMany(keys); err != nil {
		return nil, table.Units{}, err
	}
	err = t.write(ctx, func(w *writing) error {
		for _, key := range keys {
			spent, err := w.replace(key, nil)
			if err != nil {
				return err
			}
			u = u.Add(spent)
		}
		return nil
	})
	return nil, u, err
}

// replace stores the item whatever was there; nil removes.
func (w *writing) replace(key table.Key, item *table.Item) (table.Units, error) {
	before, err := w.get(key)
	if err != nil {
		return table.Units{}, err
	}
	change := table.Change{Before: before, After: item}
	return change.Units(), w.store(change)
}

// store makes a change with all that hangs on it.
func (w *writing) store(c table.Change) error {
	if c.Before == c.After {
		return nil
	}
	var errs []error
	if c.Before != nil {
		errs = append(errs, w.unlist(c.Before))
	}
	if c.After != nil {
		errs = append(errs, w.put(itemBucket, keyOf(c.After.Key), encode(c.After)), w.list(c.After))
	} else {
		errs = append(errs, w.delete(itemBucket, keyOf(c.Before.Key)))
	}
	for i, bucket := range indexBuckets {
		before, after := c.Entries(table.Index(i))
		if before == after {
			continue
		}
		if before != (table.Entry{}) {
			errs = append(errs, w.delete(bucket, entryKey(before)))
		}
		if after != (table.Entry{}) {
			errs = append(errs, w.put(bucket, entryKey(after), nil))
		}
	}
	return errors.Join(errs...)
}

func (w *writing) list(item *table.Item) error {
	if item.Expires.IsZero() {
		return nil
	}
	return w.put(expiryBucket, timed(item.Expires.Unix(), keyOf(item.Key)), nil)
}

func (w *writing) unlist(item *table.Item) error {
	if item.Expires.IsZero() {
		return nil
	}
	return w.delete(expiryBucket, timed(item.Expires.Unix(), keyOf(item.Key)))
}

// sweep clears away some of what is due. It rides on a transaction that writes anyway.
func (w *writing) sweep() error {
	for _, age := range w.firstBefore(ageBucket, w.now.Add(-remember)) {
		_, token := untimed(age)
		if err := errors.Join(w.delete(ageBucket, age), w.delete(tokenBucket, token)); err != nil {
			return err
		}
	}
	for _, due := range w.firstBefore(expiryBucket, w.now.Add(time.Second)) {
		_, joined := untimed(due)
		key, err := splitKey(joined)
		if err != nil {
			return err
		}
		if _, err := w.replace(key, nil); err != nil {
			return err
		}
	}
	return nil
}

// firstBefore returns the first sweepSteps keys of a bucket ordered by time that lie before the second of the limit.
func (w *writing) firstBefore(bucket []byte, limit time.Time) (keys [][]byte) {
	c := w.tx.Bucket(bucket).Cursor()
	for key, _ := c.First(); key != nil && len(keys) < sweepSteps; key, _ = c.Next() {
		if seconds, _ := untimed(key); seconds >= limit.Unix() {
			break
		}
		keys = append(keys, bytes.Clone(key))
	}
	return keys
}

func (w *writing) put(bucket, key, value []byte) error {
	w.dirty = true
	return w.tx.Bucket(bucket).Put(key, value)
}

func (w *writing) delete(bucket, key []byte) error {
	w.dirty = true
	return w.tx.Bucket(bucket).Delete(key)
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
