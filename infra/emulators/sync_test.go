//go:build aws

package emulators_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/emulators"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/syncrun"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/dynamo"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

// The library of the cost tests: every title is held by a hundred readers, 10,000 licenses. Then a class of 25 gets four
// titles, and one more reader gets all of them: twice 1 %.
const (
	titles  = 100
	holders = 100
	class   = 25
	readers = holders + class + 1
	changes = 100
	indexes = 2
)

var start = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)

// library is a location at the fake of Apple's, and our table on DynamoDB as Dynoxide plays it, which counts units right.
type library struct {
	*testing.T
	store    *table.Store
	world    world.World
	clock    *world.Virtual
	site     *applefake.Location
	opened   *apple.Location
	identity reader.Identity
	state    token.LocationDoc
	ids      []string // the readers' clientUserIds
	saves    int      // checkpoints
}

func TestASyncOfTenThousandLicensesWritesWhatChanged(t *testing.T) {
	for whose, ours := range map[string]bool{"ours": true, "foreign": false} {
		t.Run(whose, func(t *testing.T) {
			l := newLibrary(t, ours)
			first, _ := l.measure("all is new", syncrun.Full)
			if first.Counts.LicensesAdded != titles*holders {
				t.Fatalf("the first sync found %d licenses", first.Counts.LicensesAdded)
			}
			for i := range changes / class {
				l.give(i, l.ids[holders:holders+class]...)
			}
			l.wantWithin("a class gets four books", syncrun.Delta)
			l.wantNothing(syncrun.Delta)
			for i := range titles {
				l.give(i, l.ids[readers-1])
			}
			l.wantWithin("somebody gets every book", syncrun.Full)
			l.wantNothing(syncrun.Full)
		})
	}
}

// wantWithin runs a sync that finds the changes and writes no more than what they, the books' counts and its own
// progress come to, and 20 units for everything else.
func (l *library) wantWithin(what string, kind syncrun.Kind) {
	l.Helper()
	run, used := l.measure(what, kind)
	if run.Kind != kind || run.Counts.LicensesAdded != changes {
		l.Errorf("%s: a %s sync found %d changes", what, run.Kind, run.Counts.LicensesAdded)
	}
	if most := changes*(1+indexes) + run.Counts.BooksChanged + l.saves + 20; used.Write > float64(most) {
		l.Errorf("%s: %v write units, more than %d", what, used.Write, most)
	}
}

// wantNothing runs a sync that finds nothing, and writes no more than its own progress, and 20 units.
func (l *library) wantNothing(kind syncrun.Kind) {
	l.Helper()
	if _, used := l.measure("nothing changed", kind); used.Write > float64(l.saves+20) {
		l.Errorf("nothing changed: %v write units, %d checkpoints", used.Write, l.saves)
	}
}

// measure runs a sync an hour after the last one, and tells what it consumed.
func (l *library) measure(what string, kind syncrun.Kind) (syncrun.Run, table.Units) {
	l.Helper()
	l.clock.Advance(time.Hour)
	l.saves = 0
	before := l.store.Units()
	run := l.sync(kind)
	now := l.store.Units()
	used := table.Units{Read: now.Read - before.Read, Write: now.Write - before.Write}
	l.Logf("%s, %s: %v write units, %v read units; %d licenses added, %d books changed, %d checkpoints",
		what, kind, used.Write, used.Read, run.Counts.LicensesAdded, run.Counts.BooksChanged, l.saves)
	return run, used
}

// give gives a title to readers by other hands.
func (l *library) give(title int, ids ...string) {
	l.Helper()
	l.must(l.site.GrantBySomeoneElse(adamID(title), apple.PricingSTDQ, ids...))
}

func adamID(i int) string { return fmt.Sprint(900000001 + i) }

