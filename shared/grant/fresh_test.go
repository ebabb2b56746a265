package grant

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
)

// Each batch takes 40 s to reserve: two of them are too much for one reading of the counts.
func TestASlowTableHasCountsReadAgainInsteadOfBatchesPreparedInVain(t *testing.T) {
	s := newSchool(t, 30, 1)
	s.granter.Limits.MaxClientUserIDs = 10
	batches := map[string]bool{}
	s.engine.SetFaults(mem.Faults{After: func(c mem.Call) error {
		for _, op := range c.Ops {
			if strings.HasPrefix(op.Item.Key.Part, "batches#") {
				batches[op.Item.Key.Sort] = true
			}
			if strings.HasPrefix(op.Item.Key.Part, "title#") {
				s.clock.Advance(4 * time.Second)
			}
		}
		return nil
	}})
	s.spend()
	if len(s.apple.sent) != 3 || len(batches) != 3 || len(s.open()) != 3 {
		t.Errorf("%d batches were sent, %d written and %d are open; want 3 of each", len(s.apple.sent), len(batches), len(s.open()))
	}
}

func TestBatchesUnderWayTogetherShareTheDelta(t *testing.T) {
	s := newSchool(t, 20, 1)
	s.granter.Limits.MaxClientUserIDs = 10
	s.granter.State.AssignmentsVersion = "v0"
	s.spend()
	if len(s.open()) != 2 {
		t.Fatalf("%d batches, want 2", len(s.open()))
	}
	s.apple.event = finished(10, 10)
	s.apple.list(0, nil)
	s.apple.list(1, nil)
	s.settle()
	if !slices.Equal(s.apple.since, []string{"v0", "v"}) || s.granter.State.AssignmentsSeen != "v" {
		t.Errorf("the listing was read since %q, and is known up to %q; want v0, then v", s.apple.since, s.granter.State.AssignmentsSeen)
	}
}

func TestWhileASyncIsUnderWayEachBatchReadsItsOwnDelta(t *testing.T) {
	s := newSchool(t, 20, 1)
	s.granter.Limits.MaxClientUserIDs = 10
	*s.granter.State = token.Sync{AssignmentsVersion: "v0", Run: []byte(`{}`)}
	s.spend()
	s.apple.event = finished(10, 10)
	s.apple.list(0, nil)
	s.apple.list(1, nil)
	s.settle()
	if !slices.Equal(s.apple.since, []string{"v0", "v0"}) || s.granter.State.AssignmentsSeen != "" {
		t.Errorf("the listing was read since %q, and is known up to %q; want v0 twice", s.apple.since, s.granter.State.AssignmentsSeen)
	}
}

func TestWhoHasAskedStandsInTheLineSinceThen(t *testing.T) {
	s := newSchool(t, 1, 1)
	d := s.draft()
	asked := start.Add(-time.Hour)
	for at, p := range d.pairs {
		p.license.Value.Asked = asked
		d.pairs[at] = p
	}
	doc, err := s.granter.prepare(t.Context(), d)
	s.must(err)
	had, err := s.granter.reserve(t.Context(), doc.Value, d)
	s.must(err)
	if l := s.license(0, 0); len(had) != 1 || !l.Asked.Equal(asked) {
		t.Errorf("reserved for %v, asked %s; want it asked %s", had, l.Asked, asked)
	}
}

func TestAPairThatWasChangedSinceTheDecisionIsNotReserved(t *testing.T) {
	s := newSchool(t, 2, 1)
	d := s.draft()
	other := s.license(0, 0).Lapse("left", s.clock.Now())
	stored, err := license.Load(t.Context(), s.store.ReadStore, s.books[0].Asset.AdamID, s.people[0])
	s.must(err)
	stored.Value = other
	op, err := license.Save(stored)
	s.must(err)
	s.commit(op)
	doc, err := s.granter.prepare(t.Context(), d)
	s.must(err)
	had, err := s.granter.reserve(t.Context(), doc.Value, d)
	s.must(err)
	if !slices.Equal(had, s.people[1:]) {
		t.Errorf("reserved for %v, want it for the other person only", had)
	}
}

// A book has gone since the last sync: moved to another location, or refunded whole. It must not be tried for ever, nor keep
// what else the person is to get.
func TestABookThatAppleNoLongerListsIsNotTriedForEver(t *testing.T) {
	for name, unlimited := range map[string]bool{"some licenses": false, "unlimited": true} {
		t.Run(name, func(t *testing.T) {
			s := newSchool(t, 2, 2)
			if unlimited {
				s.books[0].Total = apple.Unlimited
				s.must(book.Store(t.Context(), s.store, book.Doc{Value: s.books[0]}))
			}
			delete(s.apple.stock, s.books[0].Asset)
			s.work()
			marks, err := mark.Read(t.Context(), s.store.ReadStore, uid)
			s.must(err)
			syncs := slices.ContainsFunc(marks, func(m mark.Mark) bool { return m.Kind == mark.Sync })
			if got := s.states(); got["waiting noStock"] != 2 || got["reserved"] != 2 || !syncs {
				t.Errorf("states %v, a sync is marked: %v; want the other book given, and a sync", got, syncs)
			}
		})
	}
}

func TestStockThatComesWhileOthersAreGivenServesTheLine(t *testing.T) {
	s := crowd(t, 3, 1)
	s.apple.stock[s.books[0].Asset] = 2
	s.books[0].Available = 2
	s.must(bookStore(s))
	s.counts()
	s.work()
	if got := s.states(); got["waiting noStock"] != 1 {
		t.Fatalf("states %v", got)
	}
	s.apple.stock[s.books[0].Asset]++ // somebody buys one more
	s.apple.total++
	for range 3 {
		s.gives()
		s.clock.Advance(3 * s.granter.Pace.Poll)
		s.work()
	}
	s.sentOnce("without a sync")
}
