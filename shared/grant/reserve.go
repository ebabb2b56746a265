package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table"
)

// reserve gives the pairs to the batch, each by one Commit under the version that the decision was made on, and returns
// the people whose pairs were all had.
func (g Granter) reserve(ctx context.Context, b license.Batch, d draft) ([]string, error) {
	var mu sync.Mutex
	lost := make(map[string]bool)
	n := len(d.people) * len(d.titles)
	err := g.World.Run(ctx, g.Store.Width(), n, func(ctx context.Context, i int) error {
		person, asset := d.people[i/len(d.titles)], d.titles[i%len(d.titles)]
		had, err := g.reserveOne(ctx, b, d.pairs[[2]string{asset.AdamID, person}])
		if err != nil {
			return err
		}
		if !had {
			mu.Lock()
			defer mu.Unlock()
			lost[person] = true
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reserving the pairs of batch %s: %w", b.ID, err)
	}
	return slices.DeleteFunc(slices.Clone(d.people), func(p string) bool { return lost[p] }), nil
}

// reserveOne says false when somebody else was faster.
func (g Granter) reserveOne(ctx context.Context, b license.Batch, p pair) (bool, error) {
	doc := p.license
	if doc.Value.State == license.Reserved {
		stale, bound, err := g.stale(ctx, doc.Value)
		if err != nil || !stale {
			return false, err
		}
		doc.Value = doc.Value.Free(bound, g.World.Now())
	}
	if doc.Value.Has() || doc.Value.BoundElsewhere(b.Location, p.asset.PricingParam) {
		return false, nil
	}
	next, err := doc.Value.Reserve(b, license.Place{Location: b.Location, Asset: p.asset}, *p.cause, g.World.Now())
	if err != nil {
		return false, err
	}
	doc.Value = next
	op, err := license.Save(doc)
	if err != nil {
		return false, err
	}
	_, err = g.Store.Commit(ctx, op)
	if license.IsConflict(err) {
		return false, nil
	}
	return err == nil, err
}

// stale says that the batch which a license names can't send it. The decision found it so, but among the batches that it
// had read before: one that a slower worker has stored since is looked for here. A batch is stored before it is named,
// so one that isn't open has ended, for good. Bound says that it was given up with the pair's outcome unknown, and its
// worker hasn't come to note that.
func (g Granter) stale(ctx context.Context, l license.License) (stale, bound bool, err error) {
	batch, err := license.OpenBatch(ctx, g.Store.ReadStore, l.Location, l.Batch)
	if errors.Is(err, table.ErrAbsent) {
		past, err := license.PastBatch(ctx, g.Store.ReadStore, l.Location, l.Batch)
		if err != nil && !errors.Is(err, table.ErrAbsent) {
			return false, false, fmt.Errorf("reading batch %s: %w", l.Batch, err)
		}
		b := past.Value
		return true, b.State == license.Settled && slices.Contains(b.People, l.PersonID), nil
	}
	if err != nil {
		return false, false, fmt.Errorf("reading batch %s: %w", l.Batch, err)
	}
	// One that is open without the pair never sends it: whoever took it out has changed the batch.
	return !batch.Value.Holds(l.AdamID, l.PersonID), false, nil
}
