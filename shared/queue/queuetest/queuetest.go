package queuetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/queue"
	"github.com/bookplate/bookplate/shared/world"
)

// Engine is a queue with its delivering half: Run calls the handler until ctx ends and all handlers have ended.
type Engine interface {
	queue.Queue
	Run(ctx context.Context, handler queue.Handler)
}

// delay is how far ahead a later wake is: engines count in seconds.
const delay = 2 * time.Second

// patience is how long the suite waits for a delivery before it gives up. A service may take its time to deliver again
// what a handler failed.
const patience = 90 * time.Second

// Run runs the suite. open returns an engine on which nothing else is delivered, and the clock it goes by; a virtual
// one makes the suite instant.
func Run(t *testing.T, open func(t *testing.T) (Engine, world.Clock)) {
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) {
			engine, clock := open(t)
			l.check(&bench{T: t, engine: engine, clock: clock, deliveries: make(chan delivery, 1000)})
		})
	}
}

type law struct {
	name  string
	check func(b *bench)
}

// bench is what a law is tested on.
type bench struct {
	*testing.T
	engine     Engine
	clock      world.Clock
	deliveries chan delivery
}

type delivery struct {
	location string
	at       time.Time
}

var laws = []law{
	{"a wake for now is delivered with its location", func(b *bench) {
		b.serve(b.record)
		location := b.location()
		b.wake(location, b.clock.Now())
		b.await(location)
	}},
	{"the past means now", func(b *bench) {
		b.serve(b.record)
		location := b.location()
		b.wake(location, b.clock.Now().Add(-24*time.Hour))
		b.wake(location, time.Time{})
		b.await(location)
	}},
	{"a wake for later isn't early", func(b *bench) {
		b.serve(b.record)
		location, due := b.location(), b.clock.Now().Add(delay)
		b.wake(location, due)
		if got := b.await(location); got.at.Before(due) {
			b.Errorf("delivered %v early", due.Sub(got.at))
		}
	}},
	{"a wake put off beyond MaxDelay is taken", func(b *bench) {
		b.serve(b.record)
		b.wake(b.location(), b.clock.Now().Add(100*queue.MaxDelay))
	}},
	{"a wake taken before anybody serves is delivered", func(b *bench) {
		location := b.location()
		b.wake(location, b.clock.Now())
		b.serve(b.record)
		b.await(location)
	}},
	{"every location is delivered", func(b *bench) {
		b.serve(b.record)
		missing := map[string]bool{}
		for range 20 {
			location := b.location()
			missing[location] = true
			b.wake(location, b.clock.Now())
		}
		for len(missing) > 0 {
			delete(missing, b.next().location)
		}
	}},
	{"repeated wakes are delivered at least once", func(b *bench) {
		b.serve(b.record)
		location := b.location()
		for range 5 {
			b.wake(location, b.clock.Now())
		}
		b.await(location)
	}},
	{"a wake that comes while the handler runs is delivered by itself", func(b *bench) {
		entered, leave := make(chan struct{}, 1000), make(chan struct{})
		b.serve(func(ctx context.Context, location string) error {
			entered <- struct{}{}
			select {
			case <-leave:
			case <-ctx.Done():
			}
			return b.record(ctx, location)
		})
		location := b.location()
		b.wake(location, b.clock.Now())
		b.receive(entered)
		b.wake(location, b.clock.Now())
		close(leave)
		b.await(location)
		b.await(location)
	}},
	{"a failed handler is called again", func(b *bench) {
		failures := make(chan struct{}, 2)
		b.serve(func(ctx context.Context, location string) error {
			select {
			case failures <- struct{}{}:
				return errors.New("made-up trouble")
			default:
				return b.record(ctx, location)
			}
		})
		location := b.location()
		b.wake(location, b.clock.Now())
		b.await(location)
	}},
	{"a wake whose context has ended is an error", func(b *bench) {
		ended, cancel := context.WithCancel(b.Context())
		cancel()
		if err := b.engine.Wake(ended, b.location(), b.clock.Now()); !errors.Is(err, context.Canceled) {
			b.Errorf("got %v", err)
		}
	}},
}

// serve delivers to the handler until the law ends.
func (b *bench) serve(handler queue.Handler) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.engine.Run(ctx, handler)
	}()
	b.Cleanup(func() {
		cancel()
		<-ended
	})
}

func (b *bench) record(_ context.Context, location string) error {
	b.deliveries <- delivery{location, b.clock.Now()}
	return nil
}

// location is one that no other law uses: a service may still deliver what an earlier law woke.
func (b *bench) location() string { return world.NewID(world.Real()) }

func (b *bench) wake(location string, notBefore time.Time) {
	b.Helper()
	if err := b.engine.Wake(b.Context(), location, notBefore); err != nil {
		b.Fatal(err)
	}
}

// await returns the next delivery to the location.
func (b *bench) await(location string) delivery {
	b.Helper()
	for {
		if d := b.next(); d.location == location {
			return d
		}
	}
}

func (b *bench) next() delivery {
	b.Helper()
	return within(b, b.deliveries)
}

func (b *bench) receive(from chan struct{}) {
	b.Helper()
	within(b, from)
}

func within[T any](b *bench, from chan T) T {
	b.Helper()
	var got T
	select {
	case got = <-from:
	case <-time.After(patience):
		b.Fatalf("nothing came within %v", patience)
	}
	return got
}
