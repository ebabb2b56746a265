package stage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/grant"
	"github.com/bookplate/bookplate/shared/location"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/vault"
	"github.com/bookplate/bookplate/shared/world"
)

// Start is when every scene begins.
var Start = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)

// Options of a stage.
type Options struct {
	Seed  uint64
	Apple applefake.Options // Clock and Seed are set by the stage
	Sites []applefake.LocationSpec
	Hold  time.Duration
	Pace  grant.Pace    // zero: the product's own times
	Chunk time.Duration // of a sync; zero: the product's own
	Log   *slog.Logger
	// Watch, if set, stands between the domain and the table.
	Watch func(table.Engine) table.Engine
}

// Stage is one installation with its locations at Apple. What is on it in capital letters outlives the process; Process
// is what dies.
type Stage struct {
	Clock *world.Virtual
	Table *mem.Table
	Apple *applefake.Server
	Sites []*applefake.Location
	Site  *applefake.Location // the first of them
	Vault *Vault
	// Wire, if set, sees every request before Apple does, and its answer after: a crash is an error of either.
	Wire func(*http.Request, http.RoundTripper) (*http.Response, error)
	// Restored is the worker's, from the next Boot on.
	Restored time.Time
	*Process

	options Options
	wakes   wakes
}

// Process is everything that a process has in memory.
type Process struct {
	Store     *table.Store
	Directory *directory.Directory
	Readers   *directory.Reader
	Assigner  assign.Assigner
	Worker    location.Worker
}

// New returns a stage whose locations aren't known to the product yet.
func New(o Options) (*Stage, error) {
	clock := world.NewVirtual(o.Seed, Start)
	o.Apple.Clock, o.Apple.Seed = clock, o.Seed
	if o.Apple.BaseURL == "" {
		o.Apple.BaseURL = "http://127.0.0.1"
	}
	if o.Pace == (grant.Pace{}) {
		o.Pace = grant.Pace{ResendAfter: 10 * time.Minute, Poll: 10 * time.Second, MaxOpen: 5}
	}
	if o.Chunk == 0 {
		o.Chunk = location.DefaultChunk
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	fake, err := applefake.New(o.Apple)
	if err != nil {
		return nil, err
	}
	s := &Stage{
		Clock: clock, Table: mem.New(clock), Apple: fake, Vault: &Vault{secrets: map[string]vault.Secret{}}, options: o,
	}
	for _, spec := range o.Sites {
		site, err := fake.AddLocation(spec)
		if err != nil {
			return nil, err
		}
		s.Sites = append(s.Sites, site)
	}
	s.Site = s.Sites[0]
	if err := s.Boot(); err != nil {
		return nil, err
	}
	return s, nil
}

// Boot starts a new process on what the old one has stored.
func (s *Stage) Boot() error {
	w := s.Clock.World()
	engine := table.Engine(s.Table)
	if s.options.Watch != nil {
		engine = s.options.Watch(engine)
	}
	store := table.NewStore(engine, w)
	service, err := apple.NewService(apple.Options{
		BaseURL: s.options.Apple.BaseURL + "/mdm/v2", HTTP: transport{s}, World: w, Log: s.options.Log, Timeout: -1,
	})
	if err != nil {
		return err
	}
	readers := directory.NewReader(store.ReadStore)
	s.Process = &Process{
		Store: store, Readers: readers,
		Directory: directory.New(store, w, assign.Announcer{Store: store, World: w, Queue: &s.wakes, Timeout: time.Minute}),
		Assigner: assign.Assigner{
			Store: store, Directory: readers, World: w, Hold: s.options.Hold, Federated: []string{"school.example"},
		},
		Worker: location.Worker{
			Store: store, World: w, Vault: s.Vault, Service: service, Directory: readers, Queue: &s.wakes,
			Log: s.options.Log, Pace: s.options.Pace, Federated: []string{"school.example"},
			Restored: s.Restored, Budget: location.DefaultBudget, Chunk: s.options.Chunk,
		},
	}
	return nil
}

// transport carries requests to the fake without a network, through Wire.
type transport struct{ stage *Stage }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.stage.Wire != nil {
		return t.stage.Wire(r, t.stage.Apple.Transport())
	}
	return t.stage.Apple.Transport().RoundTrip(r)
}

