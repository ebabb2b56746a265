package license

import (
	"context"
	"fmt"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

// BatchDoc is a batch with its place in the table.
type BatchDoc = table.Doc[Batch]

// NewBatch is the batch before it is stored.
func NewBatch(b Batch) BatchDoc { return table.NewDoc(openKey(b.Location, b.ID), b) }

// OpenBatches are the batches of a location of which something may be undecided, oldest id first.
func OpenBatches(ctx context.Context, store *table.ReadStore, location string) ([]BatchDoc, error) {
	var open []BatchDoc
	for doc, err := range table.Docs[Batch](store.Each(ctx, table.Prefix(batchPart(location), "open#"))) {
		if err != nil {
			return nil, fmt.Errorf("reading the open batches of location %s: %w", location, err)
		}
		open = append(open, doc)
	}
	return open, nil
}

// OpenBatch returns an open batch; its error is table.ErrAbsent for one that has ended or never was.
func OpenBatch(ctx context.Context, store *table.ReadStore, location, id string) (BatchDoc, error) {
	return table.Load[Batch](ctx, store, openKey(location, id))
}

// PastBatch returns a batch that has ended; its error is table.ErrAbsent for one that is open or never was.
func PastBatch(ctx context.Context, store *table.ReadStore, location, id string) (BatchDoc, error) {
	return table.Load[Batch](ctx, store, endedKey(location, id))
}

// End is the ops that close a batch for good, if it is still the one that was read. After them no pair can be sent by
// it, so that pairs which still name it are free (see Free).
func End(doc BatchDoc, state BatchState, outcome string, now time.Time) ([]table.Op, error) {
	b := doc.Value
	b.State, b.Outcome, b.Ended = state, outcome, now
	put, err := table.NewDoc(endedKey(b.Location, b.ID), b).Save()
	if err != nil {
		return nil, err
	}
	return []table.Op{doc.Remove(), put}, nil
}
