package reader_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/reader"
)

var anna = reader.Person{ID: "anna", Account: "anna@school.example"}

func (d *desk) office() reader.Desk { return reader.Desk{Store: d.Store, World: d.World} }

// order orders the retirement of a person's reader.
func (d *desk) order(person string) reader.Retirement {
	d.Helper()
	r, err := d.office().Retire(d.Context(), d.stored(person, 0), "otto", "left the school")
	if err != nil {
		d.Fatal(err)
	}
	return r
}

// stored is a reader as its item says, whatever was ordered.
func (d *desk) stored(person string, generation int) reader.Reader {
	d.Helper()
	id := reader.ClientUserID(mdmID, location, person, generation)
	docs, err := reader.LoadMany(d.Context(), d.Store.ReadStore, location, []string{id})
	if err != nil {
		d.Fatal(err)
	}
	return docs[id].Value
}

func (d *desk) retire() {
	d.Helper()
	if err := d.Retire(d.Context(), "v1"); err != nil {
		d.Fatal(err)
	}
}

func (d *desk) retirement(person string) reader.Retirement {
	d.Helper()
	all, err := reader.Retirements(d.Context(), d.Store.ReadStore, location)
	if err != nil {
		d.Fatal(err)
	}
	return all[person].Value
}

// marks are the kinds of the marks that are due.
func (d *desk) marks() string {
	d.Helper()
	marks, err := mark.Read(d.Context(), d.Store.ReadStore, location)
	if err != nil {
		d.Fatal(err)
	}
	var kinds []string
	for _, m := range marks {
		if !m.Due.After(d.clock.Now()) {
			kinds = append(kinds, string(m.Kind))
		}
	}
	slices.Sort(kinds)
	return fmt.Sprint(kinds)
}

// gone has Apple retire the reader of anna.
func (d *desk) gone() {
	d.apple.event = apple.Event{Status: apple.EventComplete, Requested: 1, Completed: 1}
	d.apple.rows = []apple.User{{ClientUserID: idOf("anna"), Status: apple.UserRetired, IDHash: "hash"}}
}

func TestARetiredReaderIsRetiredAtAppleAndCountsAsRetiredFromTheOrderOn(t *testing.T) {
	d := newDesk(t)
	d.become(anna, apple.UserAssociated)
	r := d.order("anna")
	if r.State != reader.Ordered || r.By != "otto" || r.Why != "left the school" || !r.Ordered.Equal(d.clock.Now()) {
		t.Errorf("ordered as %+v", r)
	}
	if got := d.of("anna").Status; got != reader.Retired || d.stored("anna", 0).Status != reader.Associated {
		t.Errorf("after the order the person is %s, and the reader as Apple says: %s", got, d.stored("anna", 0).Status)
	}
	if got := d.marks(); got != "[grants retire]" {
		t.Errorf("the order marked %s", got)
	}
	d.retire()
	if want := [][]string{{idOf("anna")}}; fmt.Sprint(d.apple.retired) != fmt.Sprint(want) {
		t.Errorf("asked Apple to retire %v, want %v", d.apple.retired, want)
	}
	if got := d.retirement("anna"); got.State != reader.Ordered {
		t.Errorf("done before Apple said so: %+v", got)
	}
	d.retire() // under way
	d.clock.Advance(time.Minute)
	d.gone()
	if !d.follow("retire-1") {
		t.Fatal("the request isn't done")
	}
	d.retire()
	if got := d.retirement("anna"); got.State != reader.Done || !got.Ended.Equal(d.clock.Now()) || len(d.apple.retired) != 1 {
		t.Errorf("%+v after %d requests", got, len(d.apple.retired))
	}
	d.ensure(anna) // no wish brings them back
	if got := d.asked(); got != "1 created, 0 updated" || d.of("anna").Status != reader.Retired {
		t.Errorf("%s; the person is %s", got, d.of("anna").Status)
	}
}

