package grant

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
)

// crowd is a school of so many people whose batches are of one person, one at a time: the others have to wait their turn.
func crowd(t *testing.T, people, titles int) *school {
	t.Helper()
	s := newSchool(t, people, titles)
	s.granter.Limits.MaxClientUserIDs, s.granter.Pace.MaxOpen = 1, 1
	return s
}

// gives has Apple list what the newest request asked for, and looks at its batch.
func (s *school) gives() {
	s.Helper()
	n := len(s.apple.sent) - 1
	s.apple.list(n, nil)
	pairs := len(s.apple.sent[n].Assets) * len(s.apple.sent[n].ClientUserIDs)
	s.apple.event = finished(pairs, pairs)
	s.settle()
}

func (s *school) left() int {
	s.Helper()
	doc, err := s.granter.backlog(s.Context())
	s.must(err)
	return doc.Value.left()
}

func (s *school) marked(subject string) bool {
	s.Helper()
	marks, err := mark.Read(s.Context(), s.store.ReadStore, uid)
	s.must(err)
	return slices.ContainsFunc(marks, func(m mark.Mark) bool { return m.Kind == mark.Grants && m.Subject == subject })
}

// looks counts how often everybody who has a title, or waits for it, is read while something is done.
func (s *school) looks(do func()) (n int) {
	s.Helper()
	s.engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
		if c.Kind == mem.Query && strings.HasPrefix(c.Range.Part, "title#") && strings.HasSuffix(c.Range.Part, "#0") {
			n++
		}
		return nil
	}})
	do()
	s.engine.SetFaults(mem.Faults{})
	return n
}

func TestABatchThatGaveAllIsFollowedByTheNextWithoutAnotherLook(t *testing.T) {
	s := crowd(t, 5, 2)
	if n := s.looks(s.spend); n != 2 {
		t.Fatalf("%d looks at titles, want one at each", n)
	}
	n := s.looks(func() {
		for range s.people {
			s.cleared()
			s.gives()
			if !s.marked(mark.SubjectNext) || s.marked(mark.SubjectAll) {
				t.Fatal("the end of the batch doesn't mark that the backlog goes on, and no more")
			}
			s.next()
		}
	})
	if n != 0 || s.left() != 0 {
		t.Errorf("%d looks and %d turns left, want neither", n, s.left())
	}
	s.sentOnce("turn by turn")
}

func TestATurnIsDecidedAnewWhenItComes(t *testing.T) {
	for name, test := range map[string]struct {
		change func(s *school, person string)
		looked bool // whether everything has to be looked at: somebody has to be told why they wait
		sent   int
	}{
		"nothing has changed": {func(*school, string) {}, false, 2},
		"the assignment has gone": {func(s *school, _ string) {
			_, err := s.assigner.Replace(s.Context(), s.books[0], nil, "rita")
			s.must(err)
		}, true, 1},
		"it is another assignment for the same group": {func(s *school, _ string) {
			for _, asks := range [][]assign.Ask{nil, {{GroupID: s.group, Intent: assign.Required}}} {
				s.clock.Advance(time.Second)
				_, err := s.assigner.Replace(s.Context(), s.books[0], asks, "otto")
				s.must(err)
			}
		}, true, 1},
		"Apple lists it for them": {func(s *school, person string) {
			row := apple.Assignment{AssetKey: s.books[0].Asset, ClientUserID: s.idOf(person)}
			a := license.Applier{Store: s.store, World: s.clock.World()}
			_, err := a.Add(s.Context(), license.Source{Location: uid, People: map[string]string{row.ClientUserID: person}},
				[]apple.Assignment{row})
			s.must(err)
		}, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := crowd(t, 2, 1)
			s.spend()
			s.gives()
			s.cleared()
			turns, err := s.granter.turns(t.Context(), backlogOf(s), 1)
			s.must(err)
			test.change(s, turns[0].People[0])
			s.cleared()
			s.next()
			if len(s.apple.sent) != test.sent || s.marked(mark.SubjectAll) != test.looked || s.left() != 0 {
				t.Errorf("%d requests, everything is looked at: %v, %d turns left", len(s.apple.sent), s.marked(mark.SubjectAll), s.left())
			}
		})
	}
}

func backlogOf(s *school) backlog {
	s.Helper()
	doc, err := s.granter.backlog(s.Context())
	s.must(err)
	return doc.Value
}

func TestALookAtOneBookLeavesTheTurnsOfTheOthers(t *testing.T) {
	s := crowd(t, 3, 2)
	s.spend()
	_, err := s.assigner.Replace(t.Context(), s.books[0], nil, "rita")
	s.must(err)
	n := s.looks(func() { s.must(s.granter.Spend(t.Context(), []string{mark.SubjectBook(s.books[0].ID)})) })
	turns, err := s.granter.turns(t.Context(), backlogOf(s), 9)
	s.must(err)
	if n != 1 || len(turns) != 2 {
		t.Fatalf("%d looks, turns %+v; want one look, and both people", n, turns)
	}
	for _, one := range turns {
		if !slices.Equal(one.Titles, []apple.AssetKey{s.books[1].Asset}) {
			t.Errorf("the turn of %v is for %v", one.People, one.Titles)
		}
	}
}

