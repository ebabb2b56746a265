package syncrun_test

import (
	"errors"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/syncrun"
	"github.com/bookplate/bookplate/shared/token"
)

var errVersion = &apple.Error{Number: apple.NumberVersion}

func TestAVersionThatAppleRefusesMakesTheRunReadEverything(t *testing.T) {
	tests := []struct {
		refused string
		kind    syncrun.Kind
	}{
		{"assignments v9", syncrun.Full},
		{"users v7", syncrun.Delta},
	}
	for _, test := range tests {
		o := newOffice(t)
		o.sync(syncrun.Full)
		o.apple.takeBack("1", "a")
		o.apple.give("1", "z")
		o.apple.users = append(o.apple.users, apple.User{ClientUserID: "new", Status: apple.UserAssociated})
		o.apple.refuse[test.refused] = errVersion
		run := o.sync(syncrun.Delta)
		if run.Kind != test.kind || run.Error != "" || run.Counts.ReadersChanged != 1 {
			t.Errorf("%s refused: the run is %+v, want a %s one", test.refused, run, test.kind)
		}
		if test.kind == syncrun.Full {
			o.same(test.refused + " refused")
		}
		if o.saved.UsersVersion != "v8" || o.saved.AssignmentsVersion != "v10" {
			t.Errorf("%s refused: the state is %+v", test.refused, o.saved)
		}
	}
}

func TestAListingThatShrinksUnderTheWalkIsBegunAgain(t *testing.T) {
	o := newOffice(t)
	o.sync(syncrun.Full)
	shrunk := false
	o.apple.page = func(_ string, query any, index int) error {
		if query == (apple.AssignmentQuery{}) && index == 2 && !shrunk {
			shrunk = true
			for _, h := range []string{"a", "b", "c", "d"} {
				o.apple.takeBack("1", h)
			}
		}
		return nil
	}
	run := o.sync(syncrun.Full)
	if !shrunk || run.Error != "" {
		t.Fatalf("shrunk: %v, run %+v", shrunk, run)
	}
	o.same("after the listing had shrunk")
}

func TestARefusalThatStaysEndsTheRunAndAnythingElseLetsItGoOn(t *testing.T) {
	tests := []struct {
		name string
		err  error
		ends bool
	}{
		{"the token has expired", &apple.Error{Number: apple.NumberExpired}, true},
		{"another owner", &apple.OwnerError{Owner: apple.MDMInfo{ID: "x", Name: "Other"}}, true},
		{"another location", &apple.LocationError{Want: "1000", Got: "2000"}, true},
		{"too many requests", &apple.Error{Number: 9646}, false},
		{"unavailable", &apple.UnavailableError{Cause: errors.New("made up")}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := newOffice(t)
			o.apple.page = func(listing string, _ any, index int) error {
				if listing == "assignments" && index == 1 {
					return test.err
				}
				return nil
			}
			run, err := o.once(syncrun.Full)
			if !errors.Is(err, test.err) {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if o.saved.Status != token.SyncFailed || o.saved.LastError == "" || !o.saved.FirstDone.IsZero() {
				t.Errorf("the state is %+v, want it failed", o.saved)
			}
			if ended := run.Phase == syncrun.Done && run.Error != "" && o.saved.Run == nil; ended != test.ends {
				t.Errorf("the run is %+v, want it ended: %v", run, test.ends)
			}
			o.apple.page = nil
			next := o.sync(syncrun.Full)
			if same := next.ID == run.ID; same == test.ends {
				t.Errorf("the next run is the same one: %v", same)
			}
			o.same("in the end")
			if o.saved.LastError != "" || o.saved.Status != token.SyncCompleted {
				t.Errorf("the error stays although all is well: %+v", o.saved)
			}
		})
	}
}

