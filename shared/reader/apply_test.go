package reader_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/reader"
)

func TestAReaderHasTheStatusOfItsActiveRow(t *testing.T) {
	rows := func(statuses ...string) (list []apple.User) {
		for _, s := range statuses {
			list = append(list, apple.User{ClientUserID: idOf("anna"), Status: s})
		}
		return list
	}
	tests := []struct {
		rows []apple.User
		want reader.Status
	}{
		{rows(apple.UserRegistered), reader.Invited},
		{rows(apple.UserAssociated), reader.Associated},
		{rows(apple.UserRetired), reader.Retired},
		{rows(apple.UserDeleted), reader.Retired},
		{rows("SomethingNew"), reader.Retired},
		{rows(apple.UserRetired, apple.UserAssociated), reader.Associated},
		{rows(apple.UserAssociated, apple.UserRetired), reader.Associated},
		{rows(apple.UserDeleted, apple.UserRegistered, apple.UserRetired), reader.Invited},
		{rows(apple.UserDeleted, apple.UserRetired), reader.Retired},
		{rows(apple.UserRegistered, apple.UserAssociated), reader.Associated}, // the listing moved on under the walk
	}
	for _, test := range tests {
		d := newDesk(t)
		d.ensure(reader.Person{ID: "anna"})
		d.apply(test.rows...)
		if got := d.of("anna").Status; got != test.want {
			t.Errorf("rows %v: %s, want %s", test.rows, got, test.want)
		}
	}
}

func TestARowThatSaysNothingNewChangesNothing(t *testing.T) {
	d := newDesk(t)
	d.ensure(reader.Person{ID: "anna"})
	row := apple.User{ClientUserID: idOf("anna"), Status: apple.UserRegistered, InviteCode: "code"}
	stranger := apple.User{ClientUserID: "stranger", Status: apple.UserAssociated, IDHash: "hash"}
	if n := d.apply(row, stranger); n == 0 {
		t.Fatal("the first time nothing changed")
	}
	before := string(d.engine.Dump())
	d.clock.Advance(time.Hour)
	if n := d.apply(row, stranger); n != 0 || string(d.engine.Dump()) != before {
		t.Errorf("%d items changed by what was known", n)
	}
}

func TestAReaderRemembersSinceWhenAndUnderWhichAccount(t *testing.T) {
	d := newDesk(t)
	d.ensure(reader.Person{ID: "anna"})
	d.clock.Advance(time.Hour)
	d.apply(apple.User{ClientUserID: idOf("anna"), Status: apple.UserRegistered, InviteCode: "code"})
	if r := d.of("anna"); r.Changed != start.Add(time.Hour) || r.InviteCode != "code" || r.Created != start {
		t.Errorf("invited: %+v", r)
	}
	d.clock.Advance(time.Hour)
	d.apply(apple.User{ClientUserID: idOf("anna"), Status: apple.UserAssociated, IDHash: "hash", InviteCode: "code"})
	if r := d.of("anna"); r.Changed != start.Add(2*time.Hour) || r.InviteCode != "" || r.IDHash != "hash" {
		t.Errorf("associated: %+v", r)
	}
	d.clock.Advance(time.Hour)
	d.apply(apple.User{ClientUserID: idOf("anna"), Status: apple.UserAssociated})
	if r := d.of("anna"); r.Changed != start.Add(2*time.Hour) || r.IDHash != "hash" {
		t.Errorf("a row without hash: %+v", r)
	}
}

func TestStrangersAreKeptApartAndFoundByTheirAccount(t *testing.T) {
	d := newDesk(t)
	d.ensure(reader.Person{ID: "anna"})
	long := strings.Repeat("x", 3000)
	d.apply(
		apple.User{ClientUserID: idOf("anna"), Status: apple.UserAssociated, IDHash: "hash-1"},
		apple.User{ClientUserID: "stranger", Status: apple.UserAssociated, IDHash: "hash-1"},
		apple.User{ClientUserID: "another", Status: apple.UserAssociated, IDHash: "hash-1"},
		apple.User{ClientUserID: long, Status: apple.UserRegistered},
		apple.User{ClientUserID: "nul\x00", Status: apple.UserAssociated, IDHash: "hash-2"},
	)
	aliases, err := reader.Aliases(t.Context(), d.Store.ReadStore, []string{"hash-1", "hash-2", "hash-3", ""})
	if err != nil {
		t.Fatal(err)
	}
	want := []license.HolderID{
		{Location: location, ClientUserID: "stranger"}, {Location: location, ClientUserID: "another"},
	}
	if !slices.Equal(aliases["hash-1"], want) || len(aliases["hash-2"]) != 1 || len(aliases) != 2 {
		t.Errorf("aliases %q", aliases)
	}
	ours := 0
	for doc, err := range reader.Of(t.Context(), d.Store.ReadStore, location) {
		if err != nil || doc.Value.PersonID != "anna" {
			t.Errorf("among ours: %+v, %v", doc.Value, err)
		}
		ours++
	}
	if ours != 1 {
		t.Errorf("%d readers are ours, want 1", ours)
	}
}

