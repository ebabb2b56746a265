package license_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

var (
	lostAt  = later.Add(time.Hour)
	anew    = lostAt.Add(time.Hour)
	reorder = license.Cause{BookID: "b", AssignmentID: "w-2", GroupID: "g", Intent: "required", Requester: "otto"}
	second  = license.Batch{ID: "batch-2", Location: here, State: license.Prepared}
)

// refunded is a license of ours that Apple has taken back, and what was given.
func refunded() (license.License, license.Gift) {
	l := pairs()["reserved"].Give(rowAt(here), "event-1").Lose(rowAt(here), lostAt)
	return l, license.Gift{
		Location: here, Pricing: apple.PricingSTDQ, Batch: batch.ID, Event: "event-1", Cause: &cause,
		Asked: start, Given: later, Lost: lostAt,
	}
}

func TestWhatWasGivenBeforeIsKeptHoweverThePairBeginsAnew(t *testing.T) {
	ask := func(l license.License) (license.License, error) {
		return l.Ask(place, reorder, license.Waiting, "noStock", "", anew)
	}
	reserve := func(l license.License) (license.License, error) { return l.Reserve(second, place, reorder, anew) }
	give := func(l license.License) (license.License, error) {
		row := rowAt(here)
		row.Found = anew.Add(time.Minute)
		return l.Give(row, "event-2"), nil
	}
	elsewhere := func(l license.License) (license.License, error) { return l.Give(rowAt(there), ""), nil }
	ours := license.Gift{
		Location: here, Pricing: apple.PricingSTDQ, Batch: second.ID, Event: "event-2", Cause: &reorder,
		Asked: anew, Given: anew.Add(time.Minute),
	}
	found := license.Gift{Location: there, Pricing: apple.PricingSTDQ, Found: true, Given: later}
	for name, test := range map[string]struct {
		steps []func(license.License) (license.License, error)
		last  []license.Gift
	}{
		"asked for":                       {steps: []func(license.License) (license.License, error){ask}},
		"reserved":                        {steps: []func(license.License) (license.License, error){reserve}},
		"reserved and given":              {[]func(license.License) (license.License, error){reserve, give}, []license.Gift{ours}},
		"asked for, reserved and given":   {[]func(license.License) (license.License, error){ask, reserve, give}, []license.Gift{ours}},
		"found in another location":       {[]func(license.License) (license.License, error){elsewhere}, []license.Gift{found}},
		"asked for and found elsewhere":   {[]func(license.License) (license.License, error){ask, elsewhere}, []license.Gift{found}},
		"asked for twice, then given":     {[]func(license.License) (license.License, error){ask, ask, reserve, give}, []license.Gift{ours}},
		"not begun anew: it is still one": {},
	} {
		l, first := refunded()
		want := append([]license.Gift{first}, test.last...)
		for _, step := range test.steps {
			var err error
			if l, err = step(l); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if got := l.Gifts(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: gifts\n%+v, want\n%+v", name, got, want)
		}
	}
}

// Apple's listing was wrong, or the refund was undone: it is the one that it was, also if somebody waits for another one.
func TestAnEarlierGiftThatIsListedAgainIsNoSecondOne(t *testing.T) {
	l, first := refunded()
	first.Lost = time.Time{}
	l, err := l.Ask(place, reorder, license.Waiting, "noStock", "", anew)
	if err != nil {
		t.Fatal(err)
	}
	back := l.Give(rowAt(here), "")
	if got := back.Gifts(); !reflect.DeepEqual(got, []license.Gift{first}) || back.State != license.Licensed || !back.Lost.IsZero() {
		t.Errorf("listed again: %+v, want the first gift alone", back)
	}
	if len(l.Former) != 1 {
		t.Errorf("what was read has changed: %+v", l)
	}
	sent, err := l.Reserve(second, place, reorder, anew)
	if err != nil {
		t.Fatal(err)
	}
	if got := sent.Give(rowAt(here), "event-2").Gifts(); len(got) != 2 || got[1].Event != "event-2" {
		t.Errorf("listed while a batch has it: %+v, want two gifts", got)
	}
}

func TestWhoIsGivenATitleAnewStandsInTheLineFromThenOn(t *testing.T) {
	l, _ := refunded()
	if !l.InLine().IsZero() {
		t.Errorf("gone, and in the line since %s", l.InLine())
	}
	l, err := l.Ask(place, reorder, license.Waiting, "noStock", "", anew)
	if err != nil || l.InLine() != anew {
		t.Errorf("ordered anew, and in the line since %s with error %v, want %s", l.InLine(), err, anew)
	}
}

func TestTheEarlierGiftsFitAnItemHoweverManyTheyWere(t *testing.T) {
	v := world.NewVirtual(1, time.Date(2030, 9, 1, 8, 0, 0, 123456789, time.UTC))
	who := strings.Repeat("x", 800)
	l := license.License{AdamID: adamID, PersonID: world.NewID(v), Bound: here, BoundAs: apple.PricingSTDQ}
	const times = 50
	for range times {
		why := license.Cause{
			BookID: world.NewID(v), AssignmentID: world.NewID(v), GroupID: world.NewID(v), Intent: "required", Requester: who, Approver: who,
		}
		b := license.Batch{ID: world.NewID(v), Location: here, State: license.Prepared}
		var err error
		if l, err = l.Reserve(b, place, why, v.Now()); err != nil {
			t.Fatal(err)
		}
		row := rowAt(here)
		row.Found = v.Now()
		l = l.Give(row, world.NewID(v)).Lose(row, v.Now())
		v.Advance(time.Hour)
	}
	item, err := table.NewDoc(license.Key(adamID, l.PersonID), l).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := table.CheckItem(item); err != nil {
		t.Errorf("%d gifts, of %d bytes: %v", len(l.Gifts()), len(item.Body), err)
	}
	if n := len(l.Gifts()) + l.FormerMore; n != times || len(l.Gifts()) < 10 {
		t.Errorf("%d gifts are kept and %d counted, want %d in all", len(l.Gifts()), l.FormerMore, times)
	}
}
