package table

import (
	"context"
	"slices"
)

// PageParts returns one page over several partitions, one after another, as if they were one. The range's Part is
// ignored, its Limit must not be 0, and its Cursor is one of PageParts: it stays good as long as the partition that it
// names is among the parts. An empty page is the last one.
func (s *ReadStore) PageParts(ctx context.Context, parts []string, r Range) (Page, error) {
	var units Units
	items, next, err := pageParts(parts, r, func(r Range) ([]Item, string, error) {
		page, err := s.Page(ctx, r)
		units = units.Add(page.Units)
		return page.Items, page.Next, err
	})
	return Page{Items: items, Next: next, Units: units}, err
}

// PageEntryParts is PageParts over several partitions of an index.
func (s *ReadStore) PageEntryParts(ctx context.Context, index Index, parts []string, r Range) (IndexPage, error) {
	var units Units
	entries, next, err := pageParts(parts, r, func(r Range) ([]Entry, string, error) {
		page, err := s.PageEntries(ctx, index, r)
		units = units.Add(page.Units)
		return page.Entries, page.Next, err
	})
	return IndexPage{Entries: entries, Next: next, Units: units}, err
}

// mostParts is how many partitions one page looks into: a year of empty days is no single request.
const mostParts = 50

func pageParts[T any](parts []string, r Range, read func(Range) ([]T, string, error)) (all []T, next string, err error) {
	at, err := ParseCursor(r.Cursor, 2)
	if err != nil {
		return nil, "", err
	}
	i := 0
	r.Cursor = ""
	if at != nil {
		if i = slices.Index(parts, at[0]); i < 0 {
			return nil, "", ErrCursor
		}
		r.Cursor = at[1]
	}
	limit := r.Limit
	for last := i + mostParts; i < min(len(parts), last) && len(all) < limit; {
		r.Part, r.Limit = parts[i], limit-len(all)
		found, next, err := read(r)
		if err != nil {
			return nil, "", err
		}
		all = append(all, found...)
		if r.Cursor = next; next == "" {
			i++
		}
	}
	if i < len(parts) {
		next = NewCursor(parts[i], r.Cursor)
	}
	return all, next, nil
}