func TestOnlyTheLocationsOwnReadersAreChanged(t *testing.T) {
	d := newDesk(t)
	d.ensure(reader.Person{ID: "anna"})
	row := apple.User{ClientUserID: idOf("anna"), Status: apple.UserAssociated}
	if _, err := reader.Apply(t.Context(), d.Store, "2000", []apple.User{row}, start); err != nil {
		t.Fatal(err)
	}
	if r := d.of("anna"); r.Status != reader.New {
		t.Errorf("another location's row changed her: %+v", r)
	}
}

func TestWhatOthersCallTheirReadersBreaksNoLookUp(t *testing.T) {
	d := newDesk(t)
	d.ensure(reader.Person{ID: "anna"})
	ids := []string{idOf("anna"), "", "stranger", strings.Repeat("x", 5000), "nul\x00", strings.Repeat("\x00", 36)}
	docs, err := reader.LoadMany(t.Context(), d.Store.ReadStore, location, ids)
	if err != nil || len(docs) != 1 || docs[idOf("anna")].Value.PersonID != "anna" {
		t.Errorf("found %d with error %v, want anna alone", len(docs), err)
	}
}

// Many people accept their invitations at about the same time: they share a look, a while after the first of them.
func TestWhoMayGetBooksNowHasEveryWishLookedAtAWhileLater(t *testing.T) {
	due := func(d *desk) (due []time.Duration) {
		marks, err := mark.Read(d.Context(), d.Store.ReadStore, location)
		if err != nil {
			d.Fatal(err)
		}
		for _, m := range marks {
			if m.Kind == mark.Later && m.Subject == mark.SubjectAll {
				due = append(due, m.Due.Sub(start))
			}
		}
		return due
	}
	row := func(person, status, hash string) apple.User {
		return apple.User{ClientUserID: idOf(person), Status: status, IDHash: hash}
	}
	d := newDesk(t)
	d.ensure(anna, reader.Person{ID: "ben"})
	d.apply(row("anna", apple.UserRegistered, ""), row("ben", apple.UserRegistered, ""))
	if got := due(d); len(got) != 0 {
		t.Errorf("they are invited, and everything is looked at after %v", got)
	}
	d.apply(row("anna", apple.UserAssociated, "a"))
	d.clock.Advance(10 * time.Second)
	d.apply(row("ben", apple.UserAssociated, "b"))
	if got := due(d); !slices.Equal(got, []time.Duration{30 * time.Second}) {
		t.Errorf("they have accepted, and everything is looked at after %v", got)
	}
	for name, rows := range map[string][]apple.User{
		"retired":                    {row("anna", apple.UserRetired, "a")},
		"linked to another account":  {row("anna", apple.UserAssociated, "c")},
		"another product's, and new": {{ClientUserID: "strange", Status: apple.UserAssociated, IDHash: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.become(anna, apple.UserAssociated)
			d.apply(row("anna", apple.UserAssociated, "a"))
			d.clear()
			d.apply(rows...)
			if got := due(d); len(got) != 1 {
				t.Errorf("everything is looked at after %v, want once", got)
			}
			d.clear()
			if d.apply(rows...); len(due(d)) != 0 {
				t.Error("the same rows have it looked at again")
			}
		})
	}
}

// clear removes the mark that everything is looked at later.
func (d *desk) clear() {
	d.Helper()
	marks, err := mark.Read(d.Context(), d.Store.ReadStore, location)
	if err != nil {
		d.Fatal(err)
	}
	for _, m := range marks {
		if m.Kind != mark.Later {
			continue
		}
		if _, err := d.Store.Commit(d.Context(), m.Done()); err != nil {
			d.Fatal(err)
		}
	}
}