func (l *library) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func newLibrary(t *testing.T, ours bool) *library {
	t.Helper()
	const name = "bookplate-cost"
	cfg := emulators.Dynoxide(t)
	emulators.Table(t, cfg, name)
	clock := world.NewVirtual(1, start)
	l := &library{T: t, clock: clock, world: world.World{Clock: clock, Rand: world.Real().Rand, Runner: world.Real().Runner}}
	l.store = table.NewStore(dynamo.New(cfg, name, clock), l.world)
	l.opened = l.open()
	if ours {
		l.makeReaders()
	} else {
		for i := range readers {
			l.ids = append(l.ids, fmt.Sprint("somebody-", i))
			l.must(l.site.AddUser(l.ids[i], "", ""))
		}
	}
	for i := range titles {
		l.give(i, l.ids[:holders]...)
	}
	return l
}

// open makes the location at Apple's fake and opens it as ours.
func (l *library) open() *apple.Location {
	spec := applefake.LocationSpec{Name: "Library", Country: "US", Domains: []string{"school.example"}}
	for i := range titles {
		spec.Stock = append(spec.Stock, applefake.Stock{
			AdamID: adamID(i), Total: readers + 10, Title: applefake.Title{Name: fmt.Sprint("Book ", i)},
		})
	}
	fake, err := applefake.New(applefake.Options{Clock: l.clock, Seed: 1, BaseURL: "http://127.0.0.1"})
	l.must(err)
	l.site, err = fake.AddLocation(spec)
	l.must(err)
	text, err := l.site.IssueToken(start.AddDate(1, 0, 0))
	l.must(err)
	content, err := apple.DecodeToken([]byte(text))
	l.must(err)
	service, err := apple.NewService(apple.Options{
		BaseURL: "http://127.0.0.1/mdm/v2", HTTP: slow{fake.Transport(), l.clock}, World: l.world,
		Log: slog.New(slog.DiscardHandler), Timeout: -1,
	})
	l.must(err)
	uid := l.site.UID()
	l.identity = reader.Identity{Location: uid, MDMID: token.MDMID("4c3c6ab4-7f0d-4b6e-9d3e-2a40f8f25d3f", uid)}
	opened := service.Open(content.Secret, apple.Identity{UID: uid})
	_, err = opened.Claim(l.Context(), apple.MDMInfo{ID: l.identity.MDMID, Name: "Bookplate", Metadata: "made up"})
	l.must(err)
	return opened
}

// slow is Apple's service, which takes its time: so that a sync passes its checkpoints.
type slow struct {
	http.RoundTripper
	clock *world.Virtual
}

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	s.clock.Advance(time.Second)
	return s.RoundTripper.RoundTrip(r)
}

// makeReaders has Apple make people of ours.
func (l *library) makeReaders() {
	worker := reader.Worker{
		Store: l.store, World: l.world, Apple: l.opened, MaxUsers: 100, Poll: time.Second, Identity: l.identity,
	}
	var people []reader.Person
	for i := range readers {
		person := fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		people = append(people, reader.Person{ID: person})
		l.ids = append(l.ids, reader.ClientUserID(l.identity.MDMID, l.identity.Location, person, 0))
	}
	asked, _, err := worker.Ensure(l.Context(), people, "")
	l.must(err)
	if asked != readers {
		l.Fatalf("asked for %d readers", asked)
	}
	l.clock.Advance(time.Hour)
}

// sync runs one to its end, and saves the location's state as the worker does.
func (l *library) sync(kind syncrun.Kind) syncrun.Run {
	l.Helper()
	var err error
	l.state, err = token.LoadLocation(l.Context(), l.store.ReadStore, l.identity.Location)
	l.must(err)
	s := &syncrun.Syncer{
		Store: l.store, World: l.world, Apple: l.opened, Log: slog.New(slog.DiscardHandler),
		Record: token.Record{Location: l.identity.Location, MDMID: l.identity.MDMID, Country: "us", State: token.Valid},
		State:  &l.state.Value.Sync, Until: l.clock.Now().Add(time.Hour), Save: l.save,
	}
	run, err := s.Chunk(l.Context(), kind, "test")
	l.must(err)
	if run.Phase != syncrun.Done || run.Error != "" {
		l.Fatalf("the sync ended in %s: %s", run.Phase, run.Error)
	}
	return run
}

func (l *library) save(ctx context.Context) error {
	l.saves++
	op, err := l.state.Save()
	if err != nil {
		return err
	}
	l.state.Version, err = l.store.Commit(ctx, op)
	return err
}
