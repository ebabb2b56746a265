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
	"github.com/bookplate/bookplate/shared/reader"
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
		looked bool // whether everything has to be looked at: others may get what these don't, or are to be told why they wait
		sent   int
	}{
		"nothing has changed": {func(*school, string) {}, false, 2},
		"the assignment has gone": {func(s *school, _ string) {
			_, err := s.assigner.Replace(s.Context(), s.books[0], nil, "rita")
			s.must(err)
		}, true, 1},
		"it is another assignment for the same group": {func(s *school, _ string) {
			for _, asks := range [][]assign.Ask{nil, {{GroupID: s.group, Intent: assign.Required}}} {
				_, err := s.assigner.Replace(s.Context(), s.books[0], asks, "otto")
				s.must(err)
			}
		}, true, 1},
		"somebody else has given it to them": {func(s *school, person string) {
			s.found(apple.Assignment{AssetKey: s.books[0].Asset, ClientUserID: s.idOf(person)}, person)
		}, true, 1},
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

// found applies a row of Apple's for a person of ours.
func (s *school) found(row apple.Assignment, person string) {
	s.Helper()
	a := license.Applier{Store: s.store, World: s.clock.World()}
	from := license.Source{Location: uid, People: map[string]string{row.ClientUserID: person}}
	_, err := a.Add(s.Context(), from, []apple.Assignment{row})
	s.must(err)
}

func backlogOf(s *school) backlog {
	s.Helper()
	doc, err := s.granter.backlog(s.Context())
	s.must(err)
	return doc.Value
}

func TestALookAtOneBookLeavesTheTurnsOfTheOthers(t *testing.T) {
	s := crowd(t, 4, 2)
	s.spend()
	s.gives()
	s.cleared()
	_, err := s.assigner.Replace(t.Context(), s.books[0], nil, "rita")
	s.must(err)
	n := s.looks(s.work)
	turns, err := s.granter.turns(t.Context(), backlogOf(s), 9)
	s.must(err)
	if n != 1 || len(turns) != 2 || len(s.apple.sent) != 2 {
		t.Fatalf("%d looks, turns %+v; want one look, one person given to, and two left", n, turns)
	}
	for _, one := range turns {
		if !slices.Equal(one.Titles, []apple.AssetKey{s.books[1].Asset}) {
			t.Errorf("the turn of %v is for %v", one.People, one.Titles)
		}
	}
}

// What it would find would have to wait for room, too; and many changes then share a look.
func TestWithoutRoomForABatchThereIsNoLook(t *testing.T) {
	s := crowd(t, 3, 1)
	s.spend()
	s.cleared()
	subject := mark.SubjectBook(s.books[0].ID)
	n := s.looks(func() { s.must(s.granter.Spend(t.Context(), []string{subject, mark.SubjectNext})) })
	if n != 0 || len(s.dueSubjects()) != 0 || !s.marked(subject) {
		t.Errorf("%d looks, due now: %v, marked for later: %v", n, s.dueSubjects(), s.marked(subject))
	}
}

// While Apple's limits shrink: what was to be one request is several, of which there is room for some.
func TestWhatOfATurnHasNoRoomComesNext(t *testing.T) {
	s := newSchool(t, 6, 1)
	s.granter.Pace.MaxOpen = 2
	s.granter.Until = start // the look keeps what it has found, and nothing is given
	s.spend()
	s.granter.Until = start.Add(time.Hour)
	s.granter.Limits.MaxClientUserIDs = 2
	s.next()
	if len(s.apple.sent) != 2 || s.left() != 1 {
		t.Fatalf("%d requests and %d turns left, want two, and one", len(s.apple.sent), s.left())
	}
	s.apple.list(0, nil)
	s.apple.list(1, nil)
	s.apple.event = finished(2, 2)
	s.settle()
	s.cleared()
	n := s.looks(s.next)
	if s.left() != 0 || s.marked(mark.SubjectAll) || n != 0 {
		t.Errorf("%d turns left; everything is looked at: %v; want neither", s.left(), s.marked(mark.SubjectAll))
	}
	s.sentOnce("after the limits had shrunk")
}

func TestAnOldBacklogIsNotReliedOn(t *testing.T) {
	for _, subjects := range [][]string{{mark.SubjectNext}, {mark.SubjectNext, mark.SubjectBook("of no matter")}} {
		s := crowd(t, 3, 1)
		s.spend()
		s.clock.Advance(backlogFor)
		s.gives()
		spend := func() { s.must(s.granter.Spend(t.Context(), subjects)) }
		if n := s.looks(spend); n != 0 {
			t.Errorf("%d looks after %s, want none", n, backlogFor)
		}
		s.clock.Advance(time.Second)
		s.gives()
		if n := s.looks(spend); n != 1 {
			t.Errorf("%d looks later than that, want one", n)
		}
		s.sentOnce("in the end")
	}
}

// Two books are looked at in turn, so that turns of both are always there.
func TestTheAgeOfABacklogIsThatOfItsOldestTurn(t *testing.T) {
	s := crowd(t, 9, 2)
	s.granter.Limits.MaxAssets = 1
	s.spend()
	for i := range 6 {
		s.clock.Advance(2 * time.Minute)
		s.gives()
		s.must(s.granter.Spend(t.Context(), []string{mark.SubjectBook(s.books[i%2].ID)}))
	}
	if age := s.clock.Now().Sub(backlogOf(s).Since); age != 2*time.Minute {
		t.Errorf("the age is %s, and no turn is older than two minutes", age)
	}
}

// A look takes a while. While it is at the second book, an administrator makes the first one available only.
func TestWishesThatChangeDuringALookAreNotThoseThatItSaw(t *testing.T) {
	for name, approvalAbove := range map[string]int{"nobody has asked": 0, "it may spend two": 2} {
		t.Run(name, func(t *testing.T) {
			s := newSchool(t, 6, 2)
			s.granter.Limits = apple.Limits{MaxAssets: 1, MaxClientUserIDs: 1}
			s.granter.Pace.MaxOpen = 12
			s.assigner.ApprovalAbove = approvalAbove
			changed := false
			s.engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
				if changed || c.Kind != mem.Query || !strings.HasPrefix(c.Range.Part, "title#"+s.books[1].Asset.AdamID) {
					return nil
				}
				changed = true
				_, err := s.assigner.Replace(t.Context(), s.books[0], []assign.Ask{{GroupID: s.group, Intent: assign.Available}}, "rita")
				s.must(err)
				return nil
			}})
			s.spend()
			for _, r := range s.apple.sent {
				if slices.Contains(r.Assets, s.books[0].Asset) {
					t.Errorf("%v are sent a book that they haven't asked for", r.ClientUserIDs)
				}
			}
			if len(s.apple.sent) != 6 || !changed {
				t.Errorf("%d requests, changed: %v; want the other book given", len(s.apple.sent), changed)
			}
		})
	}
}

