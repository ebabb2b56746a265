package assign_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/queue"
)

func waiting(s *school, since time.Time) func(license.License) license.License {
	return func(l license.License) license.License {
		at := license.Place{Location: here, Asset: s.book.Asset}
		l, err := l.Ask(at, license.Cause{}, license.Waiting, assign.NoStock, "", since)
		s.must(err)
		return l
	}
}

func TestStockGoesToTheOldestWishAndInItToWhoHasWaitedLongest(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	anna, ben, cleo, dora := s.person("anna"), s.person("ben"), s.person("cleo"), s.person("dora")
	s.associate(anna, ben, cleo, dora)
	old := s.group(anna, ben, cleo)
	s.replace(required(old))
	s.clock.Advance(time.Minute)
	s.replace(required(s.group(dora, anna)), required(old)) // the younger one first: the order of asking doesn't count
	s.license(cleo, waiting(s, start.Add(-2*time.Hour)))
	s.license(dora, waiting(s, start.Add(-9*time.Hour)))
	s.book.Available = 2
	lines, lapsed := s.survey()
	second := "anna"
	if ben < anna {
		second = "ben"
	}
	third := map[string]string{"anna": "ben", "ben": "anna"}[second]
	want := "cleo:give " + second + ":give " + third + ":wait(noStock) dora:wait(noStock) "
	if got := names(lines); got != want || len(lapsed) != 0 {
		t.Errorf("decided %q, want %q", got, want)
	}
}

func TestAWishOnHoldComesLastAndTakesNoStock(t *testing.T) {
	s := newSchool(t)
	anna, ben := s.person("anna"), s.person("ben")
	s.associate(anna, ben)
	first := s.group(anna)
	s.replace(required(first))
	s.assigner.Hold = 0
	s.clock.Advance(time.Minute)
	s.replace(required(first), required(s.group(ben)))
	s.book.Available = 1
	lines, _ := s.survey()
	if got, want := names(lines), "ben:give anna:wait(onHold) "; got != want {
		t.Errorf("decided %q, want %q", got, want)
	}
}

func TestOnlyWhoIsGivenTheTitleTakesStock(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	off := s.person("off", func(p *directory.Person) { p.Active = false })
	stranger, anna := s.person("stranger"), s.person("anna")
	s.associate(anna, off)
	s.replace(required(s.group(off, stranger, anna, "made-up-id")))
	s.book.Available = 1
	lines, _ := s.survey()
	got := strings.Fields(names(lines))
	slices.Sort(got)
	want := []string{"anna:give", "off:refuse(inactive)", "stranger:wait(notAtApple)"}
	if !slices.Equal(got, want) {
		t.Errorf("decided %v, want %v", got, want)
	}
}

func TestADeletedGroupCoversNobody(t *testing.T) {
	s := newSchool(t)
	g := s.group(s.person("anna"))
	s.replace(required(g))
	s.must(s.directory.DeleteGroup(t.Context(), g, ""))
	if lines, _ := s.survey(); len(lines) != 0 {
		t.Errorf("covered: %s", names(lines))
	}
	people, err := s.surveyor.Covered(t.Context(), here)
	if err != nil || len(people) != 0 {
		t.Errorf("covered: %v, %v", people, err)
	}
}

func TestWhatAStrangerHoldsWithThePersonsAccountCountsAsThePersons(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	anna := s.person("anna")
	s.associate(anna)
	s.replace(required(s.group(anna)))
	s.must(s.foreign("stranger", "hash of "+anna))
	if lines, _ := s.survey(); names(lines) != "anna:give " {
		t.Errorf("the stranger has no license: %s", names(lines))
	}
	a := license.Applier{Store: s.store, World: s.clock.World()}
	_, err := a.Add(t.Context(), license.Source{Location: here}, []apple.Assignment{{
		AssetKey: apple.AssetKey{AdamID: s.book.Asset.AdamID, PricingParam: apple.PricingPLUS}, ClientUserID: "stranger",
	}})
	s.must(err)
	if lines, _ := s.survey(); names(lines) != "anna:refuse(ownedAsOther) " {
		t.Errorf("the stranger has the title: %s", names(lines))
	}
}

