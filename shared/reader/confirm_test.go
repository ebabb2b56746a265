package reader_test

import (
	"context"
	"testing"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/reader"
)

// allRows answers with all rows of a clientUserId, and counts how often it was asked.
type allRows struct {
	rows  []apple.User
	asked int
}

func (a *allRows) UserPages(
	_ context.Context, q apple.UserQuery, _ int, visit func(apple.Page, []apple.User) error,
) error {
	a.asked++
	var found []apple.User
	for _, row := range a.rows {
		if row.ClientUserID == q.ClientUserID {
			found = append(found, row)
		}
	}
	return visit(apple.Page{Last: true}, found)
}

func TestARetiredRowAloneDoesNotRetireAReaderWhoIsActive(t *testing.T) {
	d := newDesk(t)
	d.ensure(reader.Person{ID: "p1"})
	id := idOf("p1")
	d.apply(apple.User{ClientUserID: id, Status: apple.UserAssociated, IDHash: "hash"})
	retired := apple.User{ClientUserID: id, Status: apple.UserRetired}
	linked := apple.User{ClientUserID: id, Status: apple.UserAssociated, IDHash: "hash"}
	tests := []struct {
		name  string
		apple []apple.User
		want  string
	}{
		{"the active row is elsewhere", []apple.User{retired, linked}, apple.UserAssociated},
		{"there is no active row", []apple.User{retired}, apple.UserRetired},
	}
	for _, test := range tests {
		users := &allRows{rows: test.apple}
		rows, err := reader.Confirm(t.Context(), d.Store.ReadStore, users, location, []apple.User{retired})
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != 1 || rows[0].Status != test.want || users.asked != 1 {
			t.Errorf("%s: %v after asking %d times, want %s after asking once", test.name, rows, users.asked, test.want)
		}
	}
}

func TestRowsThatRetireNobodyOfOursAreNotAskedAbout(t *testing.T) {
	d := newDesk(t)
	d.ensure(reader.Person{ID: "p1"})
	id := idOf("p1")
	d.apply(apple.User{ClientUserID: id, Status: apple.UserAssociated, IDHash: "hash"})
	users := &allRows{}
	rows := []apple.User{
		{ClientUserID: id, Status: apple.UserAssociated},
		{ClientUserID: "stranger", Status: apple.UserRetired},
	}
	got, err := reader.Confirm(t.Context(), d.Store.ReadStore, users, location, rows)
	if err != nil || len(got) != 2 || users.asked != 0 {
		t.Errorf("%v, %v after asking %d times", got, err, users.asked)
	}
}
