package mem

import (
	"errors"
	"sync"
)

// ErrCrashed is what every call returns to a process that Crash has ended.
var ErrCrashed = errors.New("the process has crashed (a test's order)")

// Crash returns faults under which the process dies around its n-th write from now on, counted from 1: ahead of it, or,
// when happened, right after it. The write and every call after it, reads too, return ErrCrashed, until SetFaults. The
// second result tells whether it came to that: a crash test goes on to the next n until it says no.
//
//	for n := 1; ; n++ {
//		faults, crashed := mem.Crash(n, happened)
//		tbl.SetFaults(faults)
//		… do the work, ignore its error
//		tbl.SetFaults(mem.Faults{})
//		… do the work again with new domain objects, and check what must hold
//		if !crashed() { break }
//	}
func Crash(n int, happened bool) (f Faults, crashed func() bool) {
	c := &crash{n: n, happened: happened}
	return Faults{Before: c.before, After: c.after}, c.isDead
}

type crash struct {
	n        int
	happened bool

	mu     sync.Mutex
	first  int // the Write number of the first write seen
	isOver bool
}

func (c *crash) before(call Call) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == 0 {
		c.first = call.Write
	}
	if c.reached(call) && !c.happened {
		c.isOver = true
	}
	return c.verdict()
}

func (c *crash) after(call Call) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reached(call) {
		c.isOver = true
	}
	return c.verdict()
}

func (c *crash) reached(call Call) bool { return call.Write > 0 && call.Write-c.first+1 == c.n }

func (c *crash) verdict() error {
	if c.isOver {
		return ErrCrashed
	}
	return nil
}

func (c *crash) isDead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isOver
}