func TestABookThatAppleNoLongerListsIsMissingUntilItComesBack(t *testing.T) {
	o := newOffice(t)
	o.sync(syncrun.Full)
	first := o.apple.assets[0]
	o.apple.assets = o.apple.assets[1:]
	run := o.sync(syncrun.Delta)
	if b := o.book("1"); b.Missing.IsZero() || b.Available != 0 || b.Total != 10 || run.Counts.BooksChanged != 1 {
		t.Errorf("not listed: %+v, %d changed", b, run.Counts.BooksChanged)
	}
	since := o.book("1").Missing
	if run = o.sync(syncrun.Delta); run.Counts.BooksChanged != 0 || !o.book("1").Missing.Equal(since) {
		t.Errorf("still not listed: missing since %s, %d changed", o.book("1").Missing, run.Counts.BooksChanged)
	}
	o.apple.assets = append(o.apple.assets, first)
	if o.sync(syncrun.Delta); !o.book("1").Missing.IsZero() || o.book("1").Available != 3 || o.book("1").Name() != "Momo" {
		t.Errorf("listed again: %+v", o.book("1"))
	}
}

func TestNoBookIsCalledMissingWhenTheListingMovedUnderTheWalk(t *testing.T) {
	o := newOffice(t)
	for _, id := range []string{"3", "4", "5"} {
		o.apple.stock(id, 1, 1)
	}
	o.sync(syncrun.Full)
	o.apple.page = func(listing string, _ any, index int) error {
		if listing == "assets" && index == 1 {
			o.apple.assets = append(o.apple.assets[1:], o.apple.assets[0])
			o.apple.stock("6", 1, 1)
		}
		return nil
	}
	o.sync(syncrun.Delta)
	for _, id := range []string{"1", "2", "3", "4", "5"} {
		if b := o.book(id); !b.Missing.IsZero() {
			t.Errorf("book %s is called missing", id)
		}
	}
}

func TestAppsAreNoBooks(t *testing.T) {
	o := newOffice(t)
	o.apple.assets = append(o.apple.assets, apple.Asset{AssetKey: stdq("9"), ProductType: apple.ProductApp})
	o.apple.rows = append(o.apple.rows, apple.Assignment{AssetKey: stdq("9"), SerialNumber: "MADE-UP"})
	run := o.sync(syncrun.Full)
	if run.Counts.Books != 2 || o.holders("9") != "" {
		t.Errorf("%d books, the app is held by %q", run.Counts.Books, o.holders("9"))
	}
	if run = o.sync(syncrun.Full); run.Counts.BooksReread != 0 {
		t.Errorf("a device's license makes every full run read %d books again", run.Counts.BooksReread)
	}
}

func TestTheCatalogsFailureFailsNoRun(t *testing.T) {
	o := newOffice(t)
	o.apple.titlesErr = errors.New("made up: the catalog is away")
	run := o.sync(syncrun.Full)
	if run.Error != "" || run.Note == "" || o.book("1").Name() != "Title 1" {
		t.Errorf("the run is %+v, the book %+v", run, o.book("1"))
	}
	o.apple.titlesErr = nil
	if run = o.sync(syncrun.Delta); run.Note != "" || o.book("1").Name() != "Momo" {
		t.Errorf("the next run is %+v, the book %+v", run, o.book("1"))
	}
}

func TestTheCatalogIsAskedAgainOnlyWhenItsWordOrItsSilenceIsOld(t *testing.T) {
	for _, test := range []struct {
		after time.Duration
		want  int // titles asked for by the second run: 1 is known to the catalog, 2 isn't
	}{
		{time.Hour, 0}, {25 * time.Hour, 1}, {31 * 24 * time.Hour, 2},
	} {
		o := newOffice(t)
		o.sync(syncrun.Full)
		o.apple.asked = nil
		o.clock.Advance(test.after)
		o.sync(syncrun.Delta)
		if len(o.apple.asked) != test.want {
			t.Errorf("after %s: asked for %v, want %d titles", test.after, o.apple.asked, test.want)
		}
	}
}
