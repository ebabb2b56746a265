package apple

import (
	"errors"
	"sync"
	"time"
)

// pacer spreads the starts of a location's requests evenly, without bursts: Apple counts all requests of a location,
// other processes' too, and doesn't say over which span. It never sleeps itself, so it holds no lock while others wait.
type pacer struct {
	mu   sync.Mutex
	next time.Time // no request starts before
}

var errHeld = errors.New("as Apple has asked, nothing is sent for longer than a request waits")

// reserve takes the next start and returns how long to wait for it. If that is longer than longestWait, it takes none.
func (p *pacer) reserve(now time.Time, perSecond int) (time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	start := p.next
	if start.Before(now) {
		start = now
	}
	wait := start.Sub(now)
	if wait > longestWait {
		return 0, &UnavailableError{RetryAfter: wait, Cause: errHeld}
	}
	n := time.Duration(max(perSecond, 1))
	p.next = start.Add((time.Second + n - 1) / n)
	return wait, nil
}

// hold lets nothing start before a moment (Apple's Retry-After).
func (p *pacer) hold(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.Before(until) {
		p.next = until
	}
}
