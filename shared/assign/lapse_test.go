package assign_test

import (
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
)

func TestWhoLeftWhileWaitingLapses(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	anna, ben, cleo := s.person("anna"), s.person("ben"), s.person("cleo")
	s.associate(anna, ben, cleo)
	s.replace(required(s.group(anna)), available(s.group(cleo)))
	for _, p := range []string{anna, ben, cleo} {
		s.license(p, waiting(s, start))
	}
	s.license(s.person("elsewhere"), func(l license.License) license.License {
		l, err := l.Ask(license.Place{Location: there, Asset: s.book.Asset}, license.Cause{}, license.Waiting, "", "", start)
		s.must(err)
		return l
	})
	lines, lapsed := s.survey()
	var gone []string
	for _, l := range lapsed {
		gone = append(gone, l.License.Value.PersonID)
		if l.Decision.Verdict != assign.Refuse || l.Decision.Reason != assign.Left {
			t.Errorf("lapsed with %+v", l.Decision)
		}
	}
	slices.Sort(gone)
	want := []string{ben, cleo}
	slices.Sort(want)
	if len(lines) != 1 || !slices.Equal(gone, want) {
		t.Errorf("covered: %s; lapsed: %v, want ben's and cleo's %v", names(lines), gone, want)
	}
}

func TestWhoLapsesBecauseTheyAreDisabledOrDeletedIsToldSo(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	gone, off, left := s.person("gone"), s.person("off"), s.person("left")
	s.replace(required(s.group(s.person("other"))))
	for _, p := range []string{gone, off, left, "never sent by the provider"} {
		s.license(p, waiting(s, start))
	}
	s.must(s.directory.DeletePerson(t.Context(), gone, ""))
	_, err := s.directory.ChangePerson(t.Context(), off, "", func(p *directory.Person) error { p.Active = false; return nil })
	s.must(err)
	_, lapsed := s.survey()
	for _, l := range lapsed {
		want := assign.Left
		if id := l.License.Value.PersonID; id == gone || id == off {
			want = assign.Inactive
		}
		if l.Decision != (assign.Decision{Verdict: assign.Refuse, Reason: want}) {
			t.Errorf("%s lapsed with %+v, want %s", l.License.Value.PersonID, l.Decision, want)
		}
	}
	if len(lapsed) != 4 {
		t.Errorf("%d lapsed, want 4", len(lapsed))
	}
}

// Whether they are told to wait by a required wish, or have asked for the book once themselves.
func TestWhoLeavesAndComesBackStandsBehindWhoHasWaitedMeanwhile(t *testing.T) {
	for name, ask := range map[string]func(string) assign.Ask{"required": required, "available": available} {
		t.Run(name, func(t *testing.T) {
			s := newSchool(t)
			s.assigner.Hold = 0
			anna, ben := s.person("anna"), s.person("ben")
			s.associate(anna, ben)
			s.replace(ask(s.group(anna, ben)))
			for _, p := range []string{anna, ben} {
				if name == "available" {
					_, _, err := s.request(p, p)
					s.must(err)
				}
				s.license(p, waiting(s, s.clock.Now()))
				s.clock.Advance(time.Hour)
			}
			s.license(anna, func(l license.License) license.License { return l.Lapse(assign.Left, s.clock.Now()) })
			s.book.Available = 1
			if lines, _ := s.survey(); names(lines) != "ben:give anna:wait(noStock) " {
				t.Errorf("anna has left and is back: %s", names(lines))
			}
		})
	}
}

// Disabled first, and taken out of the groups then: that is how people are seen off.
func TestWhoIsDisabledAndThenLeavesGivesUpTheirPlaceInTheLine(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	off, other := s.person("off", func(p *directory.Person) { p.Active = false }), s.person("other")
	s.replace(required(s.group(other)))
	s.license(off, waiting(s, start))
	s.license(off, func(l license.License) license.License {
		at := license.Place{Location: here, Asset: s.book.Asset}
		l, err := l.Ask(at, license.Cause{}, license.Refused, assign.Inactive, "", start)
		s.must(err)
		return l
	})
	if _, lapsed := s.survey(); len(lapsed) != 1 || lapsed[0].Decision.Reason != assign.Inactive {
		t.Fatalf("lapsed: %+v", lapsed)
	}
	s.license(off, func(l license.License) license.License { return l.Lapse(assign.Inactive, s.clock.Now()) })
	if _, lapsed := s.survey(); len(lapsed) != 0 {
		t.Errorf("it lapses again and again: %+v", lapsed)
	}
}
