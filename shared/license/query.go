package license

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

// TitlePage returns a page of the licenses of a title, of all locations, and the cursor of the next page.
func TitlePage(ctx context.Context, store *table.ReadStore, adamID string, limit int, cursor string) (
	docs []Doc, next string, err error,
) {
	page, err := store.PageParts(ctx, titleParts(adamID), table.Range{Limit: limit, Cursor: cursor})
	if err != nil {
		return nil, "", fmt.Errorf("reading the licenses of title %s: %w", adamID, err)
	}
	for _, item := range page.Items {
		doc, err := table.Decode[License](item)
		if err != nil {
			return nil, "", err
		}
		docs = append(docs, doc)
	}
	return docs, page.Next, nil
}

// HolderPage returns a page of everybody who holds a title: first the licenses of people, of all locations, then the
// foreign holders in the location.
func HolderPage(ctx context.Context, store *table.ReadStore, location, adamID string, limit int, cursor string) (
	docs []Doc, foreign []Holder, next string, err error,
) {
	parts := titleParts(adamID)
	for i := range Shards {
		parts = append(parts, holderPart(location, adamID, fmt.Sprintf("%x", i)))
	}
	page, err := store.PageParts(ctx, parts, table.Range{Limit: limit, Cursor: cursor})
	if err != nil {
		return nil, nil, "", fmt.Errorf("reading who holds title %s: %w", adamID, err)
	}
	for _, item := range page.Items {
		if strings.HasPrefix(item.Key.Part, "holders#") {
			doc, err := table.Decode[Holder](item)
			if err != nil {
				return nil, nil, "", err
			}
			foreign = append(foreign, doc.Value)
			continue
		}
		doc, err := table.Decode[License](item)
		if err != nil {
			return nil, nil, "", err
		}
		docs = append(docs, doc)
	}
	return docs, foreign, page.Next, nil
}

// BatchPage returns a page of a location's batches, the open ones first, then those that have ended, newest first, and the
// cursor of the next page.
func BatchPage(ctx context.Context, store *table.ReadStore, location string, limit int, cursor string) (
	batches []Batch, next string, err error,
) {
	at, err := table.ParseCursor(cursor, 2)
	if err != nil {
		return nil, "", err
	}
	prefix := openPrefix
	if at != nil {
		prefix, cursor = at[0], at[1]
	}
	if prefix != openPrefix && prefix != endedPrefix {
		return nil, "", table.ErrCursor
	}
	for {
		r := table.Prefix(batchPart(location), prefix)
		r.Limit, r.Cursor, r.Reverse = limit-len(batches), cursor, prefix == endedPrefix
		page, err := store.Page(ctx, r)
		if err != nil {
			return nil, "", fmt.Errorf("reading the batches of location %s: %w", location, err)
		}
		for _, item := range page.Items {
			doc, err := table.Decode[Batch](item)
			if err != nil {
				return nil, "", err
			}
			batches = append(batches, doc.Value)
		}
		cursor = page.Next
		switch {
		case cursor == "" && prefix == endedPrefix:
			return batches, "", nil
		case cursor == "":
			prefix = endedPrefix
		}
		if len(batches) >= limit {
			return batches, table.NewCursor(prefix, cursor), nil
		}
	}
}

func titleParts(adamID string) []string {
	parts := make([]string, Shards)
	for i := range parts {
		parts[i] = titlePart(adamID, fmt.Sprintf("%x", i))
	}
	return parts
}

// PersonPage returns a page of the licenses of a person, by adamId, and the cursor of the next page. The index that leads
// to them lags by moments after a new one. A page may be empty and not be the last.
func PersonPage(ctx context.Context, store *table.ReadStore, personID string, limit int, cursor string) (
	docs []Doc, next string, err error,
) {
	page, err := store.PageEntries(ctx, table.Index1, table.Range{Part: PersonPart(personID), Limit: limit, Cursor: cursor})
	if err != nil {
		return nil, "", fmt.Errorf("reading the licenses of person %s: %w", personID, err)
	}
	docs, err = loadEntries(ctx, store, page.Entries)
	if err != nil {
		return nil, "", fmt.Errorf("reading the licenses of person %s: %w", personID, err)
	}
	return docs, page.Next, nil
}

// DayPage returns a page of the licenses that locations were seen to give on some days (UTC), in the order of the days,
// of the locations within a day, newest first within those, and the cursor of the next page. The index that leads to
// them lags by moments.
func DayPage(ctx context.Context, store *table.ReadStore, locations []string, days []time.Time, limit int, cursor string) (
	docs []Doc, next string, err error,
) {
	var parts []string
	for _, day := range days {
		for _, location := range locations {
			parts = append(parts, DayPart(location, day))
		}
	}
	page, err := store.PageEntryParts(ctx, table.Index2, parts, table.Range{Limit: limit, Cursor: cursor, Reverse: true})
	if err != nil {
		return nil, "", fmt.Errorf("reading what was given on %d days: %w", len(days), err)
	}
	docs, err = loadEntries(ctx, store, page.Entries)
	if err != nil {
		return nil, "", fmt.Errorf("reading what was given on %d days: %w", len(days), err)
	}
	return docs, page.Next, nil
}

// Line are the licenses of a title that wait in a location, longest first. The index that leads to them lags by moments.
func Line(ctx context.Context, store *table.ReadStore, location, adamID string) ([]License, error) {
	var entries []table.Entry
	for entry, err := range store.EachEntry(ctx, table.Index2, table.Range{Part: linePart(location, adamID)}) {
		if err != nil {
			return nil, fmt.Errorf("reading who waits for title %s: %w", adamID, err)
		}
		entries = append(entries, entry)
	}
	docs, err := loadEntries(ctx, store, entries)
	if err != nil {
		return nil, fmt.Errorf("reading who waits for title %s: %w", adamID, err)
	}
	var line []License
	for _, doc := range docs {
		if doc.Value.State == Waiting && doc.Value.Location == location {
			line = append(line, doc.Value)
		}
	}
	return line, nil
}

// loadEntries reads the licenses to which entries of an index lead, in their order.
func loadEntries(ctx context.Context, store *table.ReadStore, entries []table.Entry) ([]Doc, error) {
	keys := make([]table.Key, len(entries))
	for i, entry := range entries {
		keys[i] = entry.Key
	}
	found, err := table.LoadMany[License](ctx, store, keys)
	if err != nil {
		return nil, err
	}
	var docs []Doc
	for _, k := range keys {
		if doc, ok := found[k]; ok {
			docs = append(docs, doc)
		}
	}
	return docs, nil
}
