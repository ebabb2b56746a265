package assign_test

import (
	"testing"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/reader"
)

// share has people's readers in a location linked to one Apple Account.
func (s *school) share(idHash string, people ...string) {
	s.Helper()
	var rows []apple.User
	for _, p := range people {
		id := reader.ClientUserID(mdmID, here, p, 0)
		rows = append(rows, apple.User{ClientUserID: id, Status: apple.UserAssociated, IDHash: idHash})
	}
	_, err := reader.Apply(s.Context(), s.store, here, rows, s.clock.Now())
	s.must(err)
}

// A couple has accepted both invitations with one account: what Apple gives to the second of them is wasted.
func TestTwoPeopleWithOneAppleAccountGetOneLicense(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	group, people := s.many(3)
	s.share("one account", people[0], people[1])
	s.replace(required(group))
	lines, _ := s.survey()
	verdicts := map[string]assign.Decision{}
	for _, l := range lines {
		verdicts[l.Person.ID] = l.Decision
	}
	first, second := verdicts[people[0]], verdicts[people[1]]
	if (first.Verdict == assign.Give) == (second.Verdict == assign.Give) || verdicts[people[2]].Verdict != assign.Give {
		t.Fatalf("decided: %s", names(lines))
	}
	if first.Reason+second.Reason != assign.OwnedAsOther {
		t.Errorf("decided: %s", names(lines))
	}
	if plan, _, err := s.assigner.Plan(t.Context(), s.book, []assign.Ask{required(group)}, "rita"); err != nil || plan.Give != 2 {
		t.Errorf("planned for %d, %v", plan.Give, err)
	}
	s.gives()
	if got := s.verdicts(); got["give"] != 0 || got["refuse(ownedAsOther)"] != 1 {
		t.Errorf("then: %v", got)
	}
}

// Who has the title needn't be covered any more, nor have it from here; and it may be on its way to them.
func TestWhatAnotherPersonWithTheSameAppleAccountHasCounts(t *testing.T) {
	for name, change := range map[string]func(l license.License, id string) license.License{
		"has it": func(l license.License, id string) license.License {
			return l.Give(license.Row{Location: here, ClientUserID: id, Pricing: apple.PricingPLUS}, "")
		},
		"a batch has it": func(l license.License, _ string) license.License {
			l.State, l.Location, l.Pricing, l.Batch = license.Reserved, here, apple.PricingSTDQ, "b"
			return l
		},
		"may have been sent it": func(l license.License, _ string) license.License {
			l.State, l.Bound, l.BoundAs = license.Wanted, here, apple.PricingSTDQ
			return l
		},
	} {
		s := newSchool(t)
		s.assigner.Hold = 0
		anna, ben := s.person("anna"), s.person("ben")
		s.associate(anna, ben)
		s.share("one account", anna, ben)
		s.license(ben, func(l license.License) license.License {
			return change(l, reader.ClientUserID(mdmID, here, ben, 0))
		})
		s.replace(required(s.group(anna)))
		if lines, _ := s.survey(); names(lines) != "anna:refuse(ownedAsOther) " {
			t.Errorf("the other one %s: %s", name, names(lines))
		}
	}
}
