package mem

import (
	"context"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

// Get is the port's.
func (t *Table) Get(ctx context.Context, key table.Key) (item table.Item, u table.Units, err error) {
	if err := table.CheckKey(key); err != nil {
		return table.Item{}, table.Units{}, err
	}
	err = t.perform(ctx, Call{Kind: Get, Keys: []table.Key{key}}, func(time.Time) error {
		stored := t.lookup(key)
		if stored == nil {
			u = table.ReadUnits(0)
			return table.ErrAbsent
		}
		item, u = *clone(stored), table.ReadUnits(stored.Size())
		return nil
	})
	if err != nil {
		return table.Item{}, u, err
	}
	return item, u, nil
}

// GetMany is the port's.
func (t *Table) GetMany(ctx context.Context, keys []table.Key) (items []table.Item, u table.Units, err error) {
	if err := table.CheckGetMany(keys); err != nil {
		return nil, table.Units{}, err
	}
	err = t.perform(ctx, Call{Kind: GetMany, Keys: keys}, func(time.Time) error {
		for _, key := range keys {
			var size int
			if stored := t.lookup(key); stored != nil {
				size = stored.Size()
				items = append(items, *clone(stored))
			}
			u = u.Add(table.ReadUnits(size))
		}
		return nil
	})
	if err != nil {
		return nil, u, err
	}
	return items, u, nil
}

// Query is the port's.
func (t *Table) Query(ctx context.Context, r table.Range) (page table.Page, err error) {
	after, err := table.CheckQuery(r)
	if err != nil {
		return table.Page{}, err
	}
	err = t.perform(ctx, Call{Kind: Query, Range: r}, func(time.Time) error {
		var found []*table.Item
		if p := t.parts[r.Part]; p != nil {
			found = p.selects(r, after)
		}
		n, size, more := t.turn(r, len(found), func(i int) int { return found[i].Size() })
		for _, item := range found[:n] {
			page.Items = append(page.Items, *clone(item))
		}
		page.Units = table.ReadUnits(size)
		if more {
			page.Next = r.Cursor
			if n > 0 {
				page.Next = table.NewCursor(found[n-1].Key.Sort)
			} else if r.Cursor == "" {
				page.Next = table.NewCursor("")
			}
		}
		return nil
	})
	if err != nil {
		return table.Page{Units: page.Units}, err
	}
	return page, nil
}

// QueryIndex is the port's.
func (t *Table) QueryIndex(ctx context.Context, i table.Index, r table.Range) (page table.IndexPage, err error) {
	after, err := table.CheckQueryIndex(i, r)
	if err != nil {
		return table.IndexPage{}, err
	}
	err = t.perform(ctx, Call{Kind: QueryIndex, Range: r, Index: i}, func(time.Time) error {
		found := t.indexes[i].selects(r, after)
		n, size, more := t.turn(r, len(found), func(i int) int { return found[i].Size() })
		page.Entries, page.Units = found[:n], table.IndexReadUnits(size)
		if more {
			page.Next = r.Cursor
			if n > 0 {
				page.Next = found[n-1].Cursor()
			} else if r.Cursor == "" {
				page.Next = table.Entry{}.Cursor()
			}
		}
		return nil
	})
	if err != nil {
		return table.IndexPage{Units: page.Units}, err
	}
	return page, nil
}

// turn decides how many of n things make the page, how many bytes they are, and whether more follow.
func (t *Table) turn(r table.Range, n int, sizeOf func(int) int) (taken, size int, more bool) {
	limit := n
	if r.Limit > 0 {
		limit = min(limit, r.Limit)
	}
	if n > 0 && t.faults.hits(t.faults.ShortPagesOneIn) {
		limit = t.faults.Chance(limit + 1)
	}
	for taken < limit && size+sizeOf(taken) <= table.MaxPageBytes {
		size += sizeOf(taken)
		taken++
	}
	return taken, size, taken < n
}

// selects returns the items of the range behind the sort key, in the range's order.
func (p *partition) selects(r table.Range, after string) []*table.Item {
	from, _ := slices.BinarySearch(p.sorts, r.From)
	to := len(p.sorts)
	if r.To != "" {
		var there bool
		if to, there = slices.BinarySearch(p.sorts, r.To); there {
			to++
		}
	}
	if at, there := slices.BinarySearch(p.sorts, after); after != "" {
		switch {
		case r.Reverse:
			to = min(to, at)
		case there:
			from = max(from, at+1)
		default:
			from = max(from, at)
		}
	}
	if from >= to {
		return nil
	}
	list := make([]*table.Item, 0, to-from)
	for _, sort := range p.sorts[from:to] {
		list = append(list, p.items[sort])
	}
	if r.Reverse {
		slices.Reverse(list)
	}
	return list
}
