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

// Errors of a Location that aren't Apple's refusals. A write's error matches exactly one of ErrNotSent, *Error (Apple
// refused: nothing was queued) and ErrUnknownOutcome; what else it matches only explains it. A read's error is an *Error,
// ErrUnavailable (which may wrap the *Error that didn't go away), or the context's. Either may match *OwnerError or
// *LocationError.
var (
	// ErrNotSent: the write was not started: nothing happened at Apple.
	ErrNotSent = errors.New("the request was not sent")
	// ErrUnknownOutcome: the write was sent and no answer, or none that we understand, came back: it may have happened.
	ErrUnknownOutcome = errors.New("it is not known whether Apple has acted on the request")
	// ErrUnavailable: Apple could not be reached, or answered nonsense, also when asked again.
	ErrUnavailable = errors.New("no usable answer came from Apple's service")
)

// UnavailableError is ErrUnavailable with what is known about it.
type UnavailableError struct {
	RetryAfter time.Duration // how long Apple wants to be left alone; zero when it doesn't say
	Cause      error
}

func (e *UnavailableError) Error() string { return ErrUnavailable.Error() + ": " + e.Cause.Error() }

// Is makes errors.Is(err, ErrUnavailable) true.
func (*UnavailableError) Is(target error) bool { return target == ErrUnavailable }

func (e *UnavailableError) Unwrap() error { return e.Cause }

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

// Numbers that the domain acts upon. All others are for people, through Remedy.
const (
	NumberExpired     = 9621 // the token has expired
	NumberNoUser      = 9609 // no registered user of that clientUserId
	NumberForeignUser = 9635 // the Apple Account is unknown or of another organization
	NumberLinkedUser  = 9641 // the Apple Account is linked to another user
	NumberPage        = 9650 // the page index is out of range
	NumberNoEvent     = 9708 // the event is unknown, or too old
	NumberNoStock     = 9709 // not enough licenses
	NumberUserExists  = 9716 // an active user of that clientUserId exists
	NumberVersion     = 9721 // the version id can't be used any more
)

// IsNumber says that err is Apple's refusal with that number.
func IsNumber(err error, number int) bool {
	var e *Error
	return errors.As(err, &e) && e.Number == number
}