func TestFreeIsWhatAppleHasLessWhatBatchesMaySpend(t *testing.T) {
	s := newSchool(t)
	other := apple.AssetKey{AdamID: "2", PricingParam: apple.PricingSTDQ}
	plus := apple.AssetKey{AdamID: s.book.Asset.AdamID, PricingParam: apple.PricingPLUS}
	people := []string{"a", "b", "c"}
	batches := []license.Batch{
		{ID: "1", Location: here, State: license.Prepared, Titles: []apple.AssetKey{s.book.Asset, other}, People: people},
		{ID: "2", Location: here, State: license.Sent, Titles: []apple.AssetKey{s.book.Asset}, People: people[:1]},
		{ID: "3", Location: here, State: license.Sending, Titles: []apple.AssetKey{other, plus}, People: people},
		{ID: "4", Location: there, State: license.Sending, Titles: []apple.AssetKey{s.book.Asset}, People: people},
	}
	for _, b := range batches {
		s.save(license.NewBatch(b).Save())
	}
	site, err := s.surveyor.LoadSite(t.Context(), s.record)
	s.must(err)
	for _, test := range []struct{ total, available, want int }{
		{100, 10, 6}, {100, 4, 0}, {100, 2, 0}, {apple.Unlimited, 0, math.MaxInt},
	} {
		b := s.book
		b.Total, b.Available = test.total, test.available
		if got := site.Free(b); got != test.want {
			t.Errorf("%d of %d available: free %d, want %d", test.available, test.total, got, test.want)
		}
	}
}

func TestAPlanCountsWhatTheDecisionSaysAndStoresNothing(t *testing.T) {
	s := newSchool(t)
	anna, ben, off := s.person("anna"), s.person("ben"), s.person("off", func(p *directory.Person) { p.Active = false })
	s.associate(anna, ben)
	ask := []assign.Ask{required(s.group(anna, ben, off)), available(s.group(s.person("dora")))}
	s.book.Available, s.book.Counted = 1, start.Add(-time.Minute)
	before := string(s.engine.Dump())
	plan, _, err := s.assigner.Plan(t.Context(), s.book, ask, "rita")
	s.must(err)
	if plan.Give != 1 || plan.Wait != 1 || plan.Refuse != 1 || plan.FreeBefore != 1 || plan.FreeAfter != 0 || len(plan.Lines) != 3 {
		t.Errorf("the plan is %+v", plan)
	}
	if plan.Reasons[assign.NoStock] != 1 || plan.Reasons[assign.Inactive] != 1 || len(plan.Reasons) != 2 {
		t.Errorf("its reasons are %v", plan.Reasons)
	}
	if plan.HoldUntil != start.Add(10*time.Minute) || plan.Counted != start.Add(-time.Minute) || plan.Unlimited {
		t.Errorf("the plan is %+v", plan)
	}
	if string(s.engine.Dump()) != before {
		t.Error("a plan changed the table")
	}
	s.book.Total = apple.Unlimited
	plan, _, err = s.assigner.Plan(t.Context(), s.book, ask, "rita")
	s.must(err)
	if !plan.Unlimited || plan.Give != 2 || plan.FreeAfter != math.MaxInt {
		t.Errorf("unlimited: %+v", plan)
	}
}

func TestAStoppedOrUnsyncedLocationPlansNoGift(t *testing.T) {
	for name, change := range map[string]func(*school){
		"stopped(stopped)": func(s *school) { s.record.State = "expired" },
		"new(notSynced)":   func(s *school) { s.record.Location, s.book.Location = there, there },
	} {
		s := newSchool(t)
		anna := s.person("anna")
		g := s.group(anna)
		change(s)
		s.replace(required(g))
		plan, err := s.surveyor.PlanFor(t.Context(), s.record, s.book, s.wishes())
		s.must(err)
		if plan.Give != 0 || plan.Wait != 1 || !strings.Contains(name, suffix(plan.Lines[0].Decision.Reason)) {
			t.Errorf("%s: %+v", name, plan)
		}
	}
}

