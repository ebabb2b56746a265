package grant

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/token"
)

// interrupted is Apple that lets something happen when its users are next read, and then lists the rows which that returns.
type interrupted struct {
	*scripted
	once func() []apple.User
}

func (i *interrupted) UserPages(
	_ context.Context, _ apple.UserQuery, _ int, visit func(apple.Page, []apple.User) error,
) error {
	var rows []apple.User
	if once := i.once; once != nil {
		i.once = nil
		rows = once()
	}
	return visit(apple.Page{VersionID: "v", Last: true}, rows)
}

// A worker stands still after its look, and another one looks and gives meanwhile: who comes first for the last license, and
// for what was approved, is what one look has found, not two.
func TestAWorkerThatWakesUpAfterItsLookGivesNothingOfIt(t *testing.T) {
	for name, limited := range map[string]bool{"the last license": false, "what was approved": true} {
		t.Run(name, func(t *testing.T) {
			s := newSchool(t, 2, 1)
			if limited {
				doc, err := assign.Load(t.Context(), s.store.ReadStore, s.books[0])
				s.must(err)
				doc.Value.List[0].Limit = 1
				op, err := doc.Save()
				s.must(err)
				s.commit(op)
			} else {
				s.apple.stock[s.books[0].Asset], s.books[0].Available = 1, 1
				s.must(bookStore(s))
			}
			other := s.granter
			other.State = &token.Sync{}
			s.granter.Readers.Apple = &interrupted{s.apple, func() []apple.User {
				s.clock.Advance(80 * time.Second)
				s.must(other.Spend(t.Context(), []string{mark.SubjectAll}))
				return nil
			}}
			s.spend()
			if n := len(s.sentPairs()); n != 1 {
				t.Errorf("%d pairs were sent, want one: %v", n, s.states())
			}
		})
	}
}

// Meanwhile who came first was disabled for a moment, so that the other worker gave what was approved to the next: each of the
// two looks is right, and together they give too much.
func TestTwoLooksTogetherGiveNoMoreThanWasApproved(t *testing.T) {
	s := newSchool(t, 2, 1)
	doc, err := assign.Load(t.Context(), s.store.ReadStore, s.books[0])
	s.must(err)
	doc.Value.List[0].Limit = 1
	op, err := doc.Save()
	s.must(err)
	s.commit(op)
	d := directory.New(s.store, s.clock.World(), quiet{})
	other := s.granter
	other.State = &token.Sync{}
	s.granter.Readers.Apple = &interrupted{s.apple, func() []apple.User {
		turns, err := s.granter.turns(t.Context(), backlogOf(s), 1)
		s.must(err)
		for _, active := range []bool{false, true} {
			_, err := d.ChangePerson(t.Context(), turns[0].People[0], "", func(p *directory.Person) error {
				p.Active = active
				return nil
			})
			s.must(err)
			if !active {
				s.must(other.Spend(t.Context(), []string{mark.SubjectAll}))
			}
		}
		return nil
	}}
	s.spend()
	if n := len(s.sentPairs()); n != 1 {
		t.Errorf("%d licenses were sent, and one is approved", n)
	}
}

// Nothing is noted of those who are found to be given, and of the others that they wait: they must not come first for that.
func TestWhoWasFoundFirstIsNotOvertakenByWhoWasToldToWait(t *testing.T) {
	s := crowd(t, 6, 1)
	s.apple.stock[s.books[0].Asset], s.books[0].Available = 3, 3
	s.must(bookStore(s))
	s.counts()
	s.work()
	var order []string
	turns, err := s.granter.turns(t.Context(), backlogOf(s), 9)
	s.must(err)
	for _, one := range turns {
		order = append(order, one.People...)
	}
	for range 2 {
		s.clock.Advance(time.Minute)
		s.gives()
		s.must(s.granter.Spend(t.Context(), []string{mark.SubjectAll}))
	}
	for _, id := range order {
		if l := s.license(0, slices.Index(s.people, id)); l.State != license.Reserved && l.State != license.Licensed {
			t.Errorf("%s, who was next, is %s %s", id, l.State, l.Reason)
		}
	}
	if len(order) != 2 {
		t.Errorf("%d had to wait their turn, want 2", len(order))
	}
}

// While everything is looked at, somebody accepts an invitation: the look has read them before.
func TestWhoAcceptsDuringALookIsLookedAtLater(t *testing.T) {
	s := newSchool(t, 2, 1)
	late := s.idOf(s.people[1])
	_, err := reader.Apply(t.Context(), s.store, uid, []apple.User{{ClientUserID: late, Status: apple.UserRegistered}}, start)
	s.must(err)
	s.cleared()
	s.clock.Advance(time.Minute) // the look that this was told for is due
	s.granter.Readers.Apple = &interrupted{s.apple, func() []apple.User {
		return []apple.User{{ClientUserID: late, Status: apple.UserAssociated}}
	}}
	marks, err := mark.Read(t.Context(), s.store.ReadStore, uid)
	s.must(err)
	s.must(s.granter.Spend(t.Context(), s.dueSubjects()))
	for _, m := range marks { // as the location's worker does afterwards
		if !m.Due.After(s.clock.Now()) {
			_, err := s.store.Commit(t.Context(), m.Done())
			if err != nil && !license.IsConflict(err) {
				t.Fatal(err)
			}
		}
	}
	s.clock.Advance(time.Minute)
	s.work()
	s.sentOnce("a minute later")
}
