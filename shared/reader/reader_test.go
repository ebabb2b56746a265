package reader_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/world"
)

const (
	location = "1000"
	mdmID    = "33333333-3333-4333-8333-333333333333"
)

var (
	start    = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)
	identity = reader.Identity{Location: location, MDMID: mdmID}
	errLost  = errors.New("made up: the answer was lost")
)

// scripted is Apple as a test tells it to be.
type scripted struct {
	created, updated [][]apple.NewUser
	retired          [][]string
	fail             error
	event            apple.Event
	eventErr         error
	rows             []apple.User // what a listing of users shows
	refuseSince      bool         // 9721 to every sinceVersionId
	queries          []apple.UserQuery
}

func (a *scripted) CreateUsers(_ context.Context, users []apple.NewUser) (string, error) {
	a.created = append(a.created, users)
	return fmt.Sprint("create-", len(a.created)), a.fail
}

func (a *scripted) UpdateUsers(_ context.Context, users []apple.NewUser) (string, error) {
	a.updated = append(a.updated, users)
	return fmt.Sprint("update-", len(a.updated)), a.fail
}

func (a *scripted) RetireUsers(_ context.Context, ids []string) (string, error) {
	a.retired = append(a.retired, ids)
	return fmt.Sprint("retire-", len(a.retired)), a.fail
}

func (a *scripted) Event(context.Context, string) (apple.Event, error) { return a.event, a.eventErr }

func (a *scripted) UserPages(
	_ context.Context, q apple.UserQuery, _ int, visit func(apple.Page, []apple.User) error,
) error {
	a.queries = append(a.queries, q)
	if a.refuseSince && q.SinceVersion != "" {
		return &apple.Error{Number: apple.NumberVersion}
	}
	rows := slices.DeleteFunc(slices.Clone(a.rows), func(u apple.User) bool {
		return q.ClientUserID != "" && u.ClientUserID != q.ClientUserID
	})
	return visit(apple.Page{TotalPages: 1, Last: true}, rows)
}

// desk is a worker with everything around it.
type desk struct {
	*testing.T
	engine *mem.Table
	clock  *world.Virtual
	apple  *scripted
	reader.Worker
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	v := world.NewVirtual(1, start)
	engine := mem.New(v)
	a := &scripted{}
	return &desk{t, engine, v, a, reader.Worker{
		Store: table.NewStore(engine, v.World()), World: v.World(), Apple: a, Identity: identity, MaxUsers: 3,
		Poll: 10 * time.Second,
	}}
}

func (d *desk) ensure(people ...reader.Person) int {
	d.Helper()
	n, _, err := d.Ensure(d.Context(), people, "v1")
	if err != nil {
		d.Fatal(err)
	}
	return n
}

func (d *desk) follow(event string) bool {
	d.Helper()
	done, _, err := d.Follow(d.Context(), []string{event}, "v1")
	if err != nil {
		d.Fatal(err)
	}
	return done == 1
}

func (d *desk) of(person string) reader.Reader {
	d.Helper()
	docs, err := reader.OfPeople(d.Context(), d.Store.ReadStore, identity, []string{person})
	if err != nil {
		d.Fatal(err)
	}
	return docs[person].Value
}

func (d *desk) apply(rows ...apple.User) int {
	d.Helper()
	n, err := reader.Apply(d.Context(), d.Store, location, rows, d.clock.Now())
	if err != nil {
		d.Fatal(err)
	}
	return n
}

func idOf(person string) string { return reader.ClientUserID(mdmID, location, person, 0) }

func (d *desk) asked() string {
	return fmt.Sprintf("%d created, %d updated", len(slices.Concat(d.apple.created...)), len(slices.Concat(d.apple.updated...)))
}

// Apple knows people by these ids: this test may never be changed to make it pass.
func TestAClientUserIDNeverChanges(t *testing.T) {
	tests := []struct {
		mdmID, location, person string
		generation              int
		want                    string
	}{
		{"33333333-3333-4333-8333-333333333333", "1000", "anna", 0, "ba64ed75-f985-51de-bcab-c5f68bec3b7a"},
		{"33333333-3333-4333-8333-333333333333", "1000", "anna", 1, "c5d2a616-9831-50b1-b6e2-3f601557196b"},
		{"33333333-3333-4333-8333-333333333333", "1000", "ben", 0, "6fd3de52-8b79-5ce5-8d32-a5f87db99a64"},
		{"33333333-3333-4333-8333-333333333333", "2000", "anna", 0, "80ab20ed-9563-57cf-a743-672ccaeb35e8"},
		{"33333333-3333-4333-8333-333333333334", "1000", "anna", 0, "6efd123e-7c3d-5b79-9ead-a59054fe9016"},
	}
	for _, test := range tests {
		if got := reader.ClientUserID(test.mdmID, test.location, test.person, test.generation); got != test.want {
			t.Errorf("%+v: got %s", test, got)
		}
	}
	ids, err := reader.IDs(t.Context(), newDesk(t).Store.ReadStore, identity, []string{"anna", "anna", "ben"})
	if err != nil || len(ids) != 2 || ids["anna"] != tests[0].want {
		t.Errorf("IDs are %v, error %v", ids, err)
	}
}

func TestOneSeedAsksInOneOrder(t *testing.T) {
	run := func() string {
		d := newDesk(t)
		var people []reader.Person
		var ids []string
		for i := range 20 {
			people = append(people, reader.Person{ID: fmt.Sprint("p", i)})
			ids = append(ids, idOf(people[i].ID))
		}
		d.ensure(people...)
		if err := d.Forget(t.Context(), ids); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(d.apple.created) + string(d.engine.Dump())
	}
	if a, b := run(), run(); a != b {
		t.Errorf("the same input left two different traces:\n%s\n%s", a, b)
	}
}

func TestPagesShowEveryReaderOnce(t *testing.T) {
	d := newDesk(t)
	for i := range 20 {
		d.ensure(reader.Person{ID: fmt.Sprint("p", i)})
	}
	d.apply(apple.User{ClientUserID: "stranger", Status: apple.UserAssociated})
	var seen []string
	for cursor, more := "", true; more; more = cursor != "" {
		page, next, err := reader.PageOf(t.Context(), d.Store.ReadStore, location, 6, cursor)
		if err != nil || len(page) > 6 {
			t.Fatal(len(page), err)
		}
		for _, r := range page {
			seen = append(seen, r.PersonID)
		}
		cursor = next
	}
	slices.Sort(seen)
	if len(seen) != 20 || len(slices.Compact(seen)) != 20 {
		t.Errorf("shown: %s", strings.Join(seen, " "))
	}
}
