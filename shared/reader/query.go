package reader

import (
	"context"
	"fmt"

	"github.com/bookplate/bookplate/shared/table"
)

// PageOf returns a page of the readers of a location that are ours, and the cursor of the next page.
func PageOf(ctx context.Context, store *table.ReadStore, location string, limit int, cursor string) (
	readers []Reader, next string, err error,
) {
	parts := make([]string, shards)
	for i := range parts {
		parts[i] = fmt.Sprintf("readers#%s#%x", location, i)
	}
	page, err := store.PageParts(ctx, parts, table.Range{Limit: limit, Cursor: cursor})
	if err != nil {
		return nil, "", fmt.Errorf("reading the readers of location %s: %w", location, err)
	}
	for _, item := range page.Items {
		doc, err := table.Decode[Reader](item)
		if err != nil {
			return nil, "", err
		}
		readers = append(readers, doc.Value)
	}
	return readers, page.Next, nil
}
