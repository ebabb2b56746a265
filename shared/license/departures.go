package license

import (
	"context"
	"errors"
	"sync"

	"github.com/bookplate/bookplate/shared/table"
)

// departures remembers batches that nobody can take a pair out of any more: they may have been sent, or have ended. No
// batch comes back from there, so that each is looked at once, however many of its pairs Apple lists: a batch of a thousand
// people is a large item.
type departures struct {
	mu    sync.Mutex
	known map[[2]string]*BatchDoc // by location and batch; nil: it has ended
}

func newDepartures() *departures { return &departures{known: make(map[[2]string]*BatchDoc)} }

// look returns the batch that a license names, and whether it is open.
func (d *departures) look(ctx context.Context, store *table.ReadStore, l License) (batch BatchDoc, open bool, err error) {
	at := [2]string{l.Location, l.Batch}
	d.mu.Lock()
	defer d.mu.Unlock()
	if doc, ok := d.known[at]; ok {
		if doc == nil {
			return BatchDoc{}, false, nil
		}
		return *doc, true, nil
	}
	batch, err = OpenBatch(ctx, store, l.Location, l.Batch)
	switch {
	case errors.Is(err, table.ErrAbsent):
		d.known[at] = nil
		return BatchDoc{}, false, nil
	case err != nil:
		return BatchDoc{}, false, err
	case batch.Value.MayHaveSpent():
		d.known[at] = &batch
	}
	return batch, true, nil
}