func ofBacklog(c mem.Call) bool {
	return slices.ContainsFunc(c.Keys, func(k table.Key) bool { return strings.HasPrefix(k.Part, "backlog#") })
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

// Whoever dies at any write, and whatever of it happened, nothing is sent twice and nobody is forgotten.
func TestAWorkerMayDieAtAnyWrite(t *testing.T) {
	for _, happened := range []bool{false, true} {
		deaths := 0
		for n, reached := 1, true; reached; n++ {
			s := crowd(t, 3, 2)
			faults, died := mem.Crash(n, happened)
			s.engine.SetFaults(faults)
			if err := s.granter.Spend(t.Context(), []string{mark.SubjectAll}); err == nil && died() {
				t.Fatalf("the worker has survived its death at write %d", n)
			}
			s.engine.SetFaults(mem.Faults{})
			if reached = died(); reached {
				deaths++
			}
			for range 9 {
				s.clock.Advance(recoverAfter)
				for _, doc := range s.open() {
					for i := range s.apple.sent {
						s.apple.list(i, nil)
					}
					s.apple.event = finished(2, 2)
					s.must(s.granter.Settle(t.Context(), doc.Value.ID))
				}
				s.work()
			}
			s.sentOnce(fmt.Sprintf("died at write %d, which happened: %v", n, happened))
		}
		if deaths < 8 {
			t.Errorf("only %d deaths", deaths)
		}
	}
}

// Quinn and somebody whose turn is to come share an Apple Account. Apple's portal gives the title to Quinn.
func TestWhatIsFoundWhileABatchIsSettledHasEverythingLookedAtBeforeMoreIsGiven(t *testing.T) {
	s := crowd(t, 2, 1)
	var rows []apple.User
	for _, p := range s.people {
		rows = append(rows, apple.User{ClientUserID: s.idOf(p), Status: apple.UserAssociated, IDHash: "of " + p})
	}
	_, err := reader.Apply(t.Context(), s.store, uid, rows, start)
	s.must(err)
	s.work()
	turns, err := s.granter.turns(t.Context(), backlogOf(s), 1)
	s.must(err)
	const quinn = "99999999-9999-4999-8999-999999999999"
	_, _, err = s.granter.Readers.Ensure(t.Context(), []reader.Person{{ID: quinn}}, "")
	s.must(err)
	row := apple.User{ClientUserID: s.idOf(quinn), Status: apple.UserAssociated, IDHash: "of " + turns[0].People[0]}
	_, err = reader.Apply(t.Context(), s.store, uid, []apple.User{row}, start)
	s.must(err)
	s.apple.rows = append(s.apple.rows, apple.Assignment{AssetKey: s.books[0].Asset, ClientUserID: s.idOf(quinn)})
	s.gives()
	s.work()
	if got := s.states(); len(s.apple.sent) != 1 || got["refused ownedAsOther"] != 1 {
		t.Errorf("%d requests, states %v; want the account given the title once", len(s.apple.sent), got)
	}
}
