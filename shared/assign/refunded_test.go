package assign_test

import (
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/license"
)

// refund has Apple take a license back.
func (s *school) refund(person string) {
	s.Helper()
	s.license(person, func(l license.License) license.License { return l.Lose(l.Rows[0], s.clock.Now()) })
}

func TestWhoseLicenseWasRefundedHasNoPlaceInTheLineFromBefore(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	group, people := s.many(2)
	first, other := people[0], people[1]
	s.license(first, func(l license.License) license.License {
		at := license.Place{Location: here, Asset: s.book.Asset}
		l, err := l.Reserve(license.Batch{ID: "b", Location: here}, at, license.Cause{}, start)
		s.must(err)
		return l.Give(license.Row{Location: here, ClientUserID: "c", Pricing: s.book.Asset.PricingParam, Found: start}, "")
	})
	s.refund(first)
	s.clock.Advance(time.Minute)
	s.replace(required(group))
	s.license(other, waiting(s, s.clock.Now()))
	s.book.Available = 1
	lines, _ := s.survey()
	if len(lines) != 2 || lines[0].Person.ID != other || lines[0].Decision.Verdict != assign.Give {
		t.Errorf("decided %s, want it given to who waits, and not to whose license was refunded", names(lines))
	}
}
