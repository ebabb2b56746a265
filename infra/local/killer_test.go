package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// killer kills a program at random moments and starts it again at once, as often as each phase of the job asks for.
type killer struct {
	t      *testing.T
	chance *rand.Rand
	victim *program
	giveUp func()        // ends the test's waiting
	now    chan struct{} // holds one order to strike at once

	mu    sync.Mutex
	phase string
	left  int            // kills that are still to come in this phase, with those that earlier ones had no time for
	kills map[string]int // by phase
}

// The moments are spread as those of accidents are: exponentially.
const (
	meanLife  = 200 * time.Millisecond
	shortLife = 5 * time.Millisecond
	longLife  = 800 * time.Millisecond
)

// enter says which phase of the job begins, and how many kills it is to have.
func (k *killer) enter(phase string, kills int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.phase = phase
	k.left += kills
}

// strikeNow has the next kill come at once, also when there were enough.
func (k *killer) strikeNow() {
	select {
	case k.now <- struct{}{}:
	default:
	}
}

func (k *killer) hungry() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.left > 0
}

func (k *killer) strike() error {
	if !k.victim.kill() {
		return fmt.Errorf("%s had ended before it was killed", k.victim.name)
	}
	return k.victim.start()
}

// run kills until ctx ends, and leaves the program running.
func (k *killer) run(ctx context.Context) {
	for {
		life := pause
		if k.hungry() {
			life = min(shortLife+time.Duration(k.chance.ExpFloat64()*float64(meanLife)), longLife)
		}
		select {
		case <-ctx.Done():
			return
		case <-k.now:
		case <-time.After(life):
			if !k.hungry() {
				continue
			}
		}
		if err := k.strike(); err != nil {
			k.t.Error(err)
			k.giveUp()
			return
		}
		k.mu.Lock()
		k.left = max(k.left-1, 0)
		k.kills[k.phase]++
		k.mu.Unlock()
	}
}
