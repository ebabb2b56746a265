package stage_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/stage"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
)

// The main job of the crash tests is nine batches, which is more than may be under way at once.
const (
	crashPeople = 30
	crashTitles = 5
	crashLanes  = 4 // that act the scene side by side, each with its share of the deaths
)

func newCrashSchool(t *testing.T) *school {
	t.Helper()
	limits := applefake.DocumentedLimits()
	limits.MaxAssets, limits.MaxClientUserIDs = 2, 10
	s := newSchool(t, crashPeople, crashTitles, func(o *stage.Options) { o.Apple.Limits = &limits })
	must(t, s.Install(context.Background()))
	must(t, s.Rest(context.Background()))
	return s
}

// long says that the run may take its time: BOOKPLATE_LONG=1, which .ci/full sets.
func long() bool { return os.Getenv("BOOKPLATE_LONG") != "" && !raceDetector }

// stride is how many of what is chosen are left out between two: none, unless the run is to be short, or the race detector
// makes it ten times longer.
func stride(t *testing.T) int {
	t.Helper()
	if testing.Short() || raceDetector {
		t.Log("only every 17th is tried (-short or -race); a plain run tries them all")
		return 17
	}
	return 1
}

// TestNoDeathSpendsTwice ends the process suddenly at the moments of the main job at which something has changed that
// outlives it: after a write to the table, and after a request that changes something at Apple. Dying just before the next
// of these leaves the same behind, so these are all deaths there are. Each time a new process goes on from what was left,
// and in the end everybody has every title exactly once.
//
// The scene repeats itself: of its 580 moments, 450 are a license's next state, one for each reader and title. A plain run
// dies at all other moments, and of each of those three kinds at the first two, the last and every sixteenth. With
// BOOKPLATE_LONG=1 it dies at every single one.
func TestNoDeathSpendsTwice(t *testing.T) {
	var moments []string
	newCrashSchool(t).actMainJob(t, func(_ *school, what string) { moments = append(moments, what) })
	if len(moments) < 300 {
		t.Fatalf("the scene has %d moments: it is too short to prove anything", len(moments))
	}
	chosen := choose(moments)
	every := stride(t)
	var deaths [crashLanes]int
	t.Run("lanes", func(t *testing.T) {
		for lane := range crashLanes {
			t.Run(fmt.Sprint(lane), func(t *testing.T) {
				t.Parallel()
				n, nth := 0, 0
				newCrashSchool(t).actMainJob(t, func(s *school, what string) {
					if what != moments[n] {
						t.Fatalf("moment %d is %q, and was %q: the scene isn't the same twice", n, what, moments[n])
					}
					if chosen[n] {
						if nth%(crashLanes*every) == lane*every {
							s.fork(t, uint64(n)).goOn(t, fmt.Sprintf("death %d, after %s", n, what))
							deaths[lane]++
						}
						nth++
					}
					n++
				})
			})
		}
	})
	all := deaths[0] + deaths[1] + deaths[2] + deaths[3]
	t.Logf("%d deaths survived, of %d moments", all, len(moments))
	if all < len(chosen)/every {
		t.Errorf("only %d deaths happened, of %d", all, len(chosen)/every)
	}
}

// choose says at which moments to die.
func choose(moments []string) map[int]bool {
	const rare = 40 // times: of such a kind, no moment is left out
	of := map[string][]int{}
	for n, what := range moments {
		of[what] = append(of[what], n)
	}
	chosen := map[int]bool{}
	for _, all := range of {
		for i, n := range all {
			if long() || len(all) <= rare || i < 2 || i%16 == 0 || i == len(all)-1 {
				chosen[n] = true
			}
		}
	}
	return chosen
}

// actMainJob acts the main job once, and says when a process that dies leaves something new behind.
func (s *school) actMainJob(t *testing.T, moment func(s *school, what string)) {
	t.Helper()
	s.Table.SetFaults(mem.Faults{After: func(c mem.Call) error {
		if c.Write > 0 {
			moment(s, written(c))
		}
		return nil
	}})
	s.Wire = func(r *http.Request, apple http.RoundTripper) (*http.Response, error) {
		answer, err := apple.RoundTrip(r)
		if r.Method == http.MethodPost {
			moment(s, "POST "+r.URL.Path)
		}
		return answer, err
	}
	s.assign(t)
	must(t, s.Rest(context.Background()))
	s.checkAllGiven(t, "without a death")
}

// written is what kind of write a call was: the kinds of its items, and the states that they are in from then on.
func written(c mem.Call) string {
	kinds := map[string]bool{}
	for _, op := range c.Ops {
		var record struct{ State string }
		_ = json.Unmarshal(op.Item.Body, &record) // most have no state
		kinds[fmt.Sprint(kindOf(op.Item.Key), " ", [...]string{"put", "delete", "check"}[op.Kind], " ", record.State)] = true
	}
	for _, key := range c.Keys {
		kinds[kindOf(key)] = true
	}
	return fmt.Sprint(c.Kind, " ", slices.Sorted(maps.Keys(kinds)))
}