// A batch that may still send for the person, or a request that would bring them to Apple, comes to its end first.
func TestARetirementWaitsForWhatIsUnderWayForThePerson(t *testing.T) {
	tests := []struct {
		name  string
		batch license.Batch
		waits bool
	}{
		{"prepared", license.Batch{State: license.Prepared, People: []string{"ben", "anna"}}, true},
		{"sending", license.Batch{State: license.Sending, People: []string{"anna"}}, true},
		{"sent", license.Batch{State: license.Sent, People: []string{"anna"}}, true},
		{"sent without the person", license.Batch{State: license.Sent, People: []string{"ben"}, Dropped: []string{"anna"}}, false},
		{"of another location", license.Batch{State: license.Sent, People: []string{"anna"}, Location: "2000"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t)
			d.become(anna, apple.UserAssociated)
			b := test.batch
			b.ID = "b1"
			if b.Location == "" {
				b.Location = location
			}
			save, err := license.NewBatch(b).Save()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Store.Commit(t.Context(), save); err != nil {
				t.Fatal(err)
			}
			d.order("anna")
			d.retire()
			if waits := len(d.apple.retired) == 0; waits != test.waits {
				t.Errorf("waits: %t, want %t", waits, test.waits)
			}
			if !test.waits {
				return
			}
			d.clock.Advance(3 * d.Poll)
			if got := d.marks(); got != "[grants later readers retire]" {
				t.Errorf("looked at again by %s", got)
			}
		})
	}
	t.Run("a request for the reader", func(t *testing.T) {
		d := newDesk(t)
		d.ensure(anna)
		d.order("anna")
		d.retire()
		if len(d.apple.retired) != 0 {
			t.Errorf("retired %v while the reader was being created", d.apple.retired)
		}
	})
}

// A process dies after Apple was asked and before that was stored: what comes next does no harm, whatever Apple has done.
func TestARepeatedRetirementIsHarmless(t *testing.T) {
	for _, test := range []struct {
		name     string
		then     func(d *desk)
		requests int
	}{
		{"Apple has done it", (*desk).gone, 1},
		{"Apple hasn't done it", func(*desk) {}, 2},
		{"Apple does it only now, and refuses the second", func(d *desk) {
			d.retire()
			d.gone()
			d.apple.event = apple.Event{Status: apple.EventFailed, Requested: 1, Failures: []apple.Failure{{Number: 9609}}}
			d.follow("retire-2")
		}, 2},
		{"Apple refuses the second at once", func(d *desk) {
			d.apple.fail = &apple.Error{Number: 9609}
			d.retire()
			d.gone()
		}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t)
			d.become(anna, apple.UserAssociated)
			d.order("anna")
			d.apple.fail = errLost
			if err := d.Retire(t.Context(), "v1"); err == nil {
				t.Fatal("no error")
			}
			d.apple.fail = nil
			test.then(d)
			d.retire()
			if len(d.apple.retired) != test.requests {
				t.Errorf("Apple was asked %d times, want %d", len(d.apple.retired), test.requests)
			}
			d.gone()
			d.follow(fmt.Sprint("retire-", len(d.apple.retired)))
			d.retire()
			if got := d.retirement("anna"); got.State != reader.Done {
				t.Errorf("in the end %+v", got)
			}
		})
	}
}

// Apple doesn't know the reader: perhaps a request to create it was lost, so Apple is asked once all the same.
func TestAReaderWhomAppleDoesNotKnowIsRetiredOnceAppleHasBeenAsked(t *testing.T) {
	for _, atOnce := range []bool{false, true} {
		t.Run(fmt.Sprint("refused at once: ", atOnce), func(t *testing.T) {
			d := newDesk(t)
			d.lose(anna)
			d.order("anna")
			if atOnce {
				d.apple.fail = &apple.Error{Number: 9609}
			}
			d.retire()
			d.apple.fail = nil
			if len(d.apple.retired) != 1 || d.retirement("anna").State == reader.Done {
				t.Fatalf("asked %v, then %+v", d.apple.retired, d.retirement("anna"))
			}
			if !atOnce {
				d.apple.event = apple.Event{Status: apple.EventFailed, Failures: []apple.Failure{{Number: 9609}}}
				d.follow("retire-1")
			}
			d.retire()
			if got := d.retirement("anna"); got.State != reader.Done || len(d.apple.retired) != 1 {
				t.Errorf("%+v after %d requests", got, len(d.apple.retired))
			}
		})
	}
}

