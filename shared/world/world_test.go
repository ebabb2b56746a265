package world_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bookplate/bookplate/shared/world"
)

var start = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)

var errTask = errors.New("made up")

// both are the worlds that must keep the contract alike.
func both() map[string]world.World {
	return map[string]world.World{"real": world.Real(), "virtual": world.NewVirtual(1, start).World()}
}

func TestARunnerRunsEveryTaskOnce(t *testing.T) {
	for name, w := range both() {
		for _, width := range []int{-1, 0, 1, 3, 100} {
			for _, n := range []int{0, 1, 2, 50} {
				var mu sync.Mutex
				var ran []int
				err := w.Run(t.Context(), width, n, func(_ context.Context, i int) error {
					mu.Lock()
					defer mu.Unlock()
					ran = append(ran, i)
					return nil
				})
				slices.Sort(ran)
				if err != nil || len(ran) != n || len(slices.Compact(ran)) != n {
					t.Errorf("%s, width %d: ran %v with error %v, want 0 to %d", name, width, ran, err, n-1)
				}
			}
		}
	}
}

func TestARunnerReturnsTheFirstErrorAndStartsNothingAfterIt(t *testing.T) {
	for name, w := range both() {
		var started atomic.Int64
		err := w.Run(t.Context(), 1, 1000, func(context.Context, int) error {
			if started.Add(1) == 3 {
				return errTask
			}
			return nil
		})
		if !errors.Is(err, errTask) {
			t.Errorf("%s: error %v, want the task's", name, err)
		}
		if started.Load() != 3 {
			t.Errorf("%s: %d tasks started, want the 3 up to the error", name, started.Load())
		}
	}
}

func TestARunnerStartsNothingForAnEndedContext(t *testing.T) {
	for name, w := range both() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := w.Run(ctx, 4, 10, func(context.Context, int) error {
			t.Errorf("%s: a task was started", name)
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want the context's", name, err)
		}
	}
}

func TestTheRealRunnerKeepsItsWidthAndUsesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		err := world.Real().Run(t.Context(), 3, 12, func(ctx context.Context, _ int) error {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer now.Add(-1)
			return world.Real().Sleep(ctx, time.Second)
		})
		if err != nil || most.Load() != 3 {
			t.Errorf("%d at once with error %v, want 3", most.Load(), err)
		}
	})
}

func TestTheRealRunnerCancelsTheOthersAndWaitsForThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended atomic.Int64
		err := world.Real().Run(t.Context(), 5, 5, func(ctx context.Context, i int) error {
			defer ended.Add(1)
			if i == 0 {
				return errTask
			}
			return world.Real().Sleep(ctx, time.Hour)
		})
		if !errors.Is(err, errTask) || ended.Load() != 5 {
			t.Errorf("error %v after %d tasks had ended, want the first error after all 5", err, ended.Load())
		}
	})
}

func TestTheRealClockSleepsUntilTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := world.Real()
		began := clock.Now()
		if err := clock.Sleep(t.Context(), 5*time.Second); err != nil || clock.Now().Sub(began) != 5*time.Second {
			t.Errorf("slept %s with error %v, want 5 s", clock.Now().Sub(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = clock.Now()
		if err := clock.Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) || clock.Now().Sub(began) != time.Second {
			t.Errorf("slept %s with error %v, want 1 s and the context's error", clock.Now().Sub(began), err)
		}
	})
}

func TestNoSleepIsNoSleep(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, w := range both() {
		for _, d := range []time.Duration{0, -time.Hour} {
			if err := w.Sleep(t.Context(), d); err != nil {
				t.Errorf("%s: sleeping %s: %v", name, d, err)
			}
			if err := w.Sleep(ended, d); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: sleeping %s in an ended context: error %v, want the context's", name, d, err)
			}
		}
	}
}

func TestTimeIsUTC(t *testing.T) {
	elsewhere := world.NewVirtual(1, start.In(time.FixedZone("elsewhere", 7200)))
	for name, clock := range map[string]world.Clock{"real": world.Real(), "virtual": elsewhere} {
		if zone := clock.Now().Location(); zone != time.UTC {
			t.Errorf("%s: the clock shows %s", name, zone)
		}
	}
}

func TestVirtualTimePassesOnlyWhileSomebodySleepsAndNeverGoesBack(t *testing.T) {
	v := world.NewVirtual(1, start)
	for _, step := range []struct{ sleep, want time.Duration }{
		{0, 0},
		{time.Minute, time.Minute},
		{-time.Hour, time.Minute},
		{time.Hour, time.Hour + time.Minute},
	} {
		if err := v.Sleep(t.Context(), step.sleep); err != nil {
			t.Fatal(err)
		}
		if got := v.Now().Sub(start); got != step.want {
			t.Errorf("after sleeping %s the clock shows %s, want %s", step.sleep, got, step.want)
		}
	}
}

// trace is what a run takes from its world: an order, ids and numbers.
func trace(t *testing.T, seed uint64) string {
	t.Helper()
	v := world.NewVirtual(seed, start)
	var out string
	err := v.Run(t.Context(), 4, 20, func(_ context.Context, i int) error {
		out += fmt.Sprint(i, world.NewID(v), v.IntN(1000), " ")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOneSeedGivesOneTrace(t *testing.T) {
	if a, b := trace(t, 7), trace(t, 7); a != b {
		t.Errorf("seed 7 gave two traces:\n%s\n%s", a, b)
	}
	if trace(t, 7) == trace(t, 8) {
		t.Error("two seeds gave the same trace")
	}
}

func TestAVirtualRunnerTriesManyOrders(t *testing.T) {
	v := world.NewVirtual(1, start)
	orders := map[string]bool{}
	for range 200 {
		var order string
		_ = v.Run(t.Context(), 1, 3, func(_ context.Context, i int) error {
			order += fmt.Sprint(i)
			return nil
		})
		orders[order] = true
	}
	if len(orders) != 6 {
		t.Errorf("200 runs of 3 tasks had %d orders, want all 6", len(orders))
	}
}

func TestIDsAreFreshUUIDsOfVersion4(t *testing.T) {
	for name, w := range both() {
		seen := map[string]bool{}
		for range 1000 {
			id := world.NewID(w)
			if len(id) != 36 || id[14] != '4' || !slices.Contains([]byte("89ab"), id[19]) || seen[id] {
				t.Fatalf("%s: bad or repeated id %q", name, id)
			}
			seen[id] = true
		}
	}
}

func TestOrderedIDsAreUUIDsOfVersion7ThatSortByTime(t *testing.T) {
	v := world.NewVirtual(1, start)
	w := v.World()
	if id := world.NewOrderedID(w); !strings.HasPrefix(id, "01bdbfe6-7c00-7") { // RFC 9562: milliseconds since 1970
		t.Errorf("the time isn't in %q", id)
	}
	seen, last := map[string]bool{}, ""
	for range 1000 {
		v.Advance(time.Millisecond)
		id := world.NewOrderedID(w)
		if len(id) != 36 || id[14] != '7' || !slices.Contains([]byte("89ab"), id[19]) || id <= last {
			t.Fatalf("bad id %q after %q", id, last)
		}
		last = id
	}
	for range 1000 {
		id := world.NewOrderedID(w)
		if seen[id] || id[:13] != last[:13] {
			t.Fatalf("bad or repeated id %q in the millisecond of %q", id, last)
		}
		seen[id] = true
	}
}
