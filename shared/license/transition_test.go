package license_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
)

const (
	here   = "1000"
	there  = "2000"
	adamID = "900000001"
	person = "anna"
)

var (
	start = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)
	later = start.Add(time.Hour)
	stdq  = apple.AssetKey{AdamID: adamID, PricingParam: apple.PricingSTDQ}
	plus  = apple.AssetKey{AdamID: adamID, PricingParam: apple.PricingPLUS}
	place = license.Place{Location: here, Asset: stdq}
	cause = license.Cause{BookID: "b", AssignmentID: "w", GroupID: "g", Intent: "required", Requester: "rita"}
	batch = license.Batch{ID: "batch-1", Location: here, State: license.Prepared}
)

func rowAt(location string) license.Row {
	return license.Row{Location: location, ClientUserID: "c-" + location, Pricing: apple.PricingSTDQ, Found: later}
}

// pairs are a license in every state that matters to a transition.
func pairs() map[string]license.License {
	blank := license.License{AdamID: adamID, PersonID: person}
	in := func(change func(*license.License)) license.License {
		l := blank
		change(&l)
		return l
	}
	return map[string]license.License{
		"blank":  blank,
		"wanted": in(func(l *license.License) { l.State, l.Location, l.Asked = license.Wanted, here, start }),
		"waiting": in(func(l *license.License) {
			l.State, l.Reason, l.Location, l.Asked, l.Since = license.Waiting, "noStock", here, start, start
		}),
		"reserved": in(func(l *license.License) {
			l.State, l.Location, l.Batch, l.Asked, l.Cause = license.Reserved, here, batch.ID, start, &cause
			l.Pricing = apple.PricingSTDQ
		}),
		"reserved by another batch": in(func(l *license.License) {
			l.State, l.Location, l.Batch = license.Reserved, here, "batch-0"
		}),
		"reserved elsewhere": in(func(l *license.License) {
			l.State, l.Location, l.Batch = license.Reserved, there, "batch-0"
		}),
		"bound here": in(func(l *license.License) {
			l.State, l.Location, l.Bound, l.BoundAs = license.Wanted, here, here, apple.PricingSTDQ
		}),
		"bound here as PLUS": in(func(l *license.License) {
			l.State, l.Location, l.Bound, l.BoundAs = license.Wanted, here, here, apple.PricingPLUS
		}),
		"bound elsewhere": in(func(l *license.License) {
			l.State, l.Location, l.Bound, l.BoundAs = license.Wanted, there, there, apple.PricingSTDQ
		}),
		"refused": in(func(l *license.License) { l.State, l.Reason = license.Refused, "inactive" }),
		"gone":    in(func(l *license.License) { l.State, l.Location = license.Gone, here }),
		"licensed": in(func(l *license.License) {
			l.State, l.Location, l.Rows = license.Licensed, here, []license.Row{rowAt(here)}
		}),
		"licensed elsewhere": in(func(l *license.License) {
			l.State, l.Location, l.Rows = license.Licensed, there, []license.Row{rowAt(there)}
		}),
	}
}

func TestOnlyAPairThatNobodyHasAndNothingBindsElsewhereIsReserved(t *testing.T) {
	allowed := map[string]bool{
		"blank": true, "wanted": true, "waiting": true, "reserved": true, "bound here": true, "refused": true, "gone": true,
		"reserved by another batch": false, "reserved elsewhere": false, "bound elsewhere": false, "bound here as PLUS": false,
		"licensed": false, "licensed elsewhere": false,
	}
	for name, before := range pairs() {
		after, err := before.Reserve(batch, place, cause, later)
		switch want, known := allowed[name]; {
		case !known:
			t.Errorf("%s: the table says nothing of it", name)
		case !want && (err == nil || !reflect.DeepEqual(after, before)):
			t.Errorf("%s: reserved as %+v with error %v, want it refused and unchanged", name, after, err)
		case want && (err != nil || after.State != license.Reserved || after.Batch != batch.ID || after.Location != here ||
			after.Pricing != apple.PricingSTDQ || after.Cause == nil || *after.Cause != cause || after.Since != later):
			t.Errorf("%s: reserved as %+v with error %v", name, after, err)
		case want && (after.Reason != "" || after.Asked.IsZero() || after.Bound != before.Bound):
			t.Errorf("%s: reserved as %+v: reason, asked or bound is wrong", name, after)
		}
	}
}

func TestReservingKeepsHowLongAPairHasWaited(t *testing.T) {
	after, err := pairs()["waiting"].Reserve(batch, place, cause, later)
	if err != nil || after.Asked != start {
		t.Errorf("asked %s with error %v, want %s", after.Asked, err, start)
	}
}

