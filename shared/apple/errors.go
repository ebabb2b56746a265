package apple

import (
	"errors"
	"fmt"
	"time"
)

// Error is Apple's refusal, by number. Apple's texts change; the numbers don't.
type Error struct {
	Number     int
	Status     int // HTTP status; Apple answers errors as 200 too
	Message    string
	Info       ErrorInfo
	RetryAfter time.Duration // zero when Apple doesn't say
}

func (e *Error) Error() string {
	return fmt.Sprintf("Apple refused with error %d: %s", e.Number, e.Message)
}

// Errors of a Location that aren't Apple's refusals.
var (
	// ErrNotSent: the write was not started: nothing happened at Apple.
	ErrNotSent = errors.New("the request was not sent")
	// ErrUnknownOutcome: the write was sent and no answer, or none that we understand, came back: it may have happened.
	ErrUnknownOutcome = errors.New("it is not known whether Apple has acted on the request")
	// ErrUnavailable: Apple could not be reached, or answered nonsense, also when asked again.
	ErrUnavailable = errors.New("Apple's service can't be reached")
)

// OwnerError says that another device management service manages the location (design law 4).
type OwnerError struct{ Owner MDMInfo }

func (e *OwnerError) Error() string {
	return fmt.Sprintf("the location is managed by %q (%s)", e.Owner.Name, e.Owner.ID)
}

// UnclaimedError says that an answer named no owner although we had claimed the location.
type UnclaimedError struct{}

func (*UnclaimedError) Error() string { return "the location no longer names us as its owner" }

// LocationError says that the token opens another location than the one it was opened for.
type LocationError struct{ Want, Got string }

func (e *LocationError) Error() string {
	return fmt.Sprintf("the token opens location %s instead of %s", e.Got, e.Want)
}