func TestAppleRefusingForAnotherReasonPutsTheRetirementOff(t *testing.T) {
	d := newDesk(t)
	d.become(anna, apple.UserAssociated)
	d.order("anna")
	d.retire()
	d.apple.event = apple.Event{Status: apple.EventFailed, Failures: []apple.Failure{{Number: 9603}}}
	if _, err := d.Store.Commit(t.Context(), mark.New(location, mark.Retire, mark.SubjectAll, d.clock.Now().Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	d.follow("retire-1")
	if got := d.marks(); got != "[grants]" {
		t.Errorf("due at once: %s", got)
	}
	d.clock.Advance(10 * time.Minute)
	if got := d.marks(); !strings.HasSuffix(got, " retire]") {
		t.Errorf("due after ten minutes: %s", got)
	}
}

func TestARestoredPersonIsANewReaderOfTheNextGeneration(t *testing.T) {
	d := newDesk(t)
	d.become(anna, apple.UserAssociated)
	d.order("anna")
	d.gone()
	d.retire()
	d.retire()
	old := d.stored("anna", 0)
	r, err := d.office().Restore(t.Context(), old, "otto", "came back")
	if err != nil || r.State != reader.Restored || r.Current() != 1 || r.RestoredBy != "otto" {
		t.Fatal(r, err)
	}
	if got := d.marks(); got != "[grants readers retire]" && got != "[grants readers]" {
		t.Errorf("restoring marked %s", got)
	}
	next := reader.ClientUserID(mdmID, location, "anna", 1)
	if got := d.of("anna"); got.Status != reader.New || got.Generation != 1 || got.ClientUserID != next {
		t.Errorf("restored as %+v", got)
	}
	d.apple.created = nil
	d.ensure(anna)
	if len(d.apple.created) != 1 || d.apple.created[0][0].ClientUserID != next {
		t.Errorf("created %v, want %s", d.apple.created, next)
	}
	d.apply(apple.User{ClientUserID: next, Status: apple.UserAssociated, IDHash: "hash"})
	if got := d.of("anna"); got.Status != reader.Associated || got.ClientUserID != next || got.Generation != 1 {
		t.Errorf("created as %+v", got)
	}
	docs, err := reader.LoadMany(t.Context(), d.Store.ReadStore, location, []string{idOf("anna"), next})
	if err != nil || docs[idOf("anna")].Value.PersonID != "anna" || docs[next].Value.PersonID != "anna" {
		t.Errorf("the former id no longer leads to the person: %v, %v", docs, err)
	}
	ids, err := reader.IDs(t.Context(), d.Store.ReadStore, identity, []string{"anna"})
	if err != nil || ids["anna"] != next {
		t.Errorf("the present id is %s, error %v", ids["anna"], err)
	}
	if _, err := d.office().Retire(t.Context(), d.stored("anna", 1), "otto", "left again"); err != nil {
		t.Fatal(err)
	}
	if got := d.retirement("anna"); got.Generation != 1 || got.State != reader.Ordered || d.of("anna").Status != reader.Retired {
		t.Errorf("retired again as %+v", got)
	}
}

func TestOrdersThatMakeNoSenseAreRefusedAndRepeatedOnesChangeNothing(t *testing.T) {
	done := func(d *desk) { d.gone(); d.retire(); d.retire() }
	restored := func(d *desk) {
		done(d)
		if _, err := d.office().Restore(d.Context(), d.stored("anna", 0), "otto", "came back"); err != nil {
			d.Fatal(err)
		}
	}
	ordered := func(d *desk) { d.order("anna") }
	tests := []struct {
		name    string
		before  []func(d *desk)
		restore bool
		code    string // of the refusal; empty: obeyed
		acts    int    // in all, after it
	}{
		{"restore somebody who is a reader", nil, true, "NotRetired", 0},
		{"restore while retiring", []func(*desk){ordered}, true, "RetirementUnderWay", 1},
		{"retire again while retiring", []func(*desk){ordered}, false, "", 1},
		{"retire again when done", []func(*desk){ordered, done}, false, "", 1},
		{"retire the former one when restored", []func(*desk){ordered, restored}, false, "FormerReader", 2},
		{"restore again", []func(*desk){ordered, restored}, true, "", 2},
		{"restore whom others retired", []func(*desk){func(d *desk) {
			d.apply(apple.User{ClientUserID: idOf("anna"), Status: apple.UserRetired})
		}}, true, "", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t)
			d.become(anna, apple.UserAssociated)
			for _, before := range test.before {
				before(d)
			}
			act1 := d.office().Retire
			if test.restore {
				act1 = d.office().Restore
			}
			_, err := act1(t.Context(), d.stored("anna", 0), "otto", "because")
			p, _ := problem.As(err)
			if test.code == "" && err != nil || test.code != "" && (p == nil || p.Code != test.code) {
				t.Errorf("error %v, want %q", err, test.code)
			}
			acts, _, err := act.List(t.Context(), d.Store.ReadStore, act.Months(d.clock.Now(), 1), 10, "")
			if err != nil || len(acts) != test.acts {
				t.Errorf("%d acts, want %d (error %v): %+v", len(acts), test.acts, err, acts)
			}
		})
	}
}
