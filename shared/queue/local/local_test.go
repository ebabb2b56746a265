package local_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
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
	seen  []string // "location at time since start", from handlers that run one at a time
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

func (s *scene) record(location string) error {
	s.seen = append(s.seen, fmt.Sprintf("%s at %v", location, time.Since(s.start)))
	return nil
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

func (s *scene) want(lines ...string) {
	s.t.Helper()
	if !slices.Equal(s.seen, lines) {
		s.t.Errorf("got %q, want %q", s.seen, lines)
	}
}

func TestWakesOfOneLocationAreOneAtTheEarliestTime(t *testing.T) {
	inScene(t, 4, (*scene).record, func(s *scene) {
		s.wake("a", 3*time.Minute)
		s.wake("a", time.Minute)
		s.wake("a", 2*time.Minute)
		s.pass(time.Hour)
		s.want("a at 1m0s")
	})
}

func TestAWakeIsDeliveredAtItsTime(t *testing.T) {
	inScene(t, 4, (*scene).record, func(s *scene) {
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
	inScene(t, 4, (*scene).record, func(s *scene) {
		s.wake("a", 24*time.Hour)
		s.pass(48 * time.Hour)
		s.want("a at " + queue.MaxDelay.String())
	})
}

func TestALocationRunsOnceAtATimeAndOnceMoreForWakesMeanwhile(t *testing.T) {
	slow := func(s *scene, location string) error {
		s.seen = append(s.seen, "begin "+location)
		time.Sleep(time.Minute)
		s.seen = append(s.seen, "end "+location)
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
		s.want("begin a", "end a", "begin a", "end a")
	})
}

func TestNoMoreThanWidthLocationsRunAtOnceAndTheLongestDueGoesFirst(t *testing.T) {
	slow := func(s *scene, location string) error {
		err := s.record(location)
		time.Sleep(time.Minute)
		return err
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
	var running, most int
	slow := func(*scene, string) error {
		running++ // the bubble's steps are a second apart: no two handlers come here at once
		most = max(most, running)
		time.Sleep(time.Minute)
		running--
		return nil
	}
	inScene(t, 3, slow, func(s *scene) {
		for _, location := range []string{"a", "b", "c", "d", "e"} {
			s.wake(location, 0)
			s.pass(time.Second)
		}
		s.pass(time.Hour)
	})
	if most != 3 || running != 0 {
		t.Errorf("%d at once, %d left", most, running)
	}
}

func TestAFailedWakeIsDeliveredAgainAfterPausesUpToAMinute(t *testing.T) {
	fail := func(s *scene, location string) error {
		if err := s.record(location); err != nil || len(s.seen) > 8 {
			return err
		}
		return errors.New("made-up trouble")
	}
	inScene(t, 4, fail, func(s *scene) {
		s.wake("a", 0)
		s.pass(time.Hour)
		s.want("a at 0s", "a at 1s", "a at 3s", "a at 7s", "a at 15s", "a at 31s", "a at 1m3s", "a at 2m3s", "a at 3m3s")
		if !strings.Contains(s.log.String(), "made-up trouble") || !strings.Contains(s.log.String(), "location=a") {
			t.Errorf("log: %s", s.log.String())
		}
		s.seen = nil
		s.wake("a", 0)
		s.pass(time.Second)
		if len(s.seen) != 2 {
			t.Errorf("after a success the pauses begin anew: %q", s.seen)
		}
	})
}

func TestAWakeDuringAFailingRunWaitsForThePauseAndALaterOneDoesNot(t *testing.T) {
	fail := func(s *scene, location string) error {
		err := s.record(location)
		time.Sleep(10 * time.Second)
		if len(s.seen) == 1 {
			return errors.New("made-up trouble")
		}
		return err
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
