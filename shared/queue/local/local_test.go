package local_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bookplate/bookplate/shared/queue"
	"github.com/bookplate/bookplate/shared/queue/local"
	"github.com/bookplate/bookplate/shared/queue/queuetest"
	"github.com/bookplate/bookplate/shared/world"
)

func TestContract(t *testing.T) {
	queuetest.Run(t, func(*testing.T) (queuetest.Engine, world.Clock) {
		clock := world.NewVirtual(1, time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
		return local.New(clock, 4, slog.New(slog.DiscardHandler)), clock
	})
}

// scene runs a queue in a bubble, where time passes only when everybody waits.
type scene struct {
	*local.Queue
	t     *testing.T
	log   strings.Builder
	start time.Time

	mu   sync.Mutex
	seen []string // what handlers noted, in order
}

// inScene gives test a queue whose handler is handle, and ends it.
func inScene(t *testing.T, width int, handle func(s *scene, location string) error, test func(s *scene)) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t, start: time.Now()}
		s.Queue = local.New(world.Real(), width, slog.New(slog.NewTextHandler(&s.log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.Run(ctx, func(_ context.Context, location string) error { return handle(s, location) })
		}()
		test(s)
		cancel()
		<-ended
	})
}

// note returns how many notes there are.
func (s *scene) note(line string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, line)
	return len(s.seen)
}

// record notes where and when the handler was called.
func (s *scene) record(location string) int {
	return s.note(fmt.Sprintf("%s at %v", location, time.Since(s.start)))
}

func (s *scene) recordOnly(location string) error {
	s.record(location)
	return nil
}

// taken returns the notes and begins anew.
func (s *scene) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}

func (s *scene) wake(location string, after time.Duration) {
	s.t.Helper()
	if err := s.Wake(s.t.Context(), location, time.Now().Add(after)); err != nil {
		s.t.Fatal(err)
	}
}

// pass lets time pass and everybody do what they can.
func (s *scene) pass(d time.Duration) {
	time.Sleep(d) // of the bubble: returns at once
	synctest.Wait()
}

// want ends a passage: these are the notes since the last one.
func (s *scene) want(lines ...string) {
	s.t.Helper()
	if seen := s.taken(); !slices.Equal(seen, lines) {
		s.t.Errorf("got %q, want %q", seen, lines)
	}
}

func TestWakesOfOneLocationAreOneAtTheEarliestTime(t *testing.T) {
	inScene(t, 4, (*scene).recordOnly, func(s *scene) {
		s.wake("a", 3*time.Minute)
		s.wake("a", time.Minute)
		s.wake("a", 2*time.Minute)
		s.pass(time.Hour)
		s.want("a at 1m0s")
	})
}

func TestAWakeIsDeliveredAtItsTime(t *testing.T) {
	inScene(t, 4, (*scene).recordOnly, func(s *scene) {
		s.wake("late", 2*time.Minute)
		s.pass(time.Second)
		s.wake("now", -time.Hour)
		s.pass(0)
		s.wake("soon", 9*time.Second)
		s.pass(time.Hour)
		s.want("now at 1s", "soon at 10s", "late at 2m0s")
	})
}

func TestAWakeFurtherOffThanMaxDelayComesThen(t *testing.T) {
	inScene(t, 4, (*scene).recordOnly, func(s *scene) {
		s.wake("a", 24*time.Hour)
		s.pass(48 * time.Hour)
		s.want("a at " + queue.MaxDelay.String())
	})
}

func TestALocationRunsOnceAtATimeAndOnceMoreForWakesMeanwhile(t *testing.T) {
	slow := func(s *scene, location string) error {
		s.note("begin " + location)
		time.Sleep(time.Minute)
		s.note("end " + location)
		return nil
	}
	inScene(t, 4, slow, func(s *scene) {
		s.wake("a", 0)
		s.pass(time.Second)
		for range 3 {
			s.wake("a", 0)
			s.pass(time.Second)
		}
		s.want("begin a")
		s.pass(time.Hour)
		s.want("end a", "begin a", "end a")
	})
}

