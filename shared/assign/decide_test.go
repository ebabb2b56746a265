package assign_test

import (
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/reader"
)

const (
	here  = "1000"
	there = "2000"
)

var start = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)

// good are facts under which the title is given.
func good() assign.Facts {
	return assign.Facts{
		Now: start, Location: here, Pricing: apple.PricingSTDQ, Wish: assign.Wish{ID: "w", HoldUntil: start},
		Person: directory.Person{ID: "anna", Active: true}, Member: true,
		Reader: &reader.Reader{Status: reader.Associated}, Synced: true, Usable: true, Listed: true, Free: 1,
	}
}

// obstacles are all that can stand in the way, in the order in which they count: whoever meets two is told the first.
var obstacles = []struct {
	name   string
	put    func(*assign.Facts)
	want   assign.Verdict
	reason license.Reason
}{
	{"has the title here", func(f *assign.Facts) {
		f.License = license.License{State: license.Licensed, Rows: []license.Row{{Location: here, Found: start}}}
	}, assign.Refuse, assign.Owned},
	{"has the title elsewhere", func(f *assign.Facts) {
		f.License = license.License{State: license.Licensed, Rows: []license.Row{{Location: there, Found: start}}}
	}, assign.Refuse, assign.Owned},
	{"has it as a stranger", func(f *assign.Facts) { f.Alias = true }, assign.Refuse, assign.OwnedAsOther},
	{"a batch has the pair", func(f *assign.Facts) {
		f.License, f.InBatch = license.License{State: license.Reserved, Batch: "b"}, true
	}, assign.Wait, assign.Underway},
	{"bound elsewhere", func(f *assign.Facts) {
		f.License = license.License{State: license.Wanted, Bound: there, BoundAs: apple.PricingSTDQ}
	}, assign.Wait, assign.Elsewhere},
	{"bound here in the other quality", func(f *assign.Facts) {
		f.License = license.License{State: license.Wanted, Bound: here, BoundAs: apple.PricingPLUS}
	}, assign.Wait, assign.Elsewhere},
	{"refused by Apple", func(f *assign.Facts) {
		f.License = license.License{State: license.Refused, Reason: assign.AppleRefused, Detail: "9700"}
	}, assign.Refuse, assign.AppleRefused},
	{"refunded", func(f *assign.Facts) {
		f.License = license.License{State: license.Gone, Lost: start}
	}, assign.Refuse, assign.Refunded},
	{"unknown to the directory", func(f *assign.Facts) { f.Person = directory.Person{} }, assign.Refuse, assign.Inactive},
	{"disabled", func(f *assign.Facts) { f.Person.Active = false }, assign.Refuse, assign.Inactive},
	{"deleted", func(f *assign.Facts) { f.Person.Deleted = true }, assign.Refuse, assign.Inactive},
	{"not a member", func(f *assign.Facts) { f.Member = false }, assign.Refuse, assign.Left},
	{"location stopped", func(f *assign.Facts) { f.Usable = false }, assign.Wait, assign.Stopped},
	{"never synced", func(f *assign.Facts) { f.Synced = false }, assign.Wait, assign.NotSynced},
	{"not listed", func(f *assign.Facts) { f.Listed = false }, assign.Wait, assign.NotListed},
	{"on hold", func(f *assign.Facts) { f.Wish.HoldUntil = start.Add(time.Second) }, assign.Wait, assign.OnHold},
	{"Apple doesn't know them", func(f *assign.Facts) { f.Reader = nil }, assign.Wait, assign.NotAtApple},
	{"account unknown", refusedWith(apple.NumberForeignUser, reader.New), assign.Wait, assign.ForeignID},
	{"account taken, though invited", refusedWith(apple.NumberLinkedUser, reader.Invited), assign.Wait, assign.LinkedID},
	{"refused with another number", refusedWith(9717, reader.New), assign.Wait, assign.ReaderError},
	{"being created", status(reader.New), assign.Wait, assign.NotAtApple},
	{"invited", status(reader.Invited), assign.Wait, assign.Invitation},
	{"retired", status(reader.Retired), assign.Wait, assign.RetiredAtApple},
	{"beyond what was approved", func(f *assign.Facts) { f.Beyond = true }, assign.Wait, assign.WaitingForApproval},
	{"no stock", func(f *assign.Facts) { f.Free = 0 }, assign.Wait, assign.NoStock},
	{"less than no stock", func(f *assign.Facts) { f.Free = -3 }, assign.Wait, assign.NoStock},
}

