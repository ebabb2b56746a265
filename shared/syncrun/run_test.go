package syncrun_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/syncrun"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
)

func TestTheFirstRunReadsEverythingOnce(t *testing.T) {
	o := newOffice(t)
	run := o.sync(syncrun.Delta)
	o.same("after the first run")
	if run.Kind != syncrun.Full || !run.First || run.Trigger != "anna" || run.Error != "" || run.Ended.IsZero() {
		t.Errorf("the run is %+v, want the first, full, by anna", run)
	}
	want := syncrun.Counts{Books: 2, BooksChanged: 2, ReadersChanged: 7, LicensesRead: 9, LicensesAdded: 9}
	got := run.Counts
	if got.ReadUnits == 0 || got.WriteUnits == 0 || got.Calls["assignments"] != 3+1 || got.Calls["users"] != 3 {
		t.Errorf("it counted %+v", got)
	}
	got.Calls, got.ReadUnits, got.WriteUnits = nil, 0, 0
	if !reflect.DeepEqual(got, want) {
		t.Errorf("it counted %+v, want %+v", got, want)
	}
	s := o.saved
	if s.Status != token.SyncCompleted || s.FirstDone.IsZero() || s.LastFull != s.FirstDone || s.LastDone != s.FirstDone ||
		s.UsersVersion != "v7" || s.AssignmentsVersion != "v9" || s.Run != nil || s.AssetPages != 1 || s.LastError != "" {
		t.Errorf("the state is %+v", s)
	}
	if b := o.book("1"); b.Total != 10 || b.Available != 3 || b.Name() != "Momo" || b.Counted.IsZero() {
		t.Errorf("book 1 is %+v", b)
	}
}

func TestADeltaRunReadsOnlyWhatCame(t *testing.T) {
	o := newOffice(t)
	o.sync(syncrun.Full)
	o.apple.give("1", "z")
	o.apple.users = append(o.apple.users, apple.User{ClientUserID: "new", Status: apple.UserAssociated})
	run := o.sync(syncrun.Delta)
	o.same("after the delta run")
	if run.Kind != syncrun.Delta || run.First || run.Counts.LicensesRead != 1 || run.Counts.LicensesAdded != 1 ||
		run.Counts.ReadersChanged != 1 || run.Counts.BooksReread != 0 {
		t.Errorf("the run is %+v", run)
	}
	if o.saved.AssignmentsVersion != "v10" || o.saved.UsersVersion != "v8" {
		t.Errorf("the state is %+v", o.saved)
	}
}

func TestAFullRunFindsWhatDisappearedAndRereadsNothingElse(t *testing.T) {
	o := newOffice(t)
	o.sync(syncrun.Full)
	o.apple.takeBack("2", "c")
	o.apple.give("2", "z")
	run := o.sync(syncrun.Full)
	o.same("after the full run")
	if run.Counts.BooksReread != 1 || run.Counts.LicensesRemoved != 1 || run.Counts.LicensesAdded != 1 || run.First {
		t.Errorf("it counted %+v, want one book reread, one license removed, one added", run.Counts)
	}
	if run = o.sync(syncrun.Full); run.Counts.BooksReread != 0 || run.Counts.LicensesRead != 9 {
		t.Errorf("when nothing changed it counted %+v, want nothing reread", run.Counts)
	}
}

func TestADeltaBecomesFullWhenTheLastFullRunIsAWeekOld(t *testing.T) {
	for age, want := range map[time.Duration]syncrun.Kind{
		7*24*time.Hour - time.Minute: syncrun.Delta, 7*24*time.Hour + time.Minute: syncrun.Full,
	} {
		o := newOffice(t)
		o.sync(syncrun.Full)
		o.clock.Advance(age)
		if run := o.sync(syncrun.Delta); run.Kind != want {
			t.Errorf("after %s: %s, want %s", age, run.Kind, want)
		}
	}
}

func TestNothingIsRemovedWhenTheListingMovedUnderTheReread(t *testing.T) {
	o := newOffice(t)
	o.sync(syncrun.Full)
	o.apple.takeBack("2", "c")
	o.apple.page = func(_ string, query any, index int) error {
		if q, ok := query.(apple.AssignmentQuery); ok && q.AdamID == "2" && index == 1 {
			o.apple.give("1", "later") // another version from here on
		}
		return nil
	}
	run := o.sync(syncrun.Full)
	if run.Counts.LicensesRemoved != 0 || o.holders("2") != "abcde" {
		t.Errorf("%d removed, title 2 is held by %q: a page may have hidden a row", run.Counts.LicensesRemoved, o.holders("2"))
	}
	o.apple.page = nil
	o.sync(syncrun.Full)
	o.same("after the next full run, in peace")
}

