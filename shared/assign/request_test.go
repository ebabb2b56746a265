package assign_test

import (
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
)

func (s *school) request(person, by string) (assign.Request, bool, error) {
	s.Helper()
	p, err := s.directory.PersonEvenDeleted(s.Context(), person)
	s.must(err)
	return s.assigner.Request(s.Context(), s.book, p, by)
}

func TestAnAvailableWishCoversThoseWhoHaveAsked(t *testing.T) {
	s := newSchool(t)
	anna, ben := s.person("anna"), s.person("ben")
	s.associate(anna, ben)
	s.replace(available(s.group(anna, ben)))
	if lines, _ := s.survey(); len(lines) != 0 {
		t.Fatalf("before anybody has asked: %s", names(lines))
	}
	if _, fresh, err := s.request(ben, "anna's teacher"); err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	if m := s.marks(); m["grants#book:"+s.book.ID] != 0 || m["readers#all"] != 0 || len(m) < 2 {
		t.Errorf("marks %v", m)
	}
	lines, _ := s.survey()
	if names(lines) != "ben:give " {
		t.Fatalf("decided: %s", names(lines))
	}
	if c := lines[0].Cause(s.book.ID); c.Intent != "available" || c.Requester != "anna's teacher" || c.GroupID == "" {
		t.Errorf("cause %+v", c)
	}
	people, err := s.surveyor.Covered(t.Context(), here)
	if err != nil || len(people) != 1 || people[0].ID != ben {
		t.Errorf("Apple has to know %v, %v", people, err)
	}
}

func TestTheSameRequestTwiceIsOne(t *testing.T) {
	s := newSchool(t)
	anna := s.person("anna")
	s.replace(available(s.group(anna)))
	first, fresh, err := s.request(anna, "anna")
	s.must(err)
	s.clock.Advance(time.Hour)
	second, again, err := s.request(anna, "tom")
	if err != nil || !fresh || again || first != second {
		t.Errorf("%+v (%t), then %+v (%t), %v", first, fresh, second, again, err)
	}
	if lines, _ := s.survey(); len(lines) != 1 {
		t.Errorf("decided: %s", names(lines))
	}
}

func TestRequestsAreServedInTheOrderInWhichTheyCame(t *testing.T) {
	s := newSchool(t)
	anna, ben, cleo := s.person("anna"), s.person("ben"), s.person("cleo")
	s.associate(anna, ben, cleo)
	s.replace(available(s.group(anna, ben, cleo)))
	for _, p := range []string{cleo, anna, ben} {
		_, _, err := s.request(p, "x")
		s.must(err)
		s.clock.Advance(time.Second)
	}
	if lines, _ := s.survey(); names(lines) != "cleo:give anna:give ben:give " {
		t.Errorf("decided: %s", names(lines))
	}
}

func TestARequestThatNoWishCoversIsRefused(t *testing.T) {
	s := newSchool(t)
	anna, ben := s.person("anna"), s.person("ben")
	gone := s.person("gone", func(p *directory.Person) { p.Active = false })
	deleted := s.group(ben)
	s.replace(available(s.group(anna, gone)), required(deleted))
	s.must(s.directory.DeleteGroup(t.Context(), deleted, ""))
	_, _, err := s.request(ben, "ben")
	wantProblem(t, err, "NotOffered", "book")
	_, _, err = s.request(gone, "gone")
	wantProblem(t, err, "PersonInactive", "person")
	list, _, err := assign.RequestsFor(t.Context(), s.store.ReadStore, s.book.ID, 10, "")
	if err != nil || len(list) != 0 {
		t.Errorf("stored: %v, %v", list, err)
	}
}

// What was asked for stays asked for: a wish that comes back answers it.
func TestARequestSpendsOnlyWhileAWishCoversIt(t *testing.T) {
	s := newSchool(t)
	anna := s.person("anna")
	s.associate(anna)
	g := s.group(anna)
	s.replace(available(g))
	_, _, err := s.request(anna, "anna")
	s.must(err)
	s.replace()
	if lines, _ := s.survey(); len(lines) != 0 {
		t.Errorf("without a wish: %s", names(lines))
	}
	s.replace(available(g))
	if lines, _ := s.survey(); names(lines) != "anna:give " {
		t.Errorf("with it again: %s", names(lines))
	}
}
