package syncrun_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/syncrun"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

const (
	location = "1000"
	perPage  = 3
)

var (
	start   = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)
	errDied = errors.New("made up: the process died")
)

// scripted is Apple as a test tells it to be. Its version ids are the number of rows that were ever there.
type scripted struct {
	clock  *world.Virtual
	assets []apple.Asset
	users  []apple.User
	rows   []apple.Assignment // in the order in which they came; the zero one is gone
	titles map[string]apple.Title

	titlesErr error
	refuse    map[string]error // by version id: what a delta since it is answered with
	// page, if set, is called ahead of every page of any listing: an error is the page's.
	page  func(listing string, query any, index int) error
	calls map[string]int
	asked []string // titles that the catalog was asked for
}

func (a *scripted) Calls() map[string]int { return maps.Clone(a.calls) }

func (a *scripted) version(n int) string { return fmt.Sprint("v", n) }

// pages gives rows out; each page takes a second.
func pages[T any](
	ctx context.Context, a *scripted, listing string, query any, all func() []T, from int, version func() string,
	visit func(apple.Page, []T) error,
) error {
	for i := from; ; i++ {
		a.calls[listing]++
		if err := a.clock.Sleep(ctx, time.Second); err != nil {
			return err
		}
		if a.page != nil {
			if err := a.page(listing, query, i); err != nil {
				return err
			}
		}
		rows := all()
		total := max((len(rows)+perPage-1)/perPage, 1)
		if i >= total {
			return &apple.Error{Number: apple.NumberPage}
		}
		p := apple.Page{Index: i, TotalPages: total, VersionID: version(), Last: i == total-1}
		part := slices.Clone(rows[min(i*perPage, len(rows)):min((i+1)*perPage, len(rows))])
		if err := visit(p, part); err != nil || p.Last {
			return err
		}
	}
}

func (a *scripted) AssetPages(
	ctx context.Context, q apple.AssetQuery, from int, visit func(apple.Page, []apple.Asset) error,
) error {
	return pages(ctx, a, "assets", q, func() []apple.Asset { return a.assets }, from,
		func() string { return a.version(len(a.assets)) }, visit)
}

func (a *scripted) UserPages(
	ctx context.Context, q apple.UserQuery, from int, visit func(apple.Page, []apple.User) error,
) error {
	if err := a.refuse["users "+q.SinceVersion]; err != nil {
		return err
	}
	return pages(ctx, a, "users", q, func() []apple.User { return since(a.users, q.SinceVersion) }, from,
		func() string { return a.version(len(a.users)) }, visit)
}

func (a *scripted) AssignmentPages(
	ctx context.Context, q apple.AssignmentQuery, from int, visit func(apple.Page, []apple.Assignment) error,
) error {
	if err := a.refuse["assignments "+q.SinceVersion]; err != nil {
		return err
	}
	all := func() []apple.Assignment {
		return slices.DeleteFunc(slices.Clone(since(a.rows, q.SinceVersion)), func(r apple.Assignment) bool {
			return r == apple.Assignment{} || q.AdamID != "" && r.AdamID != q.AdamID
		})
	}
	return pages(ctx, a, "assignments", q, all, from, func() string { return a.version(len(a.rows)) }, visit)
}

func since[T any](list []T, version string) []T {
	var n int
	if version != "" {
		if _, err := fmt.Sscanf(version, "v%d", &n); err != nil {
			panic(err) // the syncer made the id up
		}
	}
	return list[n:]
}

func (a *scripted) Titles(_ context.Context, _ apple.TitleQuery, ids []string) (map[string]apple.Title, error) {
	a.calls["titles"]++
	a.asked = append(a.asked, ids...)
	if a.titlesErr != nil {
		return nil, a.titlesErr
	}
	return a.titles, nil
}

func (a *scripted) stock(adamID string, total, available int) {
	a.assets = append(a.assets, apple.Asset{
		AssetKey: stdq(adamID), ProductType: apple.ProductBook, TotalCount: total, AvailableCount: available,
	})
}

