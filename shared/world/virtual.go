package world

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Virtual is a world for tests and simulations: time stands still except while somebody sleeps, and one seed decides
// all randomness and the order of concurrent tasks. It is safe for use by several goroutines, but only a single
// goroutine gives the same trace twice.
type Virtual struct {
	mu   sync.Mutex
	now  time.Time
	rand *rand.Rand
}

// NewVirtual returns a virtual world whose clock shows start.
func NewVirtual(seed uint64, start time.Time) *Virtual {
	return &Virtual{now: start.UTC(), rand: rand.New(rand.NewPCG(seed, 0x626f6f6b))}
}

// World is v as the domain takes it.
func (v *Virtual) World() World { return World{Clock: v, Rand: v, Runner: v} }

// Now is the virtual time.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// Sleep moves the clock forward by d and returns at once.
func (v *Virtual) Sleep(ctx context.Context, d time.Duration) error {
	v.Advance(d)
	return ctx.Err()
}

// Advance moves the clock forward by d; it never goes back.
func (v *Virtual) Advance(d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = v.now.Add(max(d, 0))
}

// Read fills p from the seed.
func (v *Virtual) Read(p []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range p {
		p[i] = byte(v.rand.Uint64())
	}
}

// IntN returns a number from 0 to n-1 from the seed.
func (v *Virtual) IntN(n int) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.rand.IntN(n)
}

// Run runs the tasks one after another in an order that the seed decides.
func (v *Virtual) Run(ctx context.Context, _, n int, task func(context.Context, int) error) error {
	v.mu.Lock()
	order := v.rand.Perm(n)
	v.mu.Unlock()
	for _, i := range order {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := task(ctx, i); err != nil {
			return err
		}
	}
	return nil
}
