package stage_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/stage"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/directory"
)

// school is a stage with people in one group and titles with stock for all, ready before anything was asked for.
type school struct {
	*stage.Stage
	people []string
	group  string
	titles []string
}

func newSchool(t *testing.T, people, titles int, change func(*stage.Options)) *school {
	t.Helper()
	limits := applefake.DocumentedLimits()
	limits.MaxAssets, limits.MaxClientUserIDs = 2, 10
	o := stage.Options{Seed: 1, Apple: applefake.Options{Limits: &limits}}
	o.Sites = []applefake.LocationSpec{{Name: "Library", Country: "US", Domains: []string{"school.example"}}}
	for i := range titles {
		o.Sites[0].Stock = append(o.Sites[0].Stock, applefake.Stock{
			AdamID: fmt.Sprint(900000001 + i), Total: people + 10, Title: applefake.Title{Name: fmt.Sprint("Book ", i+1)},
		})
	}
	if testing.Verbose() {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if change != nil {
		change(&o)
	}
	s, err := stage.New(o)
	must(t, err)
	sc := &school{Stage: s}
	for _, stock := range o.Sites[0].Stock {
		sc.titles = append(sc.titles, stock.AdamID)
	}
	sc.enroll(t, people)
	return sc
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// enroll fills the directory: people with Managed Apple Accounts, all in one group.
func (s *school) enroll(t *testing.T, n int) {
	t.Helper()
	ctx := context.Background()
	var members directory.Membership
	for i := range n {
		p, err := s.Directory.CreatePerson(ctx, directory.Person{
			UserName: fmt.Sprintf("p%02d@school.example", i), DisplayName: fmt.Sprint("Person ", i), Active: true,
		})
		must(t, err)
		s.people = append(s.people, p.ID)
		members.Add(directory.Member{ID: p.ID})
	}
	g, err := s.Directory.CreateGroup(ctx, directory.Group{DisplayName: "Class"}, members)
	must(t, err)
	s.group = g.ID
}

// book is the identity of a title's book in a location; counts and the rest are in the table.
func bookAt(site *applefake.Location, adamID, pricing string) book.Book {
	asset := apple.AssetKey{AdamID: adamID, PricingParam: pricing}
	return book.Book{ID: book.ID(site.UID(), asset), Location: site.UID(), Asset: asset}
}

func (s *school) assignOne(ctx context.Context, adamID string) error {
	return s.wish(ctx, bookAt(s.Site, adamID, apple.PricingSTDQ), s.group)
}

// wish makes the book required for the groups, and for no others.
func (s *school) wish(ctx context.Context, b book.Book, groups ...string) error {
	var asks []assign.Ask
	for _, g := range groups {
		asks = append(asks, assign.Ask{GroupID: g, Intent: assign.Required})
	}
	due, err := s.Assigner.Replace(ctx, b, asks, "anna")
	if err != nil {
		return err
	}
	return s.Worker.Queue.Wake(ctx, b.Location, due)
}

func (s *school) assign(t *testing.T) {
	t.Helper()
	for _, adamID := range s.titles {
		must(t, s.assignOne(context.Background(), adamID))
	}
}

func TestMainJobGivesEveryLicenseOnce(t *testing.T) {
	ctx := context.Background()
	s := newSchool(t, 30, 5, nil)
	must(t, s.Install(ctx))
	must(t, s.Rest(ctx))
	s.assign(t)
	must(t, s.Rest(ctx))
	if got := len(s.Site.Ledger()); got != 30*5 {
		t.Errorf("Apple gave %d licenses, want 150", got)
	}
	if d := s.Apple.DoubleSpends(); len(d) > 0 {
		t.Errorf("double spends: %v", d)
	}
	t.Log("virtual time:", s.Clock.Now().Sub(stage.Start).Round(time.Second))
}