func TestWhatComesWhileEverythingIsReadIsNotMissed(t *testing.T) {
	for page := range 3 {
		o := newOffice(t)
		o.sync(syncrun.Full)
		came := false
		o.apple.page = func(_ string, query any, index int) error {
			if query == (apple.AssignmentQuery{}) && index == page && !came {
				came = true
				o.apple.give("1", "y")
			}
			return nil
		}
		o.sync(syncrun.Full)
		if !came {
			t.Fatal("nothing came: the test proves nothing")
		}
		o.same(fmt.Sprintf("a license came at page %d", page))
	}
}

// Ends the chunk after each page, and the process ahead of each page, of every kind of run.
func TestARunGoesOnWhereItStoppedWhereverThatWas(t *testing.T) {
	scenes := map[string]func(o *office) syncrun.Kind{
		"first": func(*office) syncrun.Kind { return syncrun.Full },
		"delta": func(o *office) syncrun.Kind {
			o.sync(syncrun.Full)
			o.apple.give("1", "w", "x", "y", "z")
			return syncrun.Delta
		},
		"full": func(o *office) syncrun.Kind {
			o.sync(syncrun.Full)
			o.apple.takeBack("1", "a")
			o.apple.takeBack("2", "e")
			o.apple.give("2", "x", "y", "z", "w")
			return syncrun.Full
		},
	}
	for name, prepare := range scenes {
		t.Run(name+", chunk by chunk", func(t *testing.T) {
			o := newOffice(t)
			kind := prepare(o)
			o.chunk = 0
			run := o.sync(kind)
			o.same("in the end")
			if run.Ended.IsZero() || o.saved.Run != nil || o.saved.Status != token.SyncCompleted {
				t.Errorf("the run is %+v, the state %+v", run, o.saved)
			}
		})
		t.Run(name+", death by death", func(t *testing.T) {
			for n := 1; ; n++ {
				o := newOffice(t)
				kind := prepare(o)
				left := n
				o.apple.page = func(string, any, int) error {
					if left--; left == 0 {
						o.dead = true
						o.engine.SetFaults(mem.Faults{Before: func(mem.Call) error { return errDied }})
						return errDied
					}
					return nil
				}
				_, err := o.once(kind)
				o.apple.page = nil
				o.engine.SetFaults(mem.Faults{})
				o.dead = false
				if left > 0 {
					if n < 5 {
						t.Errorf("the run has %d pages: it proves too little", n-1)
					}
					break
				}
				if !errors.Is(err, errDied) {
					t.Fatalf("page %d: error %v, want the death", n, err)
				}
				o.sync(kind)
				o.same(fmt.Sprintf("died at page %d", n))
			}
		})
	}
}

func TestOneSeedSyncsInOneTrace(t *testing.T) {
	trace := func() string {
		o := newOffice(t)
		o.sync(syncrun.Full)
		o.apple.takeBack("1", "a")
		o.apple.assets = o.apple.assets[:1]
		o.sync(syncrun.Full)
		return string(o.engine.Dump()) + fmt.Sprint(o.saved)
	}
	if a, b := trace(), trace(); a != b {
		t.Error("the same run left two different traces")
	}
}

func TestEndedRunsAreListedNewestFirst(t *testing.T) {
	o := newOffice(t)
	first := o.sync(syncrun.Full)
	o.clock.Advance(time.Hour)
	second := o.sync(syncrun.Delta)
	page, next, err := syncrun.Runs(t.Context(), o.store.ReadStore, location, 1, "")
	if err != nil || len(page) != 1 || page[0].ID != second.ID {
		t.Fatalf("the first page is %+v with error %v, want %s", page, err, second.ID)
	}
	if page, _, err = syncrun.Runs(t.Context(), o.store.ReadStore, location, 1, next); err != nil || page[0].ID != first.ID {
		t.Errorf("the second page is %+v with error %v, want %s", page, err, first.ID)
	}
}
