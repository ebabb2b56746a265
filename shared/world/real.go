package world

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

// Real is the world outside: the machine's clock, its random source, and goroutines.
func Real() World { return World{Clock: realClock{}, Rand: realRand{}, Runner: realRunner{}} }

type realClock struct{}

func (realClock) Now() time.Time { return time.Now().UTC() }

func (realClock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

type realRand struct{}

// Read can't fail: crypto/rand ends the program rather than return weak bytes.
func (realRand) Read(p []byte) { _, _ = rand.Read(p) }

type realRunner struct{}

func (realRunner) Run(ctx context.Context, width, n int, task func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, max(width, 1))
	var wait sync.WaitGroup
	for i := range n {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wait.Go(func() {
			defer func() { <-slots }()
			if err := task(ctx, i); err != nil {
				cancel(err) // the first cause stays
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}
