package queue

import (
	"context"
	"time"
)

// MaxDelay is the furthest a wake may be put off (SQS keeps a message back for 15 minutes at the most). What is due
// later is left to the sweep, which looks at every location's marks.
const MaxDelay = 15 * time.Minute

// Queue takes wakes. Safe for concurrent use.
type Queue interface {
	// Wake asks that the location's worker be run at notBefore (the past means now) or soon after. A notBefore more
	// than MaxDelay ahead is cut to MaxDelay: the worker finds nothing due and that is all.
	Wake(ctx context.Context, location string, notBefore time.Time) error
}

// Handler is the worker: it does what is due at the location. An error means that the wake is to be delivered again
// after a pause; a handler must be able to run twice at once for one location.
type Handler func(ctx context.Context, location string) error
