package world

import (
	"context"
	"time"
)

// Clock tells and passes time.
type Clock interface {
	// Now is the current time, in UTC.
	Now() time.Time
	// Sleep returns after d, or with ctx's error when ctx ends first. A d of zero or less returns at once.
	Sleep(ctx context.Context, d time.Duration) error
}

// Rand is a source of randomness. Real worlds use a cryptographic one, because ids and secrets come from it.
type Rand interface {
	// Read fills p entirely. It never fails.
	Read(p []byte)
}

// Runner runs the tasks 0 … n-1, at most width at a time, and returns when all that were started have ended.
// After the first error no further task is started, the context given to the others is canceled, and that error is
// returned. A test's runner runs them one at a time in an order that its seed decides.
type Runner interface {
	Run(ctx context.Context, width, n int, task func(ctx context.Context, i int) error) error
}

// World is passed to whatever needs more than one of its parts.
type World struct {
	Clock
	Rand
	Runner
}
