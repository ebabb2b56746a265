package desk

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/grant"
	"github.com/bookplate/bookplate/shared/location"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/vault/file"
	"github.com/bookplate/bookplate/shared/world"
)

// Start is when the clock begins.
var Start = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)

// Domain is whose addresses are Managed Apple Accounts of the location's organization.
const Domain = "school.example"

// Desk is the installation.
type Desk struct {
	Clock     *world.Virtual
	World     world.World
	Table     *mem.Table
	Store     *table.Store
	Vault     *file.Vault
	Fake      *applefake.Server
	Place     *applefake.Location
	Token     string // a content token of Place
	Apple     *apple.Service
	Directory *directory.Directory
	Queue     *Queue
	Log       *bytes.Buffer

	logger  *slog.Logger
	secrets []string
}

// Queue remembers whom it was to wake.
type Queue struct{ Woken []string }

// Wake is the port's.
func (q *Queue) Wake(_ context.Context, location string, _ time.Time) error {
	q.Woken = append(q.Woken, location)
	return nil
}

type silent struct{}

func (silent) Before(context.Context, directory.Change) error { return nil }
func (silent) After(context.Context, directory.Change) error  { return nil }

// New sets the desk up: the fake's demonstration library with 3 generated titles, which 5 foreign readers hold, and
// nothing uploaded.
func New(t testing.TB) *Desk {
	t.Helper()
	clock := world.NewVirtual(11, Start)
	limits := applefake.DocumentedLimits()
	limits.MaxRequestPerSecond = -1
	server, err := applefake.New(applefake.Options{
		Clock: clock, Seed: 11, Limits: &limits, Client: &http.Client{Transport: welcoming{}},
	})
	Must(t, err)
	place, err := server.AddLocation(applefake.Library(Domain, applefake.Generated{Titles: 3, Readers: 5, Licenses: 9}))
	Must(t, err)
	s := &Desk{
		Clock: clock, World: clock.World(), Table: mem.New(clock), Fake: server, Place: place, Queue: &Queue{},
		Log: &bytes.Buffer{},
	}
	s.logger = slog.New(slog.NewTextHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.Store = table.NewStore(s.Table, s.World)
	s.Vault, err = file.Open(t.TempDir())
	Must(t, err)
	s.Apple, err = apple.NewService(apple.Options{
		BaseURL: "https://apple.example/mdm/v2", HTTP: server.Transport(), World: s.World, Log: s.logger, Timeout: -1,
	})
	Must(t, err)
	s.Directory = directory.New(s.Store, s.World, silent{})
	s.Token = s.Issue(t, place)
	t.Cleanup(func() { s.checkSecrets(t) })
	return s
}

// welcoming takes every notification.
type welcoming struct{}

func (welcoming) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
}

// Issue is a new content token of a location, good for a year; it revokes the older ones.
func (s *Desk) Issue(t testing.TB, place *applefake.Location) string {
	t.Helper()
	text, err := place.IssueToken(s.Clock.Now().AddDate(1, 0, 0))
	Must(t, err)
	s.secrets = append(s.secrets, text)
	return text
}

// Secret is a text that must show nowhere.
func (s *Desk) Secret(text string) string {
	s.secrets = append(s.secrets, text)
	return text
}

// Door is what every function takes. A bearer is the name of its caller's role.
func (s *Desk) Door() door.Config {
	return door.Config{World: s.World, Log: s.logger, Verify: func(bearer string) (auth.Caller, error) {
		role, err := auth.ParseRole(bearer)
		if err != nil {
			return auth.Caller{}, problem.New(problem.Unauthenticated, "", "This is the name of no role.")
		}
		return auth.Caller{Subject: bearer + "@" + Domain, Role: role}, nil
	}}
}

// Work has the location's worker do what is due until nothing is, through minutes of virtual time.
func (s *Desk) Work(t testing.TB, uid string) {
	t.Helper()
	for range 100 {
		s.Wake(t, uid)
		marks, err := mark.Read(t.Context(), s.Store.ReadStore, uid)
		Must(t, err)
		if len(marks) == 0 {
			return
		}
		s.Clock.Advance(5 * time.Second)
	}
	t.Fatalf("location %s has work without end", uid)
}

// Wake runs the location's worker once.
func (s *Desk) Wake(t testing.TB, uid string) {
	t.Helper()
	Must(t, location.Worker{
		Store: s.Store, World: s.World, Vault: s.Vault, Service: s.Apple, Directory: s.Directory.Reader, Queue: &Queue{},
		Log: s.logger, Pace: grant.Pace{ResendAfter: 10 * time.Minute, Poll: 10 * time.Second, MaxOpen: 5},
		Federated: []string{Domain}, Budget: location.DefaultBudget, Chunk: location.DefaultChunk,
	}.Work(t.Context(), uid))
}

// Group is a new group of new people with Managed Apple Accounts, or of people without if the domain is another.
func (s *Desk) Group(t testing.TB, name, domain string, userNames ...string) directory.Group {
	t.Helper()
	var members directory.Membership
	for _, user := range userNames {
		p, err := s.Directory.CreatePerson(t.Context(), directory.Person{
			UserName: user + "@" + domain, DisplayName: user, ExternalID: "x-" + user, Active: true,
			Emails: []directory.Email{{Value: user + "@mail.example"}},
		})
		Must(t, err)
		members.Add(directory.Member{ID: p.ID})
	}
	group, err := s.Directory.CreateGroup(t.Context(), directory.Group{DisplayName: name}, members)
	Must(t, err)
	return group
}

// Record is the only token's record.
func (s *Desk) Record(t testing.TB) token.Record {
	t.Helper()
	all, err := token.All(t.Context(), s.Store.ReadStore)
	Must(t, err)
	if len(all) != 1 {
		t.Fatalf("there are %d tokens", len(all))
	}
	return all[0].Value
}

// Must ends the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
