package table

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/bookplate/bookplate/shared/world"
)

// ReadStore is the reading half of a Store: code that is given one can't write, not even by mistake.
type ReadStore struct {
	reader Reader
	world  world.World
	width  int
	used   *meter
}

// NewReadStore returns a store that reads.
func NewReadStore(reader Reader, w world.World) *ReadStore {
	return &ReadStore{reader: reader, world: w, width: WidthOf(reader), used: &meter{}}
}

// Width is how many calls serve the engine best at once.
func (s *ReadStore) Width() int { return s.width }

// Get returns the item, or ErrAbsent.
func (s *ReadStore) Get(ctx context.Context, key Key) (Item, error) {
	item, units, err := s.reader.Get(ctx, key)
	s.used.add(units)
	if err != nil {
		return Item{}, fmt.Errorf("get %v: %w", key, err)
	}
	return item, nil
}

// GetMany returns those of the keys that exist: any number of keys, repeated ones read once.
func (s *ReadStore) GetMany(ctx context.Context, keys []Key) (map[Key]Item, error) {
	distinct := slices.Clone(keys)
	slices.SortFunc(distinct, Key.Compare)
	distinct = slices.Compact(distinct)

	var mu sync.Mutex
	found := make(map[Key]Item, len(distinct))
	err := s.inChunks(ctx, len(distinct), MaxGetMany, func(ctx context.Context, from, to int) error {
		items, units, err := s.reader.GetMany(ctx, distinct[from:to])
		s.used.add(units)
		if err != nil {
			return fmt.Errorf("get %d keys from %v on: %w", to-from, distinct[from], err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, item := range items {
			found[item.Key] = item
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Page returns one page of a partition.
func (s *ReadStore) Page(ctx context.Context, r Range) (Page, error) {
	page, err := s.reader.Query(ctx, r)
	s.used.add(page.Units)
	if err != nil {
		return Page{}, fmt.Errorf("query %s from %q to %q: %w", r.Part, r.From, r.To, err)
	}
	return page, nil
}

// PageEntries returns one page of an index.
func (s *ReadStore) PageEntries(ctx context.Context, index Index, r Range) (IndexPage, error) {
	page, err := s.reader.QueryIndex(ctx, index, r)
	s.used.add(page.Units)
	if err != nil {
		return IndexPage{}, fmt.Errorf("query index %d, %s from %q to %q: %w", index+1, r.Part, r.From, r.To, err)
	}
	return page, nil
}

// Each walks all items of the range over all pages, from r.Cursor on; r.Limit is the size of a page, not of the walk.
// It yields an error once, as the last.
func (s *ReadStore) Each(ctx context.Context, r Range) iter.Seq2[Item, error] {
	return walk(r, func(r Range) ([]Item, string, error) {
		page, err := s.Page(ctx, r)
		return page.Items, page.Next, err
	})
}

// EachEntry walks all entries of the range of an index as Each walks items. Entries may be stale or missing: see
// Reader.QueryIndex.
func (s *ReadStore) EachEntry(ctx context.Context, index Index, r Range) iter.Seq2[Entry, error] {
	return walk(r, func(r Range) ([]Entry, string, error) {
		page, err := s.PageEntries(ctx, index, r)
		return page.Entries, page.Next, err
	})
}

func walk[T any](r Range, turn func(Range) ([]T, string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		r := r // every walk begins at the same cursor
		for {
			list, next, err := turn(r)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, one := range list {
				if !yield(one, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			r.Cursor = next
		}
	}
}

// Units is what all calls through this store have consumed so far.
func (s *ReadStore) Units() Units { return s.used.sum() }

// inChunks runs task on 0 … n cut into chunks of at most size, several at once.
func (s *ReadStore) inChunks(
	ctx context.Context, n, size int, task func(ctx context.Context, from, to int) error,
) error {
	return s.world.Run(ctx, s.width, (n+size-1)/size, func(ctx context.Context, i int) error {
		return task(ctx, i*size, min((i+1)*size, n))
	})
}

// meter adds up units.
type meter struct {
	mu    sync.Mutex
	units Units
}

func (m *meter) add(u Units) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.units = m.units.Add(u)
}

func (m *meter) sum() Units {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.units
}
