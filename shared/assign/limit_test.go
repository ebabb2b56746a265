package assign_test

import (
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/license"
)

// given is what an assignment has spent on somebody.
func (s *school) given(person string, w assign.Wish) {
	s.Helper()
	s.license(person, func(l license.License) license.License {
		at := license.Place{Location: here, Asset: s.book.Asset}
		cause := license.Cause{BookID: s.book.ID, AssignmentID: w.ID, GroupID: w.GroupID}
		l, err := l.Reserve(license.Batch{ID: "b", Location: here}, at, cause, s.clock.Now())
		s.must(err)
		return l.Give(license.Row{Location: here, ClientUserID: "c" + person, Pricing: s.book.Asset.PricingParam, Found: s.clock.Now()}, "e")
	})
}

// limitTo has the first wish spend so many.
func (s *school) limitTo(n int) assign.Wish {
	s.Helper()
	doc, err := assign.Load(s.Context(), s.store.ReadStore, s.book)
	s.must(err)
	doc.Value.List[0].Limit = n
	s.save(doc.Save())
	return doc.Value.List[0]
}

// What Apple has taken back was spent all the same, also if another assignment has given the title anew since.
func TestWhatWasTakenBackAndGivenAnewStillCountsAsSpent(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	group, people := s.many(3)
	s.replace(required(group))
	w := s.limitTo(2)
	s.given(people[0], w)
	s.given(people[1], w)
	s.refund(people[0])
	s.clock.Advance(time.Hour)
	s.replace(required(group), required(s.group(people[0])))
	for _, another := range s.wishes().List {
		if another.ID != w.ID {
			s.given(people[0], another)
		}
	}
	if got := s.verdicts(); got["give"] != 0 || got["wait(waitingForApproval)"] != 1 {
		t.Errorf("two of two are spent, and then: %v", got)
	}
}

// Our batch may have spent on somebody to whom another product has given the title in another location meanwhile.
func TestWhatIsUnsettledCountsAsSpentAlsoIfSomebodyElseGaveTheTitle(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	group, people := s.many(2)
	s.replace(required(group))
	w := s.limitTo(1)
	batch := license.Batch{
		ID: "b", Location: here, State: license.Sending, Titles: []apple.AssetKey{s.book.Asset}, People: people[:1],
	}
	s.save(license.NewBatch(batch).Save())
	s.license(people[0], func(l license.License) license.License {
		cause := license.Cause{BookID: s.book.ID, AssignmentID: w.ID, GroupID: group}
		l, err := l.Reserve(batch, license.Place{Location: here, Asset: s.book.Asset}, cause, s.clock.Now())
		s.must(err)
		return l
	})
	a := license.Applier{Store: s.store, World: s.clock.World()}
	_, err := a.Add(t.Context(), license.Source{Location: "elsewhere", People: map[string]string{"x": people[0]}},
		[]apple.Assignment{{AssetKey: s.book.Asset, ClientUserID: "x"}})
	s.must(err)
	if got := s.verdicts(); got["give"] != 0 || got["refuse(owned)"] != 1 || got["wait(waitingForApproval)"] != 1 {
		t.Errorf("%v", got)
	}
}