func TestWhoLapsesGivesUpTheirPlaceInTheLine(t *testing.T) {
	lapsed := pairs()["waiting"].Lapse("left", later)
	if !lapsed.Asked.IsZero() || lapsed.State != license.Refused || lapsed.Reason != "left" || lapsed.Since != later {
		t.Errorf("lapsed as %+v, want no time in it since which it waits", lapsed)
	}
	back := later.Add(time.Hour)
	if again, err := lapsed.Ask(place, cause, license.Waiting, "noStock", "", back); err != nil || again.Asked != back {
		t.Errorf("back in the line since %s with error %v, want %s", again.Asked, err, back)
	}
	if given, err := lapsed.Reserve(batch, place, cause, back); err != nil || given.Asked != back {
		t.Errorf("reserved, asked for at %s with error %v, want %s", given.Asked, err, back)
	}
}

func TestWhatIsHeldOrBeingGivenIsNotAskedFor(t *testing.T) {
	for name, before := range pairs() {
		after, err := before.Ask(place, cause, license.Waiting, "invitation", "since", later)
		if before.Has() || before.State == license.Reserved {
			if err == nil || !reflect.DeepEqual(after, before) {
				t.Errorf("%s: asked for as %+v with error %v, want it refused and unchanged", name, after, err)
			}
			continue
		}
		if err != nil || after.State != license.Waiting || after.Reason != "invitation" || after.Location != here ||
			after.Batch != "" || *after.Cause != cause || after.Since != later || after.Bound != before.Bound {
			t.Errorf("%s: asked for as %+v with error %v", name, after, err)
		}
	}
}

func TestAskingAgainForTheSameReasonKeepsTheTimes(t *testing.T) {
	l, err := pairs()["blank"].Ask(place, cause, license.Waiting, "noStock", "", start)
	if err != nil {
		t.Fatal(err)
	}
	again, err := l.Ask(place, cause, license.Waiting, "noStock", "7 left", later)
	if err != nil || again.Asked != start || again.Since != start || again.Detail != "7 left" {
		t.Errorf("asked %s, since %s, detail %q with error %v", again.Asked, again.Since, again.Detail, err)
	}
	other, err := again.Ask(place, cause, license.Waiting, "invitation", "", later)
	if err != nil || other.Asked != start || other.Since != later {
		t.Errorf("another reason: asked %s, since %s with error %v", other.Asked, other.Since, err)
	}
}

// Apple may turn out to have given what the first wish has sent: then that one has spent it, and not the one that covers the
// person by now.
func TestAPairThatMayHaveBeenSpentKeepsTheCauseOfItsSending(t *testing.T) {
	another := cause
	another.AssignmentID = "another"
	sent, err := license.License{AdamID: adamID, PersonID: "anna"}.Reserve(batch, place, cause, start)
	if err != nil {
		t.Fatal(err)
	}
	for bound, want := range map[bool]license.Cause{true: cause, false: another} {
		l, err := sent.Free(bound, later).Ask(place, another, license.Waiting, "noStock", "", later)
		if err != nil || *l.Cause != want {
			t.Errorf("bound: %t: asked for because of %+v, %v; want %+v", bound, l.Cause, err, want)
		}
	}
}

func TestAPairThatMayHaveBeenSpentStaysBoundUntilAppleHasSpoken(t *testing.T) {
	reserved := pairs()["reserved"]
	if l := reserved.Free(false, later); l.State != license.Wanted || l.Batch != "" || l.Bound != "" {
		t.Errorf("never sent: freed as %+v, want it unbound", l)
	}
	bound := reserved.Free(true, later)
	if bound.State != license.Wanted || bound.Batch != "" || bound.Bound != here || bound.BoundAs != apple.PricingSTDQ {
		t.Errorf("outcome unknown: freed as %+v, want it bound to %s", bound, here)
	}
	steps := []struct {
		name  string
		step  func(license.License) (license.License, error)
		bound string
	}{
		{"waiting for stock", func(l license.License) (license.License, error) {
			return l.Ask(place, cause, license.Waiting, "noStock", "", later)
		}, here},
		{"leaving the group", func(l license.License) (license.License, error) { return l.Lapse("left", later), nil }, here},
		{"reserving it here again", func(l license.License) (license.License, error) {
			return l.Reserve(batch, place, cause, later)
		}, here},
		{"freeing it unsent", func(l license.License) (license.License, error) { return l.Free(false, later), nil }, here},
		{"Apple's final no to a later sending", func(l license.License) (license.License, error) {
			return l.Deny(license.Refused, "appleRefused", "", later), nil
		}, here},
		{"Apple's listing it", func(l license.License) (license.License, error) { return l.Give(rowAt(here), ""), nil }, ""},
	}
	for _, s := range steps {
		if l, err := s.step(bound); err != nil || l.Bound != s.bound || (l.BoundAs == "") != (s.bound == "") {
			t.Errorf("%s: bound to %q with error %v, want %q", s.name, l.Bound, err, s.bound)
		}
	}
}