// Install makes all locations known, as uploads do: claimed, their secrets kept, their first syncs marked.
func (s *Stage) Install(ctx context.Context) error {
	for _, site := range s.Sites {
		if err := s.install(ctx, site); err != nil {
			return fmt.Errorf("installing location %s: %w", site.UID(), err)
		}
	}
	return nil
}

func (s *Stage) install(ctx context.Context, site *applefake.Location) error {
	text, err := site.IssueToken(s.Clock.Now().AddDate(1, 0, 0))
	if err != nil {
		return err
	}
	content, err := apple.DecodeToken([]byte(text))
	if err != nil {
		return err
	}
	installation, err := token.Installation(ctx, s.Store, s.Clock.World())
	if err != nil {
		return err
	}
	uid := site.UID()
	r := token.Record{
		ID: token.ID(installation, uid), Location: uid, MDMID: token.MDMID(installation, uid), SecretVersion: "v1",
		DisplayName: "Library", Organization: content.Org, AccountType: token.Education, Country: "us",
		Expires: content.Expires, State: token.Valid, Created: s.Clock.Now(), Modified: s.Clock.Now(), By: "stage",
	}
	opened := s.Worker.Service.Open(content.Secret, apple.Identity{UID: uid})
	if _, err := opened.Claim(ctx, apple.MDMInfo{ID: r.MDMID, Name: "Bookplate", Metadata: "stage"}); err != nil {
		return err
	}
	if err := s.Vault.Put(ctx, r.ID, r.SecretVersion, content.Secret); err != nil {
		return err
	}
	ops, err := token.Create(r)
	if err != nil {
		return err
	}
	if _, err := s.Store.Commit(ctx, ops...); err != nil {
		return err
	}
	return s.Order(ctx, site, mark.Sync, mark.SyncUpload)
}

// Order marks work for a location that is due now, and wakes it.
func (s *Stage) Order(ctx context.Context, site *applefake.Location, kind mark.Kind, subject string) error {
	now := s.Clock.Now()
	if _, err := s.Store.Commit(ctx, mark.New(site.UID(), kind, subject, now)); err != nil {
		return err
	}
	return s.wakes.Wake(ctx, site.UID(), now)
}

// Step delivers the next wake, after the clock has gone on to its time. It says false when nobody is to be woken.
func (s *Stage) Step(ctx context.Context) (bool, error) {
	next, ok := s.wakes.next()
	if !ok {
		return false, nil
	}
	s.Clock.Advance(next.at.Sub(s.Clock.Now()))
	return true, s.Worker.Work(ctx, next.location)
}

// Sweep wakes each location that has something due, as the schedule does every five minutes.
func (s *Stage) Sweep(ctx context.Context) error {
	for _, site := range s.Sites {
		marks, err := mark.Read(ctx, s.Store.ReadStore, site.UID())
		if err != nil {
			return err
		}
		if next := mark.Next(marks); !next.IsZero() {
			if err := s.wakes.Wake(ctx, site.UID(), next); err != nil {
				return err
			}
		}
	}
	return nil
}

// errRestless: the product keeps waking itself.
var errRestless = errors.New("the location didn't come to rest")

// Rest runs until no wake is left, or something fails.
func (s *Stage) Rest(ctx context.Context) error {
	for range 2000 {
		if more, err := s.Step(ctx); err != nil || !more {
			return err
		}
	}
	return errRestless
}

// DropWakes loses all wakes that are under way, as a dying process does.
func (s *Stage) DropWakes() { s.wakes.list = nil }
