package problem

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of trouble it is, and with it the HTTP status.
type Kind int

// The kinds. Their HTTP statuses are Status's.
const (
	Internal         Kind = iota // 500: ours; the zero value, so that a forgotten kind is never blamed on the caller
	Invalid                      // 400: the request is wrong and stays wrong
	Unauthenticated              // 401: no caller, or one we can't believe
	Forbidden                    // 403: a caller without the right
	NotFound                     // 404
	MethodNotAllowed             // 405
	Conflict                     // 409: against what is stored, or owned by somebody else
	Gone                         // 410
	Precondition                 // 412: changed meanwhile
	TooLarge                     // 413
	UnsupportedMedia             // 415
	TooManyRequests              // 429
	Unavailable                  // 503: try again later
	Upstream                     // 502: Apple, or whom else we asked, refused or answered nonsense
	FailedDependency             // 424: not tried, because what it depends on has failed
)

// Status is the HTTP status of the kind.
func (k Kind) Status() int {
	statuses := [...]int{500, 400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 429, 503, 502, 424}
	return statuses[k]
}

// Error is a problem with all that an answer needs.
type Error struct {
	Kind Kind
	// Code is stable and for programs, e.g. "TokenExpired". Empty means the kind's usual one.
	Code string
	// Message says what is wrong and what to do about it, in whole sentences, without secrets.
	Message string
	// Target names the field at fault as the caller wrote it, e.g. "managedEBookAssignments[0].target". May be empty.
	Target string
	// RetryAfter is how long to wait, for TooManyRequests and Unavailable; zero when not known.
	RetryAfter time.Duration
	// Cause is for the log; callers don't see it.
	Cause error
}

func (e *Error) Error() string {
	text := e.Message
	if e.Target != "" {
		text = e.Target + ": " + text
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Cause }

// New returns a problem of the kind with a formatted message.
func New(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// At names the field at fault and returns e.
func (e *Error) At(target string) *Error {
	e.Target = target
	return e
}

// Because keeps the cause for the log and returns e.
func (e *Error) Because(cause error) *Error {
	e.Cause = cause
	return e
}

// As returns the problem in err's chain, if there is one.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// KindOf is the kind of the problem in err's chain; Internal for any other error.
func KindOf(err error) Kind {
	if e, ok := As(err); ok {
		return e.Kind
	}
	return Internal
}
