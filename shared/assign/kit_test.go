package assign_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

const mdmID = "33333333-3333-4333-8333-333333333333"

var identity = reader.Identity{Location: here, MDMID: mdmID}

// quiet is an Announcer that tells nobody.
type quiet struct{}

func (quiet) Before(context.Context, directory.Change) error { return nil }
func (quiet) After(context.Context, directory.Change) error  { return nil }

// school is a location that was synced, with one book.
type school struct {
	*testing.T
	clock     *world.Virtual
	engine    *mem.Table
	store     *table.Store
	directory *directory.Directory
	assigner  assign.Assigner
	surveyor  assign.Surveyor
	record    token.Record
	book      book.Book
}

func newSchool(t *testing.T) *school {
	t.Helper()
	v := world.NewVirtual(1, start)
	engine := mem.New(v)
	store := table.NewStore(engine, v.World())
	d := directory.New(store, v.World(), quiet{})
	asset := apple.AssetKey{AdamID: "900000001", PricingParam: apple.PricingSTDQ}
	s := &school{
		T: t, clock: v, engine: engine, store: store, directory: d,
		assigner: assign.Assigner{Store: store, Directory: d.Reader, World: v.World(), Hold: 10 * time.Minute},
		surveyor: assign.Surveyor{Store: store.ReadStore, Directory: d.Reader, World: v.World()},
		record:   token.Record{ID: "token", Location: here, MDMID: mdmID, State: token.Valid},
		book:     book.Book{ID: book.ID(here, asset), Location: here, Asset: asset, Total: 100, Available: 100},
	}
	ops, err := token.Create(s.record)
	s.must(err)
	_, err = store.Commit(t.Context(), ops...)
	s.must(err)
	state, err := token.LoadLocation(t.Context(), store.ReadStore, here)
	s.must(err)
	state.Value.Sync.FirstDone = start
	s.save(state.Save())
	return s
}

func (s *school) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *school) save(op table.Op, err error) {
	s.Helper()
	s.must(err)
	_, err = s.store.Commit(s.Context(), op)
	s.must(err)
}

// person is somebody active whom Apple knows as associated, unless edit says otherwise.
func (s *school) person(name string, edits ...func(*directory.Person)) string {
	s.Helper()
	p := directory.Person{UserName: name + "@school.example", DisplayName: name, Active: true}
	for _, edit := range edits {
		edit(&p)
	}
	p, err := s.directory.CreatePerson(s.Context(), p)
	s.must(err)
	return p.ID
}

func (s *school) group(people ...string) string {
	s.Helper()
	var m directory.Membership
	for _, p := range people {
		m.Add(directory.Member{ID: p})
	}
	g, err := s.directory.CreateGroup(s.Context(), directory.Group{DisplayName: "Class"}, m)
	s.must(err)
	return g.ID
}

// createdOnly lets a reader.Worker store readers, and takes every request.
type createdOnly struct{ reader.Apple }

func (createdOnly) CreateUsers(context.Context, []apple.NewUser) (string, error) { return "event", nil }

func (createdOnly) UserPages(context.Context, apple.UserQuery, int, func(apple.Page, []apple.User) error) error {
	return nil // nothing has changed
}

// associate makes people readers with an account at Apple.
func (s *school) associate(people ...string) {
	s.Helper()
	w := reader.Worker{Store: s.store, World: s.clock.World(), Apple: createdOnly{}, Identity: identity, MaxUsers: 100}
	var list []reader.Person
	var rows []apple.User
	for _, p := range people {
		list = append(list, reader.Person{ID: p})
		id := reader.ClientUserID(mdmID, here, p, 0)
		rows = append(rows, apple.User{ClientUserID: id, Status: apple.UserAssociated, IDHash: "hash of " + p})
	}
	_, _, err := w.Ensure(s.Context(), list, "")
	s.must(err)
	_, err = reader.Apply(s.Context(), s.store, here, rows, s.clock.Now())
	s.must(err)
}

func (s *school) replace(asks ...assign.Ask) time.Time {
	s.Helper()
	due, err := s.assigner.Replace(s.Context(), s.book, asks, "rita")
	s.must(err)
	return due
}

func (s *school) wishes() assign.Wishes {
	s.Helper()
	doc, err := assign.Load(s.Context(), s.store.ReadStore, s.book)
	s.must(err)
	return doc.Value
}

// marks are the location's, as "kind#subject +minutes".
func (s *school) marks() map[string]time.Duration {
	s.Helper()
	marks, err := mark.Read(s.Context(), s.store.ReadStore, here)
	s.must(err)
	list := map[string]time.Duration{}
	for _, m := range marks {
		list[string(m.Kind)+"#"+m.Subject] = m.Due.Sub(s.clock.Now())
	}
	return list
}

// license stores what change makes of a person's license of the book.
func (s *school) license(person string, change func(license.License) license.License) {
	s.Helper()
	doc, err := license.Load(s.Context(), s.store.ReadStore, s.book.Asset.AdamID, person)
	s.must(err)
	doc.Value = change(doc.Value)
	s.save(license.Save(doc))
}

func (s *school) survey() (lines, lapsed []assign.Line) {
	s.Helper()
	site, err := s.surveyor.LoadSite(s.Context(), s.record)
	s.must(err)
	lines, lapsed, err = s.surveyor.Survey(s.Context(), site, s.book, s.wishes())
	s.must(err)
	return lines, lapsed
}

func required(group string) assign.Ask {
	return assign.Ask{GroupID: group, Intent: assign.Required, Field: "managedEBookAssignments[0]"}
}

func available(group string) assign.Ask {
	return assign.Ask{GroupID: group, Intent: assign.Available, Field: "managedEBookAssignments[1]"}
}

func wantProblem(t *testing.T, err error, code, target string) {
	t.Helper()
	p, ok := problem.As(err)
	if !ok || p.Kind.Status() >= 500 || p.Code != code || p.Target != target {
		t.Errorf("error %+v, want %s at %q", err, code, target)
	}
}

func names(lines []assign.Line) string {
	var out string
	for _, l := range lines {
		out += fmt.Sprintf("%s:%s%s ", l.Person.DisplayName, l.Decision.Verdict, suffix(l.Decision.Reason))
	}
	return out
}

func suffix(r license.Reason) string {
	if r == "" {
		return ""
	}
	return "(" + string(r) + ")"
}

// foreign is a reader that somebody else made.
func (s *school) foreign(clientUserID, idHash string) error {
	row := apple.User{ClientUserID: clientUserID, Status: apple.UserAssociated, IDHash: idHash}
	_, err := reader.Apply(s.Context(), s.store, here, []apple.User{row}, s.clock.Now())
	return err
}