func TestCoveredAreTheActiveMembersOfRequiredWishesOnceEach(t *testing.T) {
	s := newSchool(t)
	anna, ben, off := s.person("anna"), s.person("ben"), s.person("off", func(p *directory.Person) { p.Active = false })
	s.replace(required(s.group(anna, off)), required(s.group(anna, ben)), available(s.group(s.person("dora"))))
	people, err := s.surveyor.Covered(t.Context(), here)
	s.must(err)
	var got []string
	for _, p := range people {
		got = append(got, p.DisplayName)
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"anna", "ben"}) {
		t.Errorf("covered: %v", got)
	}
}

// woken counts wakes by location.
type woken map[string]int

func (w woken) Wake(_ context.Context, location string, _ time.Time) error {
	w[location]++
	return nil
}

var _ queue.Queue = woken{}

func TestAChangeOfAGroupIsMarkedForWhenItsWriterDiesAndForNow(t *testing.T) {
	s := newSchool(t)
	g, unwished := s.group(), s.group()
	s.replace(available(g))
	before := s.marks()
	wakes := woken{}
	a := assign.Announcer{Store: s.store, World: s.clock.World(), Queue: wakes, Timeout: time.Minute}
	change := directory.Change{Groups: []string{g, unwished}}
	s.must(a.Before(t.Context(), change))
	if marks := s.marks(); marks["later#group:"+g] != time.Minute || len(marks) != len(before)+1 || len(wakes) != 0 {
		t.Errorf("before: marks %v, wakes %v", marks, wakes)
	}
	s.must(a.After(t.Context(), change))
	marks := s.marks()
	if due, ok := marks["grants#group:"+g]; !ok || due != 0 || marks["later#group:"+g] != time.Minute || wakes[here] != 1 {
		t.Errorf("after: marks %v, wakes %v", marks, wakes)
	}
}

// What is on hold is spent after what isn't, however much older it is: the plan says so.
func TestAPlanServesInTheOrderInWhichGrantsWill(t *testing.T) {
	s := newSchool(t)
	anna, ben := s.person("anna"), s.person("ben")
	s.associate(anna, ben)
	older := s.group(anna)
	s.replace(required(older)) // on hold for 10 minutes
	s.clock.Advance(time.Minute)
	s.assigner.Hold = 0
	s.book.Available = 1
	plan, _, err := s.assigner.Plan(t.Context(), s.book, []assign.Ask{required(older), required(s.group(ben))}, "rita")
	s.must(err)
	if plan.Lines[0].Name != "ben" || plan.Lines[0].Decision.Verdict != assign.Give ||
		plan.Lines[1].Decision.Reason != assign.NoStock {
		t.Errorf("the plan gives the last one to %+v", plan.Lines)
	}
}

// A refunded license is given again by an order that came after the refund, also where an older one covers the person first.
func TestANewerOrderAmongSeveralGivesAgainWhatWasRefunded(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	anna := s.person("anna")
	s.associate(anna)
	old := s.group(anna)
	s.replace(required(old))
	s.clock.Advance(time.Minute)
	s.license(anna, func(l license.License) license.License {
		row := license.Row{Location: here, ClientUserID: "anna's", Pricing: s.book.Asset.PricingParam}
		return l.Give(row, "").Lose(row, s.clock.Now())
	})
	s.clock.Advance(time.Minute)
	if lines, _ := s.survey(); names(lines) != "anna:refuse(refunded) " {
		t.Errorf("under the old order: %s", names(lines))
	}
	s.replace(required(old), required(s.group(anna)))
	lines, _ := s.survey()
	if names(lines) != "anna:give " || lines[0].Wish.ID != s.wishes().List[1].ID {
		t.Errorf("under a new one too: %s", names(lines))
	}
}
