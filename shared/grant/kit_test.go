package grant

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

const (
	uid   = "1000"
	mdmID = "33333333-3333-4333-8333-333333333333"
)

var start = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)

// scripted is Apple as a test tells it to be. What is associated isn't listed before the test says so.
type scripted struct {
	stock map[apple.AssetKey]int
	total int // of each title
	rows  []apple.Assignment
	sent  []apple.Association
	event apple.Event
	since []string // the versions since which the listing was read
	// associate, if set, answers a spending request.
	associate func(apple.Association) (string, error)
}

func (a *scripted) AssetPages(
	_ context.Context, q apple.AssetQuery, _ int, visit func(apple.Page, []apple.Asset) error,
) error {
	var rows []apple.Asset
	for key, n := range a.stock {
		if q.AdamID == "" || q.AdamID == key.AdamID {
			rows = append(rows, apple.Asset{AssetKey: key, ProductType: apple.ProductBook, TotalCount: a.total, AvailableCount: n})
		}
	}
	return visit(apple.Page{VersionID: "v", Last: true}, rows)
}

func (a *scripted) UserPages(
	_ context.Context, _ apple.UserQuery, _ int, visit func(apple.Page, []apple.User) error,
) error {
	return visit(apple.Page{VersionID: "v", Last: true}, nil)
}

func (a *scripted) AssignmentPages(
	_ context.Context, q apple.AssignmentQuery, _ int, visit func(apple.Page, []apple.Assignment) error,
) error {
	a.since = append(a.since, q.SinceVersion)
	rows := slices.DeleteFunc(slices.Clone(a.rows), func(r apple.Assignment) bool {
		return q.AdamID != "" && q.AdamID != r.AdamID || q.ClientUserID != "" && q.ClientUserID != r.ClientUserID
	})
	return visit(apple.Page{VersionID: "v", Last: true}, rows)
}

func (*scripted) Titles(context.Context, apple.TitleQuery, []string) (map[string]apple.Title, error) {
	return nil, nil
}
func (*scripted) Calls() map[string]int                                { return nil }
func (a *scripted) Event(context.Context, string) (apple.Event, error) { return a.event, nil }

func (*scripted) CreateUsers(context.Context, []apple.NewUser) (string, error) { return "created", nil }

func (*scripted) RetireUsers(context.Context, []string) (string, error) { return "retired", nil }

func (*scripted) UpdateUsers(context.Context, []apple.NewUser) (string, error) { return "updated", nil }

func (a *scripted) Associate(_ context.Context, as apple.Association) (string, error) {
	a.sent = append(a.sent, as)
	if a.associate != nil {
		return a.associate(as)
	}
	return fmt.Sprint("event-", len(a.sent)), nil
}

// list shows the n-th request's pairs in the listing, but for those that keep says no to.
func (a *scripted) list(n int, keep func(apple.AssetKey, string) bool) {
	for _, asset := range a.sent[n].Assets {
		for _, id := range a.sent[n].ClientUserIDs {
			if keep == nil || keep(asset, id) {
				a.rows = append(a.rows, apple.Assignment{AssetKey: asset, ClientUserID: id})
			}
		}
	}
}

// school is a synced location with books that a group of associated people is to get.
type school struct {
	*testing.T
	clock    *world.Virtual
	engine   *mem.Table
	store    *table.Store
	apple    *scripted
	granter  Granter
	assigner assign.Assigner
	people   []string
	group    string
	books    []book.Book
}

func newSchool(t *testing.T, people, titles int) *school {
	t.Helper()
	v := world.NewVirtual(1, start)
	engine := mem.New(v)
	store := table.NewStore(engine, v.World())
	a := &scripted{stock: map[apple.AssetKey]int{}, total: 9999}
	d := directory.New(store, v.World(), quiet{})
	record := token.Record{ID: token.ID(mdmID, uid), Location: uid, MDMID: mdmID, State: token.Valid, SecretVersion: "v1"}
	s := &school{
		T: t, clock: v, engine: engine, store: store, apple: a,
		assigner: assign.Assigner{Store: store, Directory: d.Reader, World: v.World()},
		granter: Granter{
			Store: store, World: v.World(), Apple: a, Limits: apple.Limits{MaxAssets: 25, MaxClientUserIDs: 1000},
			Directory: d.Reader, Record: record, State: &token.Sync{}, Log: slog.New(slog.DiscardHandler), Until: start.Add(24 * time.Hour),
			Pace: Pace{ResendAfter: 10 * time.Minute, Poll: 10 * time.Second, MaxOpen: 5},
			Readers: reader.Worker{
				Store: store, World: v.World(), Apple: a, MaxUsers: 1000, Poll: 10 * time.Second,
				Identity: reader.Identity{Location: uid, MDMID: mdmID},
			},
		},
	}
	ops, err := token.Create(record)
	s.must(err)
	state, err := token.LoadLocation(t.Context(), store.ReadStore, uid)
	s.must(err)
	state.Value.Sync.FirstDone = start
	save, err := state.Save()
	s.must(err)
	s.commit(append(ops, save)...)
	s.enroll(d, people)
	for i := range titles {
		s.stock(fmt.Sprint(900000001+i), 1000)
	}
	return s
}

