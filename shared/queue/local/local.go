package local

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/bookplate/bookplate/shared/queue"
	"github.com/bookplate/bookplate/shared/world"
)

// The pause after a location's handler failed: doubled each time it fails again, up to the longest.
const (
	firstPause   = time.Second
	longestPause = time.Minute
)

// Queue is a queue.Queue in memory. Wakes of one location are one wake, at the earliest of their times.
type Queue struct {
	clock world.Clock
	width int
	log   *slog.Logger

	mu      sync.Mutex
	places  map[string]*place
	running int
	changed chan struct{} // holds one signal: look again
}

// place is what is known of a location. A location of which there is nothing to know has none.
type place struct {
	due      time.Time // zero: no wake is waiting
	running  bool
	failures int // in a row
}

var _ queue.Queue = (*Queue)(nil)

// New returns an empty queue that delivers to width locations at a time, and to each of them one wake at a time.
// Wakes are taken from now on; Run delivers them.
func New(clock world.Clock, width int, log *slog.Logger) *Queue {
	return &Queue{
		clock: clock, width: max(width, 1), log: log, places: map[string]*place{}, changed: make(chan struct{}, 1),
	}
}

// Wake is the port's. A wake for a location whose handler runs is delivered after that.
func (q *Queue) Wake(ctx context.Context, location string, notBefore time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now := q.clock.Now()
	due := notBefore
	if due.Before(now) {
		due = now
	}
	if last := now.Add(queue.MaxDelay); due.After(last) {
		due = last
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	p := q.places[location]
	if p == nil {
		p = &place{}
		q.places[location] = p
	}
	if p.due.IsZero() || due.Before(p.due) {
		p.due = due
		q.lookAgain()
	}
	return nil
}

// Run delivers wakes to the handler until ctx ends, and returns when all handlers have ended. Handlers get ctx. What is
// pending then stays for another Run. Only one Run at a time.
func (q *Queue) Run(ctx context.Context, handler queue.Handler) {
	var handlers sync.WaitGroup
	defer handlers.Wait()
	for ctx.Err() == nil {
		location, next := q.take(q.clock.Now())
		if location != "" {
			handlers.Go(func() { q.deliver(ctx, location, handler) })
			continue
		}
		q.rest(ctx, next)
	}
}

// take marks the location that is due longest as running and returns it, or else the time at which the next one is
// due; zero when only a change can tell.
func (q *Queue) take(now time.Time) (location string, next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running == q.width {
		return "", time.Time{}
	}
	for name, p := range q.places {
		if p.running || p.due.IsZero() {
			continue
		}
		if next.IsZero() || p.due.Before(next) || p.due.Equal(next) && name < location {
			location, next = name, p.due
		}
	}
	if location == "" || next.After(now) {
		return "", next
	}
	p := q.places[location]
	p.due, p.running = time.Time{}, true
	q.running++
	return location, next
}

func (q *Queue) deliver(ctx context.Context, location string, handler queue.Handler) {
	err := handler(ctx, location)
	pause := q.settle(location, err != nil)
	if err != nil && ctx.Err() == nil {
		q.log.WarnContext(ctx, "a wake failed and will be delivered again",
			"location", location, "error", err, "pause", pause)
	}
}

// settle records that the location's handler has ended. After a failure its wake, and any that came meanwhile, waits
// for the pause; one that comes later doesn't.
func (q *Queue) settle(location string, failed bool) (pause time.Duration) {
	now := q.clock.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	p := q.places[location]
	p.running = false
	q.running--
	if failed {
		pause = min(firstPause<<min(p.failures, 10), longestPause)
		p.failures++
		p.due = now.Add(pause)
	} else {
		p.failures = 0
		if p.due.IsZero() {
			delete(q.places, location)
		}
	}
	q.lookAgain()
	return pause
}

// rest waits until the time, a zero one never coming, or a change, or the end of ctx.
func (q *Queue) rest(ctx context.Context, until time.Time) {
	if until.IsZero() {
		select {
		case <-ctx.Done():
		case <-q.changed:
		}
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-ctx.Done():
		case <-q.changed:
			cancel()
		}
	})
	_ = q.clock.Sleep(ctx, until.Sub(q.clock.Now())) // however it ends, Run looks again
	cancel()
	watch.Wait()
}

func (q *Queue) lookAgain() {
	select {
	case q.changed <- struct{}{}:
	default:
	}
}
