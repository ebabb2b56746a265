package applefake

import (
	"net/http"
	"strconv"
	"time"
)

// bucket is a location's allowance of requests: it fills at the rate and holds at most the burst.
type bucket struct {
	filled bool
	level  float64
	at     time.Time
}

func (b *bucket) take(now time.Time, rate, burst int) bool {
	if rate < 0 {
		return true
	}
	if rate == 0 {
		rate = 15 // documented
	}
	if burst <= 0 {
		burst = rate
	}
	if !b.filled {
		b.filled, b.level, b.at = true, float64(burst), now
	}
	// A thousandth more than the rate: a client that keeps to it in whole nanoseconds must not be refused for rounding.
	filling := max(now.Sub(b.at), 0).Seconds() * float64(rate) * 1.001
	b.level, b.at = min(b.level+filling, float64(burst)), now
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}

// retryAfter sets the header of an answer 429 if the switch says so.
func (s *Server) retryAfter(header http.Header) {
	switch s.options.RetryAfter {
	case RetryAfterNone:
	case RetryAfterSeconds:
		header.Set("Retry-After", strconv.Itoa(1))
	case RetryAfterDate:
		// A date has whole seconds only: two, so that at least one has passed.
		header.Set("Retry-After", s.options.Clock.Now().Add(2*time.Second).UTC().Format(http.TimeFormat))
	}
}