// kindOf is what docs/data-model.md has a line for. Of the sort key it is what names a kind and no subject.
func kindOf(key table.Key) string {
	kind, _, _ := strings.Cut(key.Part, "#")
	switch sub, _, _ := strings.Cut(key.Sort, "#"); kind {
	case "marks", "batches", "location":
		return kind + "/" + sub
	}
	return kind
}

// fork is the school as the sudden death of its process leaves it.
func (s *school) fork(t *testing.T, n uint64) *school {
	t.Helper()
	f, err := s.Fork(1<<32 + n)
	must(t, err)
	return &school{Stage: f, people: s.people, group: s.group, titles: s.titles}
}

// goOn is what a new process makes of what the old one left. The old one's wakes are lost, its lease runs out, and the
// administrator, who got no answer, asks again.
func (s *school) goOn(t *testing.T, when string) {
	t.Helper()
	ctx := context.Background()
	s.Clock.Advance(2 * time.Minute)
	if !s.tryToAssign(ctx) {
		t.Fatalf("%s: the assignment fails afterwards", when)
	}
	must(t, s.Sweep(ctx))
	must(t, s.Rest(ctx))
	s.checkAllGiven(t, when)
}

func (s *school) tryToAssign(ctx context.Context) bool {
	for _, adamID := range s.titles {
		if s.assignOne(ctx, adamID) != nil {
			return false
		}
	}
	return true
}

// TestNoOutageSpendsTwice is about slower ends: from some write or request on, everything fails, and the process lives on
// for a while with nothing but errors. Of these, few are tried: what they leave behind is what a sudden death leaves,
// unless the code does harm on its way out.
func TestNoOutageSpendsTwice(t *testing.T) {
	every := 23 * stride(t)
	if long() {
		every = 5
	}
	ready := newCrashSchool(t)
	for _, around := range []struct {
		name string
		arm  func(s *school, n int, happened bool) (reached func() bool)
	}{
		{"of the table", crashAtWrite},
		{"of everything", crashAtRequest},
	} {
		for _, happened := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, happened=%v", around.name, happened), func(t *testing.T) {
				t.Parallel()
				ctx := context.Background()
				outages := 0
				every := every
				if around.name == "of everything" { // requests are few
					every = min(every, 5)
				}
				for n, reached := 1, true; reached; n += every {
					s := ready.fork(t, uint64(n))
					over := around.arm(s, n, happened)
					s.tryToAssign(ctx)
					_ = s.Rest(ctx) // everything fails in here
					reached = over()
					outages++
					s.restart(t)
					s.goOn(t, fmt.Sprint("outage at ", n))
				}
				t.Logf("%d outages survived", outages-1)
				if outages < 3 {
					t.Errorf("only %d outages happened", outages-1)
				}
			})
		}
	}
}

// restart is a new process after the old one's end.
func (s *school) restart(t *testing.T) {
	t.Helper()
	s.Table.SetFaults(mem.Faults{})
	s.Wire = nil
	s.DropWakes()
	must(t, s.Boot())
}

func crashAtWrite(s *school, n int, happened bool) func() bool {
	faults, crashed := mem.Crash(n, happened)
	s.Table.SetFaults(faults)
	return crashed
}

var errDied = errors.New("the process died (a test's order)")

func crashAtRequest(s *school, n int, happened bool) func() bool {
	var count atomic.Int64
	dead := func() bool { return count.Load() >= int64(n) }
	s.Wire = func(r *http.Request, apple http.RoundTripper) (*http.Response, error) {
		if dead() {
			return nil, errDied
		}
		if count.Add(1) == int64(n) && !happened {
			s.Table.SetFaults(mem.Faults{Before: func(mem.Call) error { return mem.ErrCrashed }})
			return nil, errDied
		}
		answer, err := apple.RoundTrip(r)
		if dead() {
			s.Table.SetFaults(mem.Faults{Before: func(mem.Call) error { return mem.ErrCrashed }})
			return nil, errDied
		}
		return answer, err
	}
	return dead
}

// checkAllGiven checks the fake's own books, and that ours say the same (laws 1, 6 and 7).
func (s *school) checkAllGiven(t *testing.T, when string) {
	t.Helper()
	ledger := s.Site.Ledger()
	if want := len(s.people) * len(s.titles); len(ledger) != want {
		t.Fatalf("%s: Apple gave %d licenses, want %d", when, len(ledger), want)
	}
	if twice := s.Apple.DoubleSpends(); len(twice) > 0 {
		t.Fatalf("%s: spent twice: %v", when, twice)
	}
	for _, adamID := range s.titles {
		given := 0
		for doc, err := range license.OfTitle(context.Background(), s.Store.ReadStore, adamID) {
			must(t, err)
			l := doc.Value
			if l.State != license.Licensed || l.Cause == nil || l.Found || len(l.Rows) != 1 {
				t.Fatalf("%s: title %s of person %s isn't explained: %+v", when, adamID, l.PersonID, l)
			}
			given++
		}
		if given != len(s.people) {
			t.Fatalf("%s: the table has %d licenses of title %s, want %d", when, given, adamID, len(s.people))
		}
	}
	open, err := license.OpenBatches(context.Background(), s.Store.ReadStore, s.Site.UID())
	must(t, err)
	if len(open) > 0 {
		t.Fatalf("%s: %d batches are still open", when, len(open))
	}
}