func (a *scripted) give(adamID string, holders ...string) {
	for _, h := range holders {
		a.rows = append(a.rows, apple.Assignment{AssetKey: stdq(adamID), ClientUserID: h})
	}
}

func (a *scripted) takeBack(adamID, holder string) {
	i := slices.Index(a.rows, apple.Assignment{AssetKey: stdq(adamID), ClientUserID: holder})
	a.rows[i] = apple.Assignment{}
}

func stdq(adamID string) apple.AssetKey {
	return apple.AssetKey{AdamID: adamID, PricingParam: apple.PricingSTDQ}
}

// office is a location with its state, as the worker keeps it.
type office struct {
	*testing.T
	clock  *world.Virtual
	engine *mem.Table
	store  *table.Store
	apple  *scripted
	state  token.Sync // in memory
	saved  token.Sync // in the table, if the process dies
	dead   bool       // nothing can be saved
	chunk  time.Duration
}

func newOffice(t *testing.T) *office {
	t.Helper()
	v := world.NewVirtual(1, start)
	engine := mem.New(v)
	a := &scripted{clock: v, calls: map[string]int{}, refuse: map[string]error{}}
	a.stock("1", 10, 3)
	a.stock("2", 10, 10)
	a.titles = map[string]apple.Title{"1": {AdamID: "1", Name: "Momo"}}
	a.give("1", "a", "b", "c", "d")
	a.give("2", "a", "b", "c", "d", "e")
	for i := range 7 {
		a.users = append(a.users, apple.User{ClientUserID: fmt.Sprint("u", i), Status: apple.UserAssociated})
	}
	return &office{T: t, clock: v, engine: engine, store: table.NewStore(engine, v.World()), apple: a, chunk: time.Hour}
}

// once runs one chunk on the state as it was last stored.
func (o *office) once(kind syncrun.Kind) (syncrun.Run, error) {
	o.state = o.saved
	s := syncrun.Syncer{
		Store: o.store, World: o.clock.World(), Apple: o.apple, Log: slog.New(slog.DiscardHandler), State: &o.state,
		Record: token.Record{Location: location, AccountType: token.Education, Country: "us"},
		Until:  o.clock.Now().Add(o.chunk),
		Save: func(context.Context) error {
			if o.dead {
				return errDied
			}
			o.saved = o.state
			return nil
		},
	}
	return s.Chunk(o.Context(), kind, "anna")
}

// sync runs chunks until the run is done.
func (o *office) sync(kind syncrun.Kind) syncrun.Run {
	o.Helper()
	for range 500 {
		run, err := o.once(kind)
		if err != nil {
			o.Fatal(err)
		}
		if run.Phase == syncrun.Done {
			return run
		}
	}
	o.Fatal("the run doesn't end")
	return syncrun.Run{}
}

// holders are what our table lists of a title, in order.
func (o *office) holders(adamID string) string {
	o.Helper()
	rows, _, err := license.Listed(o.Context(), o.store.ReadStore, location, adamID)
	if err != nil {
		o.Fatal(err)
	}
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.ClientUserID)
	}
	slices.Sort(ids)
	return strings.Join(ids, "")
}

func (o *office) book(adamID string) book.Book {
	o.Helper()
	doc, err := book.Load(o.Context(), o.store.ReadStore, book.ID(location, stdq(adamID)))
	if err != nil {
		o.Fatal(err)
	}
	return doc.Value
}

// same checks law 7: our table equals Apple's listing.
func (o *office) same(when string) {
	o.Helper()
	for _, adamID := range []string{"1", "2"} {
		var want []string
		for _, row := range o.apple.rows {
			if row.AdamID == adamID {
				want = append(want, row.ClientUserID)
			}
		}
		slices.Sort(want)
		if got := o.holders(adamID); got != strings.Join(want, "") {
			o.Errorf("%s: title %s is held by %q, at Apple by %q", when, adamID, got, strings.Join(want, ""))
		}
	}
}