func status(s reader.Status) func(*assign.Facts) {
	return func(f *assign.Facts) { f.Reader = &reader.Reader{Status: s, Changed: start} }
}

func refusedWith(number int, s reader.Status) func(*assign.Facts) {
	return func(f *assign.Facts) {
		f.Reader = &reader.Reader{Status: s, Refusal: &reader.Refusal{Number: number}}
	}
}

func TestWithoutObstacleTheTitleIsGiven(t *testing.T) {
	if d := assign.Decide(good()); d != (assign.Decision{Verdict: assign.Give}) {
		t.Errorf("decided %+v", d)
	}
}

func TestEveryObstacleHasItsReason(t *testing.T) {
	for _, o := range obstacles {
		f := good()
		o.put(&f)
		if d := assign.Decide(f); d.Verdict != o.want || d.Reason != o.reason {
			t.Errorf("%s: decided %+v, want %s because of %s", o.name, d, o.want, o.reason)
		}
	}
}

func TestOfTwoObstaclesTheFirstIsTold(t *testing.T) {
	for i, first := range obstacles {
		for _, second := range obstacles[i+1:] {
			f := good()
			second.put(&f)
			first.put(&f) // last, so that it wins where both put the same fact
			if d := assign.Decide(f); d.Verdict != first.want || d.Reason != first.reason {
				t.Errorf("%s and %s: decided %+v, want %s", first.name, second.name, d, first.reason)
			}
		}
	}
}

func TestWhoIsBeyondWhatMayBeSpentIsToldHowManyThatWas(t *testing.T) {
	for want, approval := range map[string]assign.Approval{
		"3 licenses were approved, and have been given or are on their way":           {Plan: "p", At: start},
		"3 licenses may be given without approval, and have been or are on their way": {},
	} {
		f := good()
		f.Beyond, f.Wish.Limit, f.Wish.Approval = true, 3, approval
		if d := assign.Decide(f); d.Detail != want {
			t.Errorf("detail %q, want %q", d.Detail, want)
		}
	}
}

func TestWhatDoesNotStandInTheWay(t *testing.T) {
	for name, put := range map[string]func(*assign.Facts){
		"a reservation by a batch that has ended": func(f *assign.Facts) {
			f.License = license.License{State: license.Reserved, Batch: "b"}
		},
		"bound here": func(f *assign.Facts) {
			f.License = license.License{State: license.Wanted, Bound: here, BoundAs: apple.PricingSTDQ}
		},
		"refused for a reason that is gone": func(f *assign.Facts) {
			f.License = license.License{State: license.Refused, Reason: assign.Inactive}
		},
		"waiting for what has come": func(f *assign.Facts) {
			f.License = license.License{State: license.Waiting, Reason: assign.NoStock}
		},
		"refunded, and ordered since": func(f *assign.Facts) {
			f.License, f.Wish.Created = license.License{State: license.Gone, Lost: start}, start.Add(time.Second)
		},
		"refused by Apple, and ordered since": func(f *assign.Facts) {
			f.License = license.License{State: license.Refused, Reason: assign.AppleRefused, Since: start}
			f.Wish.Created = start.Add(time.Second)
		},
		"a refusal that was overcome": func(f *assign.Facts) {
			f.Reader.Refusal = &reader.Refusal{Number: 9635}
		},
		"the very last license": func(f *assign.Facts) { f.Free = 1 },
	} {
		f := good()
		put(&f)
		if d := assign.Decide(f); d.Verdict != assign.Give {
			t.Errorf("%s: decided %+v, want it given", name, d)
		}
	}
}

func TestEveryReasonSaysWhatIsTheMatterAndWhatToDo(t *testing.T) {
	texts := map[string]license.Reason{}
	for _, o := range obstacles {
		e := assign.Explain(o.reason)
		if e.Text == "" || e.Next == "" || e.Text == string(o.reason) {
			t.Errorf("%s: %+v explains nothing", o.reason, e)
		}
		if other, ok := texts[e.Text]; ok && other != o.reason {
			t.Errorf("%s and %s have the same text", o.reason, other)
		}
		texts[e.Text] = o.reason
	}
	if e := assign.Explain("made up"); e.Text == "" || e.Next == "" {
		t.Errorf("an unknown reason: %+v", e)
	}
}