func TestALicenseIsOursOnlyIfOurSendingCanHaveGivenIt(t *testing.T) {
	tests := []struct {
		from, at string // state, and location of the row
		found    bool
		batch    string
	}{
		{"reserved", here, false, batch.ID},
		{"bound here", here, false, ""},
		{"reserved", there, true, ""},
		{"bound elsewhere", here, true, ""},
		{"blank", here, true, ""},
		{"waiting", here, true, ""},
		{"refused", here, true, ""},
		{"gone", here, true, ""},
	}
	for _, test := range tests {
		l := pairs()[test.from].Give(rowAt(test.at), "event-1")
		if l.State != license.Licensed || l.Location != test.at || l.Given != later || l.Since != later || !l.Has() {
			t.Errorf("%s, listed in %s: %+v isn't licensed", test.from, test.at, l)
		}
		if l.Found != test.found || l.Batch != test.batch || (l.Event == "event-1") == test.found {
			t.Errorf("%s, listed in %s: found %v, batch %q, event %q; want found %v, batch %q",
				test.from, test.at, l.Found, l.Batch, l.Event, test.found, test.batch)
		}
	}
}

func TestTheSameRowTwiceChangesNothing(t *testing.T) {
	once := pairs()["reserved"].Give(rowAt(here), "event-1")
	again := rowAt(here)
	again.Found = later.Add(time.Hour)
	if twice := once.Give(again, "event-2"); !reflect.DeepEqual(once, twice) {
		t.Errorf("%+v became %+v", once, twice)
	}
}

func TestAFurtherRowIsKeptAndDoesNotRewriteHowTheFirstWasGiven(t *testing.T) {
	once := pairs()["reserved"].Give(rowAt(here), "event-1")
	for name, row := range map[string]license.Row{
		"the other quality": {Location: here, ClientUserID: "c-1000", Pricing: apple.PricingPLUS, Found: later},
		"a former identity": {Location: here, ClientUserID: "old", Pricing: apple.PricingSTDQ, Found: later},
		"another location":  rowAt(there),
	} {
		twice := once.Give(row, "")
		if len(twice.Rows) != 2 || twice.Event != "event-1" || twice.Found || twice.Location != here || len(once.Rows) != 1 {
			t.Errorf("%s: %+v", name, twice)
		}
	}
}

func TestTheLastRowLostLeavesATombstone(t *testing.T) {
	two := pairs()["reserved"].Give(rowAt(here), "event-1").Give(rowAt(there), "")
	one := two.Lose(rowAt(here), later.Add(time.Hour))
	if one.State != license.Licensed || len(one.Rows) != 1 || len(two.Rows) != 2 {
		t.Errorf("one of two lost: %+v (and before: %+v)", one, two)
	}
	none := one.Lose(rowAt(there), later.Add(time.Hour))
	if none.State != license.Gone || none.Has() || none.Event != "event-1" || none.Cause == nil || none.Given != later ||
		none.Since != later.Add(time.Hour) {
		t.Errorf("the last one lost: %+v, want a tombstone that still explains it", none)
	}
	if none.Reason != license.Refunded || none.Lost != later.Add(time.Hour) {
		t.Errorf("the last one lost: %+v, want it said when", none)
	}
	if again := none.Give(rowAt(here), ""); again.State != license.Licensed || again.Found || again.Event != "event-1" ||
		again.Given != later || !again.Lost.IsZero() || again.Reason != "" {
		t.Errorf("listed again: %+v, want its story kept", again)
	}
	if strange := one.Lose(rowAt("3000"), later); !reflect.DeepEqual(strange.Rows, one.Rows) || strange.State != one.State {
		t.Errorf("a row lost that wasn't there: %+v", strange)
	}
}

func TestABatchHoldsItsPairsWhileItIsOpen(t *testing.T) {
	tests := []struct {
		state            license.BatchState
		open, maybeSpent bool
	}{
		{license.Prepared, true, false},
		{license.Sending, true, true},
		{license.Sent, true, true},
		{license.Settled, false, false},
		{license.Abandoned, false, false},
	}
	for _, test := range tests {
		b := license.Batch{
			State: test.state, Titles: []apple.AssetKey{plus}, People: []string{person},
		}
		if b.Open() != test.open || b.MayHaveSpent() != test.maybeSpent || b.Holds(adamID, person) != test.open {
			t.Errorf("%s: open %v, may have spent %v, holds %v", test.state, b.Open(), b.MayHaveSpent(), b.Holds(adamID, person))
		}
		if b.Holds("other", person) || b.Holds(adamID, "other") {
			t.Errorf("%s: it holds what it doesn't list", test.state)
		}
	}
}
