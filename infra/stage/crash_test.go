package stage_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table/mem"
)

const (
	crashPeople = 30
	crashTitles = 5
)

// TestNoCrashSpendsTwice ends the process around every single write to the table and every request to Apple of the main
// job, in both kinds: ahead of it, and right after it happened. A new process then goes on, and in the end everybody has
// every title exactly once.
func TestNoCrashSpendsTwice(t *testing.T) {
	for _, around := range []struct {
		name string
		arm  func(s *school, n int, happened bool) (reached func() bool)
	}{
		{"table write", crashAtWrite},
		{"request", crashAtRequest},
	} {
		for _, happened := range []bool{false, true} {
			name := fmt.Sprintf("%s, happened=%v", around.name, happened)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				n := 1
				for ; crashScene(t, n, happened, around.arm); n++ {
				}
				t.Logf("%d crashes survived", n-1)
				if n < 20 {
					t.Errorf("only %d crashes happened: the scene is too short to prove anything", n-1)
				}
			})
		}
	}
}

// crashScene acts the main job with a crash at the n-th occasion, and says whether it came to that.
func crashScene(t *testing.T, n int, happened bool, arm func(*school, int, bool) func() bool) bool {
	t.Helper()
	ctx := context.Background()
	s := newSchool(t, crashPeople, crashTitles, nil)
	_, err := s.Install(ctx)
	must(t, err)
	must(t, s.Rest(ctx))

	reached := arm(s, n, happened)
	s.tryToAssign(ctx)
	_ = s.Rest(ctx) // the process may die in here
	crashed := reached()
	s.restart(t)
	if !s.tryToAssign(ctx) { // the administrator, who got no answer, asks again
		t.Fatalf("crash %d: the assignment fails after the restart", n)
	}
	must(t, s.Sweep(ctx))
	must(t, s.Rest(ctx))
	s.checkAllGiven(t, fmt.Sprintf("crash at %d", n))
	return crashed
}

func (s *school) tryToAssign(ctx context.Context) bool {
	for _, adamID := range s.titles {
		if s.assignOne(ctx, adamID) != nil {
			return false
		}
	}
	return true
}

// restart is a new process after the old one's death: wakes are lost, and the lease runs out.
func (s *school) restart(t *testing.T) {
	t.Helper()
	s.Table.SetFaults(mem.Faults{})
	s.Wire = nil
	s.DropWakes()
	s.Clock.Advance(2 * time.Minute)
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