func TestNoMoreThanWidthLocationsRunAtOnceAndTheLongestDueGoesFirst(t *testing.T) {
	slow := func(s *scene, location string) error {
		s.record(location)
		time.Sleep(time.Minute)
		return nil
	}
	inScene(t, 1, slow, func(s *scene) {
		s.wake("a", 0)
		s.pass(time.Second)
		s.wake("c", 0)
		s.pass(time.Second)
		s.wake("b", 0)
		s.pass(time.Hour)
		s.want("a at 0s", "c at 1m0s", "b at 2m0s")
	})
}

func TestWidthLocationsRunAtOnce(t *testing.T) {
	var running, most atomic.Int32
	slow := func(*scene, string) error {
		if now := running.Add(1); now > most.Load() { // the wakes are a second apart: no two come here at once
			most.Store(now)
		}
		time.Sleep(time.Minute)
		running.Add(-1)
		return nil
	}
	inScene(t, 3, slow, func(s *scene) {
		for _, location := range []string{"a", "b", "c", "d", "e"} {
			s.wake(location, 0)
			s.pass(time.Second)
		}
		s.pass(time.Hour)
	})
	if most.Load() != 3 || running.Load() != 0 {
		t.Errorf("%d at once, %d left", most.Load(), running.Load())
	}
}

func TestAFailedWakeIsDeliveredAgainAfterPausesUpToAMinute(t *testing.T) {
	fail := func(s *scene, location string) error {
		if s.record(location) <= 8 {
			return errors.New("made-up trouble")
		}
		return nil
	}
	inScene(t, 4, fail, func(s *scene) {
		s.wake("a", 0)
		s.pass(time.Hour)
		s.want("a at 0s", "a at 1s", "a at 3s", "a at 7s", "a at 15s", "a at 31s", "a at 1m3s", "a at 2m3s", "a at 3m3s")
		if !strings.Contains(s.log.String(), "made-up trouble") || !strings.Contains(s.log.String(), "location=a") {
			t.Errorf("log: %s", s.log.String())
		}
		s.wake("a", 0) // it succeeded meanwhile: the pauses begin anew
		s.pass(time.Second)
		s.want("a at 1h0m0s", "a at 1h0m1s")
	})
}

func TestAWakeDuringAFailingRunWaitsForThePauseAndALaterOneDoesNot(t *testing.T) {
	fail := func(s *scene, location string) error {
		n := s.record(location)
		time.Sleep(10 * time.Second)
		if n == 1 {
			return errors.New("made-up trouble")
		}
		return nil
	}
	inScene(t, 4, fail, func(s *scene) {
		s.wake("a", 0)
		s.pass(5 * time.Second)
		s.wake("a", 0)
		s.pass(time.Hour)
		s.want("a at 0s", "a at 11s")
	})
	inScene(t, 4, fail, func(s *scene) {
		s.wake("a", 0)
		s.pass(10*time.Second + time.Millisecond)
		s.wake("a", 0)
		s.pass(time.Hour)
		s.want("a at 0s", "a at 10.001s")
	})
}

func TestRunEndsWhenTheLastHandlerHasAndAnotherRunGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := local.New(world.Real(), 1, slog.New(slog.DiscardHandler))
		for _, location := range []string{"a", "b"} {
			if err := q.Wake(t.Context(), location, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			q.Run(ctx, func(context.Context, string) error { time.Sleep(time.Minute); return nil })
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		select {
		case <-ended:
			t.Error("Run ended before its handler")
		default:
		}
		<-ended

		ctx, cancel = context.WithCancel(t.Context())
		q.Run(ctx, func(_ context.Context, location string) error {
			if location != "b" {
				t.Errorf("delivered %s", location)
			}
			cancel()
			return nil
		})
	})
}
