package license

import "sync"

// departures are batches that nobody can take a pair out of any more: they may have been sent, or have ended. No batch
// comes back from there, so that each is looked at once, however many of its pairs Apple lists: a batch of a thousand
// people is a large item.
type departures struct {
	mu    sync.Mutex
	known map[[2]string]bool // by location and batch
}

func newDepartures() *departures { return &departures{known: make(map[[2]string]bool)} }

func (d *departures) has(l License) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known[[2]string{l.Location, l.Batch}]
}

func (d *departures) add(l License) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known[[2]string{l.Location, l.Batch}] = true
}
