package mem

import (
	"context"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

// Commit is the port's.
func (t *Table) Commit(ctx context.Context, tok string, ops ...table.Op) (u table.Units, err error) {
	if err := table.CheckCommit(tok, ops); err != nil {
		return table.Units{}, err
	}
	call := Call{Kind: Commit, Token: tok, Ops: ops}
	for _, op := range ops {
		call.Keys = append(call.Keys, op.Item.Key)
	}
	err = t.perform(ctx, call, func(now time.Time) error {
		u, err = t.commit(now, tok, ops)
		return err
	})
	return u, err
}

func (t *Table) commit(now time.Time, tok string, ops []table.Op) (table.Units, error) {
	if t.faults.hits(t.faults.ConflictOneIn) {
		return table.Units{}, table.ErrConflict
	}
	print, alone := table.Fingerprint(ops), table.Alone(ops)
	if done, known := t.tokens[tok]; known && !alone {
		if done.ops != print {
			return table.Units{}, table.ErrTokenReused(tok)
		}
		return table.Units{Read: float64(len(ops))}, nil
	}
	changes, err := table.Decide(tok, ops, t.lookup)
	if err != nil {
		return table.CommitUnits(ops, changes), err
	}
	for _, c := range changes {
		if c.Before != c.After {
			t.store(c)
		}
	}
	if !alone {
		t.tokens[tok] = token{now, print}
		t.oldest = append(t.oldest, tok)
	}
	return table.CommitUnits(ops, changes), nil
}

// PutMany is the port's.
func (t *Table) PutMany(
	ctx context.Context, tok string, items ...table.Item,
) (left []table.Item, u table.Units, err error) {
	if err := table.CheckPutMany(tok, items); err != nil {
		return nil, table.Units{}, err
	}
	call := Call{Kind: PutMany, Token: tok}
	for _, item := range items {
		call.Keys = append(call.Keys, item.Key)
	}
	err = t.perform(ctx, call, func(time.Time) error {
		for _, item := range items {
			if t.faults.hits(t.faults.LeaveOneIn) {
				left = append(left, item)
				continue
			}
			c := table.Change{Before: t.lookup(item.Key), After: table.Stored(item, tok)}
			t.store(c)
			u = u.Add(c.Units())
		}
		return nil
	})
	if err != nil {
		left = nil
	}
	return left, u, err
}

// DeleteMany is the port's.
func (t *Table) DeleteMany(ctx context.Context, keys ...table.Key) (left []table.Key, u table.Units, err error) {
	if err := table.CheckDeleteMany(keys); err != nil {
		return nil, table.Units{}, err
	}
	err = t.perform(ctx, Call{Kind: DeleteMany, Keys: keys}, func(time.Time) error {
		for _, key := range keys {
			if t.faults.hits(t.faults.LeaveOneIn) {
				left = append(left, key)
				continue
			}
			c := table.Change{Before: t.lookup(key)}
			t.store(c)
			u = u.Add(c.Units())
		}
		return nil
	})
	if err != nil {
		left = nil
	}
	return left, u, err
}
