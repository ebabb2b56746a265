package table

import (
	"context"
	"slices"
)

// PageParts returns one page over several partitions, one after another, as if they were one. The range's Part is
// ignored, its Limit must not be 0, and its Cursor is one of PageParts: it stays good as long as the partition that it
// names is among the parts. An empty page is the last one.
func (s *ReadStore) PageParts(ctx context.Context, parts []string, r Range) (Page, error) {
	at, err := ParseCursor(r.Cursor, 2)
	if err != nil {
		return Page{}, err
	}
	i := 0
	r.Cursor = ""
	if at != nil {
		if i = slices.Index(parts, at[0]); i < 0 {
			return Page{}, ErrCursor
		}
		r.Cursor = at[1]
	}
	all, limit := Page{}, r.Limit
	for i < len(parts) && len(all.Items) < limit {
		r.Part, r.Limit = parts[i], limit-len(all.Items)
		page, err := s.Page(ctx, r)
		if err != nil {
			return Page{}, err
		}
		all.Items = append(all.Items, page.Items...)
		all.Units = all.Units.Add(page.Units)
		if r.Cursor = page.Next; page.Next == "" {
			i++
		}
	}
	if i < len(parts) {
		all.Next = NewCursor(parts[i], r.Cursor)
	}
	return all, nil
}
