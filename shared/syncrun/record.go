package syncrun

import (
	"context"
	"fmt"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

// keepRuns is how long a run is kept for those who ask what syncs did.
const keepRuns = 400 * 24 * time.Hour

// sortLayout has a fixed width, so that the order of keys is the order of time.
const sortLayout = "2006-01-02T15:04:05.000000000Z"

func runsPart(location string) string { return "runs#" + location }

// record keeps an ended run.
func (s *Syncer) record(ctx context.Context) error {
	key := table.Key{
		Part: runsPart(s.Record.Location), Sort: s.run.Started.UTC().Format(sortLayout) + "#" + s.run.ID,
	}
	item, err := table.Encode(key, s.run)
	if err != nil {
		return err
	}
	item.Expires = s.run.Ended.Add(keepRuns)
	if err := s.Store.PutAll(ctx, item); err != nil {
		return fmt.Errorf("recording sync run %s: %w", s.run.ID, err)
	}
	return nil
}

// Runs returns a page of a location's ended runs, newest first, and the cursor of the next page.
func Runs(ctx context.Context, store *table.ReadStore, location string, limit int, cursor string) (
	runs []Run, next string, err error,
) {
	page, err := store.Page(ctx, table.Range{Part: runsPart(location), Limit: limit, Cursor: cursor, Reverse: true})
	if err != nil {
		return nil, "", fmt.Errorf("reading the sync runs of location %s: %w", location, err)
	}
	for _, item := range page.Items {
		doc, err := table.Decode[Run](item)
		if err != nil {
			return nil, "", err
		}
		runs = append(runs, doc.Value)
	}
	return runs, page.Next, nil
}