// While Apple's limits shrink: what was to be one request is several, of which there is room for some.
func TestATurnOfWhichARequestHadNoRoomComesAgain(t *testing.T) {
	s := newSchool(t, 6, 1)
	s.granter.Pace.MaxOpen = 2
	s.granter.Until = start // the look keeps what it has found, and nothing is given
	s.spend()
	s.granter.Until = start.Add(time.Hour)
	s.granter.Limits.MaxClientUserIDs = 2
	s.next()
	if len(s.apple.sent) != 2 || s.left() != 1 {
		t.Fatalf("%d requests and %d turns left, want two, and the turn", len(s.apple.sent), s.left())
	}
	s.apple.list(0, nil)
	s.apple.list(1, nil)
	s.apple.event = finished(2, 2)
	s.settle()
	s.cleared()
	s.next()
	if s.left() != 0 || s.marked(mark.SubjectAll) {
		t.Errorf("%d turns left; everything is looked at: %v; want neither", s.left(), s.marked(mark.SubjectAll))
	}
	s.sentOnce("after the limits had shrunk")
}

func TestAnOldBacklogIsNotReliedOn(t *testing.T) {
	s := crowd(t, 3, 1)
	s.spend()
	s.clock.Advance(backlogFor)
	s.gives()
	if n := s.looks(s.next); n != 0 {
		t.Errorf("%d looks after %s, want none", n, backlogFor)
	}
	s.clock.Advance(time.Second)
	s.gives()
	if n := s.looks(s.next); n != 1 {
		t.Errorf("%d looks later than that, want one", n)
	}
	s.sentOnce("in the end")
}

// A worker stands still after its look, and another one looks, gives and goes on meanwhile: what the first one found is
// read by nobody.
func TestWhatASlowerWorkerHasFoundIsNotGiven(t *testing.T) {
	s := crowd(t, 4, 1)
	slow := false
	s.engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
		if c.Kind != mem.PutMany || slow || !ofBacklog(c) {
			return nil
		}
		slow = true
		s.cleared()
		s.spend()
		return nil
	}})
	s.spend()
	if !slow || !s.marked(mark.SubjectAll) || len(s.apple.sent) != 1 || s.left() != 3 {
		t.Fatalf("came between: %v, marked: %v, %d requests, %d turns left; want everything looked at again",
			slow, s.marked(mark.SubjectAll), len(s.apple.sent), s.left())
	}
	for range 4 {
		s.gives()
		s.next()
	}
	s.sentOnce("in the end")
}

// Turns are stored in bulk and kept for a while only: one may be missing.
func TestATurnThatIsMissingHasEverythingLookedAt(t *testing.T) {
	s := crowd(t, 2, 1)
	s.spend()
	s.gives()
	s.cleared()
	b := backlogOf(s)
	s.must(s.store.DeleteAll(t.Context(), s.granter.turnKey(b, b.Next)))
	s.next()
	if !s.marked(mark.SubjectAll) || s.left() != 0 {
		t.Errorf("marked: %v, %d turns left", s.marked(mark.SubjectAll), s.left())
	}
	s.spend()
	s.sentOnce("after another look")
}

func TestTurnsThatAreOverAreRemoved(t *testing.T) {
	s := crowd(t, 3, 1)
	s.spend()
	s.spend() // another look
	for range 3 {
		s.gives()
		s.next()
	}
	var items []string
	for _, item := range s.engine.Snapshot() {
		if strings.HasPrefix(item.Key.Part, "backlog#") {
			items = append(items, item.Key.Sort)
		}
	}
	if fmt.Sprint(items) != "[head]" {
		t.Errorf("of the backlog there is left: %v", items)
	}
}

func ofBacklog(c mem.Call) bool {
	return slices.ContainsFunc(c.Keys, func(k table.Key) bool { return strings.HasPrefix(k.Part, "backlog#") })
}

// Law 2 in short: whoever dies at any write, and whatever of it happened, nothing is sent twice and nobody is forgotten.
func TestAWorkerMayDieAtAnyWriteOfTheBacklog(t *testing.T) {
	for _, happened := range []bool{false, true} {
		for n := 1; ; n++ {
			s := crowd(t, 3, 2)
			writes, died := 0, false
			dies := func(c mem.Call) error {
				if died || c.Write == 0 || !ofBacklog(c) {
					return nil
				}
				if writes++; writes == n {
					died = true
					return fmt.Errorf("the worker dies at write %d", n)
				}
				return nil
			}
			s.engine.SetFaults(mem.Faults{Before: dies})
			if happened {
				s.engine.SetFaults(mem.Faults{After: dies})
			}
			for range 8 {
				err := s.granter.Spend(t.Context(), []string{mark.SubjectNext})
				if err == nil && (s.marked(mark.SubjectAll) || len(s.apple.sent) == 0) {
					s.cleared()
					err = s.granter.Spend(t.Context(), []string{mark.SubjectAll})
				}
				if err != nil && !died {
					t.Fatal(err)
				}
				if len(s.open()) > 0 {
					s.gives()
				}
			}
			s.sentOnce(fmt.Sprintf("died at write %d, which happened: %v", n, happened))
			if !died {
				break // there are no more writes
			}
		}
	}
}
