package bolt

import (
	"bytes"
	"context"

	"go.etcd.io/bbolt"

	"github.com/bookplate/bookplate/shared/table"
)

// Get is the port's.
func (t *Table) Get(ctx context.Context, key table.Key) (item table.Item, u table.Units, err error) {
	if err := table.CheckKey(key); err != nil {
		return table.Item{}, table.Units{}, err
	}
	err = t.view(ctx, func(r reading) error {
		stored, err := r.get(key)
		if err != nil {
			return err
		}
		if u = table.ReadUnits(0); stored == nil {
			return table.ErrAbsent
		}
		item, u = *stored, table.ReadUnits(stored.Size())
		return nil
	})
	return item, u, err
}

// GetMany is the port's.
func (t *Table) GetMany(ctx context.Context, keys []table.Key) (items []table.Item, u table.Units, err error) {
	if err := table.CheckGetMany(keys); err != nil {
		return nil, table.Units{}, err
	}
	err = t.view(ctx, func(r reading) error {
		for _, key := range keys {
			stored, err := r.get(key)
			if err != nil {
				return err
			}
			var size int
			if stored != nil {
				size = stored.Size()
				items = append(items, *stored)
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

// get returns nil for what isn't there.
func (r reading) get(key table.Key) (*table.Item, error) {
	record := r.tx.Bucket(itemBucket).Get(keyOf(key))
	if record == nil {
		return nil, nil
	}
	return decode(key, record)
}

// Query is the port's.
func (t *Table) Query(ctx context.Context, q table.Range) (page table.Page, err error) {
	after, err := table.CheckQuery(q)
	if err != nil {
		return table.Page{}, err
	}
	var last []byte
	if after != "" {
		last = join(q.Part, after)
	}
	var size int
	err = t.view(ctx, func(r reading) error {
		return r.scan(itemBucket, q, last, func(joined, record []byte) (bool, error) {
			key, err := splitKey(joined)
			if err != nil {
				return false, err
			}
			item, err := decode(key, record)
			if err != nil {
				return false, err
			}
			if full(q, len(page.Items), size+item.Size()) {
				page.Next = table.NewCursor(page.Items[len(page.Items)-1].Key.Sort)
				return false, nil
			}
			page.Items = append(page.Items, *item)
			size += item.Size()
			return true, nil
		})
	})
	if err != nil {
		return table.Page{}, err
	}
	page.Units = table.ReadUnits(size)
	return page, nil
}

// QueryIndex is the port's. Here it doesn't lag.
func (t *Table) QueryIndex(ctx context.Context, index table.Index, q table.Range) (page table.IndexPage, err error) {
	after, err := table.CheckQueryIndex(index, q)
	if err != nil {
		return table.IndexPage{}, err
	}
	var last []byte
	if after != nil {
		last = entryKey(*after)
	}
	var size int
	err = t.view(ctx, func(r reading) error {
		return r.scan(indexBuckets[index], q, last, func(joined, _ []byte) (bool, error) {
			entry, err := splitEntry(joined)
			if err != nil {
				return false, err
			}
			if full(q, len(page.Entries), size+entry.Size()) {
				page.Next = page.Entries[len(page.Entries)-1].Cursor()
				return false, nil
			}
			page.Entries = append(page.Entries, entry)
			size += entry.Size()
			return true, nil
		})
	})
	if err != nil {
		return table.IndexPage{}, err
	}
	page.Units = table.IndexReadUnits(size)
	return page, nil
}

// full says that a page of n things can't take another one that would make it so large.
func full(q table.Range, n, size int) bool {
	return q.Limit > 0 && n == q.Limit || size > table.MaxPageBytes
}

// scan visits the keys of the range behind last (nil for all), in the range's order, until visit says false. Between
// two parts of a key stands NUL, the lowest byte: what begins with From is at or above it, and what is at To, whatever
// follows, is below To and a 1.
func (r reading) scan(bucket []byte, q table.Range, last []byte, visit func(key, value []byte) (bool, error)) error {
	low, high := join(q.Part, q.From), []byte(q.Part+"\x01")
	if q.To != "" {
		high = join(q.Part, q.To+"\x01")
	}
	if last != nil && q.Reverse && bytes.Compare(last, high) < 0 {
		high = last
	}
	if next := append(bytes.Clone(last), 0); last != nil && !q.Reverse && bytes.Compare(next, low) > 0 {
		low = next
	}
	c := r.tx.Bucket(bucket).Cursor()
	begin, step := func() ([]byte, []byte) { return c.Seek(low) }, c.Next
	if q.Reverse {
		begin, step = func() ([]byte, []byte) { return lastBelow(c, high) }, c.Prev
	}
	for key, value := begin(); key != nil && bytes.Compare(key, low) >= 0 && bytes.Compare(key, high) < 0; key, value = step() {
		if more, err := visit(key, value); !more || err != nil {
			return err
		}
	}
	return nil
}

// lastBelow moves the cursor to the last key below the limit.
func lastBelow(c *bbolt.Cursor, limit []byte) (key, value []byte) {
	if at, _ := c.Seek(limit); at == nil {
		return c.Last()
	}
	return c.Prev()
}
