package assign_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table/mem"
)

// renew decides anew for whom a survey would give the book, under the wishes that it found.
func (s *school) renew(lines []assign.Line, people ...string) []assign.Line {
	s.Helper()
	under := map[string]string{}
	for _, l := range lines {
		under[l.Person.ID] = l.Wish.GroupID
	}
	site, err := s.surveyor.LoadSite(s.Context(), s.record)
	s.must(err)
	all, err := s.surveyor.Renew(s.Context(), site, s.book, s.wishes(), people, under)
	s.must(err)
	return all
}

func ids(lines []assign.Line) (people []string) {
	for _, l := range lines {
		people = append(people, l.Person.ID)
	}
	return people
}

func TestRenewingFindsWhatTheSurveyFound(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	anna, ben, cleo := s.person("anna"), s.person("ben"), s.person("cleo")
	s.associate(anna, ben, cleo)
	s.replace(required(s.group(anna, ben)), available(s.group(ben, cleo)))
	person, err := s.surveyor.Directory.Person(t.Context(), cleo)
	s.must(err)
	_, _, err = s.assigner.Request(t.Context(), s.book, person, "cleo herself")
	s.must(err)
	s.book.Available = 10
	lines, _ := s.survey()
	if len(lines) != 3 {
		t.Fatalf("the survey finds %s", names(lines))
	}
	later := s.renew(lines, ids(lines)...)
	for i, l := range lines {
		if len(later) != len(lines) || later[i].Person.ID != l.Person.ID || later[i].Decision != l.Decision ||
			later[i].Cause(s.book.ID) != l.Cause(s.book.ID) || later[i].License.Value.Asked != l.License.Value.Asked {
			t.Fatalf("the survey finds %+v, and later %+v", lines, later)
		}
	}
}

func TestRenewingSeesWhatHasComeBetween(t *testing.T) {
	for name, test := range map[string]struct {
		change func(s *school, person string)
		want   string
	}{
		"nothing": {func(*school, string) {}, "anna:give "},
		"they were given it": {func(s *school, person string) {
			s.license(person, func(l license.License) license.License {
				return l.Give(license.Row{Location: here, ClientUserID: "c", Pricing: s.book.Asset.PricingParam, Found: start}, "")
			})
		}, "anna:refuse(owned) "},
		"Apple took it back": {func(s *school, person string) {
			s.clock.Advance(time.Minute)
			row := license.Row{Location: here, ClientUserID: "c", Pricing: s.book.Asset.PricingParam, Found: s.clock.Now()}
			s.license(person, func(l license.License) license.License { return l.Give(row, "") })
			s.license(person, func(l license.License) license.License { return l.Lose(row, s.clock.Now()) })
		}, "anna:refuse(refunded) "},
		"they are disabled": {func(s *school, person string) {
			_, err := s.directory.ChangePerson(s.Context(), person, "", func(p *directory.Person) error {
				p.Active = false
				return nil
			})
			s.must(err)
		}, "anna:refuse(inactive) "},
		"another reader of their account is there, with the title": {func(s *school, person string) {
			s.must(s.foreign("stranger", "hash of "+person))
			a := license.Applier{Store: s.store, World: s.clock.World()}
			row := apple.Assignment{AssetKey: s.book.Asset, ClientUserID: "stranger"}
			_, err := a.Add(s.Context(), license.Source{Location: here}, []apple.Assignment{row})
			s.must(err)
		}, "anna:refuse(ownedAsOther) "},
		"the wish has gone": {func(s *school, _ string) { s.replace() }, ""},
		"they have to ask for it by now": {func(s *school, _ string) {
			s.replace(available(s.wishes().List[0].GroupID))
		}, ""},
		"the stock has gone, which is looked at before the request": {func(s *school, _ string) { s.book.Available = 0 }, "anna:give "},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSchool(t)
			s.assigner.Hold = 0
			anna := s.person("anna")
			s.associate(anna)
			s.replace(required(s.group(anna)))
			s.book.Available = 10
			lines, _ := s.survey()
			test.change(s, anna)
			if got := names(s.renew(lines, anna)); got != test.want {
				t.Errorf("decided %q, want %q", got, test.want)
			}
		})
	}
}

// Whom it isn't asked about it doesn't read: a location has many people, and a batch has few.
func TestRenewingReadsOnlyThoseItIsAskedAbout(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	var people []string
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		people = append(people, s.person(name))
	}
	s.associate(people...)
	s.replace(required(s.group(people...)))
	for _, p := range people {
		s.license(p, waiting(s, start))
	}
	s.book.Available = 10
	lines, _ := s.survey()
	read := map[string]bool{} // sort keys
	s.engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
		for _, key := range c.Keys {
			read[key.Sort] = true
		}
		if strings.HasPrefix(c.Range.Part, "title#") || strings.HasPrefix(c.Range.Part, "members#") {
			t.Errorf("all of %s was read", c.Range.Part)
		}
		return nil
	}})
	s.renew(lines, people[1])
	for _, id := range people {
		if read[id] != (id == people[1]) {
			t.Errorf("asked about %s, %s was read: %v", people[1], id, read[id])
		}
	}
}
