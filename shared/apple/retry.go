package apple

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/bookplate/bookplate/shared/world"
)

const (
	readTries     = 4
	firstBackoff  = 500 * time.Millisecond
	longestWait   = time.Minute // a request waits no longer, neither for its pace nor for Apple's Retry-After
	pagesInFlight = 5           // Apple: Using paginated endpoints
)

// retry repeats a read until it succeeds, fails for good, or has been tried often enough: then it is ErrUnavailable.
func (s *Service) retry(ctx context.Context, tries int, attempt func() *fault) error {
	for try := 1; ; try++ {
		f := attempt()
		switch {
		case f == nil:
			return nil
		case !f.again:
			return f.err
		case try >= tries, f.after > longestWait:
			return &UnavailableError{RetryAfter: f.after, Cause: f.err}
		}
		s.log.Debug("a read is repeated", "try", try, "error", f.err)
		if err := s.world.Sleep(ctx, max(f.after, backoff(s.world, try))); err != nil {
			return err
		}
	}
}

// backoff is a random wait of at most firstBackoff, doubled with each try ("full jitter").
func backoff(r world.Rand, try int) time.Duration {
	var b [8]byte
	r.Read(b[:])
	return time.Duration(binary.BigEndian.Uint64(b[:]) % uint64(firstBackoff<<(try-1)+1))
}

// read makes a call that may be repeated.
func (l *Location) read(ctx context.Context, c *call) (envelope, error) {
	var e envelope
	err := l.service.retry(ctx, readTries, func() (f *fault) {
		e, f = l.attempt(ctx, c)
		return f
	})
	return e, doing(c.doing, err)
}

// write makes a call that is never repeated once it was started.
func (l *Location) write(ctx context.Context, c *call) (envelope, error) {
	e, f := l.attempt(ctx, c)
	if f != nil && f.verdict == notSent && isUnsure(f.err) {
		// Law 4: read the configuration again, or stop. The gate has refused the call, so it was never started.
		if _, err := l.ClientConfig(ctx); err != nil {
			return envelope{}, doing(c.doing, fmt.Errorf("%w: %w", ErrNotSent, err))
		}
		e, f = l.attempt(ctx, c)
	}
	if f == nil {
		return e, nil
	}
	return e, doing(c.doing, f.ofWrite())
}

// isUnsure says that the location may be ours no longer, and that its configuration tells.
func isUnsure(err error) bool {
	_, unclaimed := errors.AsType[*UnclaimedError](err)
	return unclaimed || errors.Is(err, errStale)
}

// ofWrite is a write's error. It matches *Error only if Apple refused for good: whoever asks for that first must not
// mistake a throttled or a lost request for a refused one.
func (f *fault) ofWrite() error {
	cause := f.err
	if _, ok := errors.AsType[*Error](cause); ok && f.verdict != refused {
		cause = &UnavailableError{RetryAfter: f.after, Cause: errors.New(cause.Error())}
	}
	switch f.verdict {
	case notSent:
		return fmt.Errorf("%w: %w", ErrNotSent, cause)
	case refused:
		return cause
	default:
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, cause)
	}
}

// doing says what was being done when err came up.
func doing(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
