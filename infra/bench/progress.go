package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/bookplate/bookplate/shared/world"
)

// progress says how far long work is, now and then. It is safe for concurrent use.
type progress struct {
	out   io.Writer
	clock world.Clock
	every time.Duration
	began time.Time

	mu   sync.Mutex
	next time.Time
}

func newProgress(out io.Writer, clock world.Clock) *progress {
	now := clock.Now()
	return &progress{out: out, clock: clock, every: 5 * time.Second, began: now, next: now}
}

// say says it, unless something was said a moment ago.
func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	if now.Before(p.next) {
		return
	}
	p.next = now.Add(p.every)
	fmt.Fprintf(p.out, "  %4.0f s  %s\n", now.Sub(p.began).Seconds(), fmt.Sprintf(format, args...))
}