// quiet is an Announcer that tells nobody.
type quiet struct{}

func (quiet) Before(context.Context, directory.Change) error { return nil }
func (quiet) After(context.Context, directory.Change) error  { return nil }

func (s *school) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *school) commit(ops ...table.Op) {
	s.Helper()
	_, err := s.store.Commit(s.Context(), ops...)
	s.must(err)
}

func (s *school) enroll(d *directory.Directory, n int) {
	s.Helper()
	var members directory.Membership
	var readers []reader.Person
	var rows []apple.User
	for i := range n {
		p, err := d.CreatePerson(s.Context(), directory.Person{UserName: fmt.Sprintf("p%02d", i), Active: true})
		s.must(err)
		s.people = append(s.people, p.ID)
		members.Add(directory.Member{ID: p.ID})
		readers = append(readers, reader.Person{ID: p.ID})
		rows = append(rows, apple.User{ClientUserID: s.idOf(p.ID), Status: apple.UserAssociated})
	}
	g, err := d.CreateGroup(s.Context(), directory.Group{DisplayName: "Class"}, members)
	s.must(err)
	s.group = g.ID
	_, _, err = s.granter.Readers.Ensure(s.Context(), readers, "")
	s.must(err)
	_, err = reader.Apply(s.Context(), s.store, uid, rows, start)
	s.must(err)
}

func (s *school) idOf(person string) string { return reader.ClientUserID(mdmID, uid, person, 0) }

// stock lets the location have a book with that many licenses, wished for the group.
func (s *school) stock(adamID string, n int) {
	s.Helper()
	s.stockOf(apple.AssetKey{AdamID: adamID, PricingParam: apple.PricingSTDQ}, n)
}

func (s *school) stockOf(asset apple.AssetKey, n int) {
	s.Helper()
	s.apple.stock[asset] = n
	b := book.Book{ID: book.ID(uid, asset), Location: uid, Asset: asset, Total: 9999, Available: n}
	s.must(book.Store(s.Context(), s.store, book.Doc{Value: b}))
	s.books = append(s.books, b)
	_, err := s.assigner.Replace(s.Context(), b, []assign.Ask{{GroupID: s.group, Intent: assign.Required}}, "rita")
	s.must(err)
}

func (s *school) spend() {
	s.Helper()
	s.must(s.granter.Spend(s.Context(), []string{mark.SubjectAll}))
}

// next goes on with the backlog, as the end of a batch that gave all has it done.
func (s *school) next() {
	s.Helper()
	s.must(s.granter.Spend(s.Context(), []string{mark.SubjectNext}))
}

// dueSubjects are those of the grants that are marked and due.
func (s *school) dueSubjects() (subjects []string) {
	s.Helper()
	marks, err := mark.Read(s.Context(), s.store.ReadStore, uid)
	s.must(err)
	for _, m := range marks {
		if (m.Kind == mark.Grants || m.Kind == mark.Later) && !m.Due.After(s.clock.Now()) {
			subjects = append(subjects, m.Subject)
		}
	}
	return subjects
}

// work does what is due of grants until nothing is, as a location's worker does.
func (s *school) work() {
	s.Helper()
	for rounds := 0; ; rounds++ {
		subjects := s.dueSubjects()
		if len(subjects) == 0 {
			return
		}
		if rounds > 20 {
			s.Fatalf("it never comes to rest: %v", subjects)
		}
		s.cleared()
		s.must(s.granter.Spend(s.Context(), subjects))
	}
}

func (s *school) open() []license.BatchDoc {
	s.Helper()
	open, err := license.OpenBatches(s.Context(), s.store.ReadStore, uid)
	s.must(err)
	return open
}

// settle looks at all open batches.
func (s *school) settle() {
	s.Helper()
	for _, doc := range s.open() {
		s.must(s.granter.Settle(s.Context(), doc.Value.ID))
	}
}

func (s *school) license(book, person int) license.License {
	s.Helper()
	doc, err := license.Load(s.Context(), s.store.ReadStore, s.books[book].Asset.AdamID, s.people[person])
	s.must(err)
	return doc.Value
}

// states counts the licenses of all people and books by state and reason.
func (s *school) states() map[string]int {
	s.Helper()
	counts := map[string]int{}
	for b := range s.books {
		for p := range s.people {
			l := s.license(b, p)
			name := string(l.State)
			if l.Reason != "" {
				name += " " + string(l.Reason)
			}
			if l.Bound != "" {
				name += " bound"
			}
			counts[name]++
		}
	}
	return counts
}

func finished(requested, completed int, failures ...apple.Failure) apple.Event {
	e := apple.Event{Status: apple.EventComplete, Requested: requested, Completed: completed, Failures: failures}
	if len(failures) > 0 {
		e.Status = apple.EventFailed
	}
	return e
}

func failure(number int, assets []apple.AssetKey, users ...string) apple.Failure {
	return apple.Failure{Number: number, Info: apple.ErrorInfo{Assets: assets, ClientUserIDs: users}}
}
