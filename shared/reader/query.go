package reader

import (
	"context"
	"fmt"

	"github.com/bookplate/bookplate/shared/problem"
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

// Find returns the reader with that clientUserId in one of the locations, or a problem of kind NotFound. Foreign says that
// Bookplate didn't make it; then there is no Doc.
func Find(ctx context.Context, store *table.ReadStore, locations []string, clientUserID string) (
	doc Doc, foreign bool, err error,
) {
	for _, location := range locations {
		ours, err := LoadMany(ctx, store, location, []string{clientUserID})
		if err != nil {
			return Doc{}, false, err
		}
		if doc, ok := ours[clientUserID]; ok {
			return doc, false, nil
		}
		there, err := table.LoadOrZero[Foreign](ctx, store, foreignKey(location, clientUserID))
		if err != nil {
			return Doc{}, false, fmt.Errorf("reading the foreign readers of location %s: %w", location, err)
		}
		if there.Version != "" {
			return Doc{}, true, nil
		}
	}
	return Doc{}, false, problem.New(problem.NotFound, "ReaderNotFound", "There is no reader with the clientUserId %.80q in a "+
		"location that has a token. GET /v1.0/bookplate/readers lists those of a location.", clientUserID)
}
