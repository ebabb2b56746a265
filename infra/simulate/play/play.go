package play

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/functions/assignments"
	"github.com/bookplate/bookplate/functions/books"
	"github.com/bookplate/bookplate/functions/tokens"
	"github.com/bookplate/bookplate/infra/simulate/judge"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/vault"
	"github.com/bookplate/bookplate/shared/world"
)

// Start is when every play begins.
var Start = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)

const (
	domain      = "school.example"
	resendAfter = 10 * time.Minute
)

// Options of a play.
type Options struct {
	Seed  uint64
	Steps int
	// Trace keeps every line of the trace.
	Trace bool
}

// Result is what became of a play.
type Result struct {
	Seed       uint64
	Steps      int // that were acted before a law was broken, or all
	Licenses   int // given by us
	Counts     map[string]int
	Violations []judge.Violation
	Story      []string
	Trace      []string
}

// Play is one installation and its world.
type Play struct {
	Options
	script, chaos *rand.Rand
	clock         *world.Virtual
	table         *mem.Table
	apple         *applefake.Server
	judge         *judge.Judge
	weather       *weather
	fault         applefake.Fault
	sites         []*site
	opens         map[string]string // token → uId
	secrets       map[string]vault.Secret
	wakes         []wake
	processes     []*process
	runs, depth   int
	hold          time.Duration
	approvalAbove int
	maxOpen       int
	public        http.Handler
	limits        applefake.Limits

	people  []*person
	groups  []*group
	changes []*change
	later   []func()

	listed              []known
	listAgain           int
	stocked             int // books that Apple has
	nextSweep, nextSync time.Time
	counts              map[string]int
	batches             map[string]string
	lines               []line
	steps               int
}

type site struct {
	*applefake.Location
	tokenID string
	mdm     *applefake.MDMInfo // as whom we manage it
	foreign bool
	broken  bool              // its token was revoked or has expired
	busy    map[string]bool   // books at whose assignments somebody is, and people with whose reader
	wishes  map[string]wishes // of books
}

type line struct {
	text string
	main bool
}

// Run acts a seed from its beginning to its end, or to the first law that is broken. A seed that breaks one is acted twice:
// telling costs, so only then it is told.
func Run(o Options) Result {
	r := run(o)
	if len(r.Violations) == 0 || o.Trace {
		return r
	}
	o.Trace = true
	told := run(o)
	r.Story = told.Story
	return r
}

func run(o Options) Result {
	p := newPlay(o)
	p.open()
	for p.steps = 1; p.steps <= o.Steps && !p.failed(); p.steps++ {
		p.step()
		p.pass(p.pause())
		p.judge.Step()
		p.stops()
	}
	if !p.failed() {
		p.end()
	}
	return p.result()
}

func (p *Play) failed() bool { return len(p.judge.Violations) > 0 }

func (p *Play) result() Result {
	r := Result{Seed: p.Seed, Steps: p.steps - 1, Counts: p.counts, Violations: p.judge.Violations}
	for _, s := range p.sites {
		for _, l := range s.Ledger() {
			if s.mdm != nil && l.By == s.mdm.ID && l.EventID != "" {
				r.Licenses++
			}
		}
	}
	for met, n := range p.judge.Met {
		r.Counts["met: "+met] += n
	}
	if p.failed() {
		r.Story = p.story()
	}
	for _, l := range p.lines {
		r.Trace = append(r.Trace, l.text)
	}
	return r
}

func newPlay(o Options) *Play {
	p := &Play{
		Options: o, script: rand.New(rand.NewPCG(o.Seed, 1)), chaos: rand.New(rand.NewPCG(o.Seed, 2)),
		clock: world.NewVirtual(o.Seed, Start), opens: map[string]string{}, secrets: map[string]vault.Secret{},
		counts: map[string]int{}, batches: map[string]string{}, limits: applefake.DocumentedLimits(),
	}
	p.weather = newWeather(rand.New(rand.NewPCG(o.Seed, 3)), func(fault string) {
		p.count("fault: " + fault)
		p.tell(false, "fault: %s", fault)
	})
	p.table = mem.New(p.clock)
	p.hold = []time.Duration{0, 10 * time.Minute}[p.script.IntN(2)]
	p.approvalAbove = []int{0, 0, 1, 3}[p.script.IntN(4)]
	p.limits.MaxAssets, p.limits.MaxClientUserIDs = 1+p.script.IntN(4), 1+p.script.IntN(8)
	p.maxOpen = 1 + int(o.Seed%5)
	p.buildApple()
	p.judge = judge.New(judge.Options{
		Now: p.clock.Now, Apple: p.apple, Sites: p.locations(), Public: p.get, ResendAfter: resendAfter, Domain: domain,
		Hold: p.hold, BookID: p.idOf,
	})
	readOnly := world.NewVirtual(o.Seed+1, Start)
	w := world.World{Clock: p.clock, Rand: readOnly, Runner: readOnly}
	store := table.NewStore(p.table, w)
	d := door.Config{World: w, Log: slog.New(slog.DiscardHandler), Verify: asRole}
	mux := http.NewServeMux()
	mux.Handle("/", books.New(books.Config{
		Config: d, Store: store.ReadStore, Directory: directory.NewReader(store.ReadStore),
		Invitation: func(_ context.Context, code string) (string, error) { return code, nil },
	}))
	mux.Handle("/v1.0/deviceAppManagement/vppTokens", tokens.New(tokens.Config{Config: d, Store: store}))
	mux.Handle("/v1.0/deviceAppManagement/managedEBooks/{id}/assignments", assignments.New(assignments.Config{
		Config: d, Store: store, Directory: directory.NewReader(store.ReadStore),
	}))
	p.public = mux
	return p
}

func (p *Play) buildApple() {
	fake, err := applefake.New(applefake.Options{
		Clock: p.clock, Seed: p.Seed, BaseURL: "http://127.0.0.1", Limits: &p.limits, WireLimit: 1, PageSize: 4 + p.script.IntN(30),
		OutOfOrder: p.script.IntN(2) == 0, Latency: applefake.Latency{Base: 2 * time.Second, Jitter: 3 * time.Second},
		Shortage:        applefake.ShortageMode(p.script.IntN(3)),
		DuplicateAssign: applefake.DuplicateMode(p.script.IntN(3)),
		UnknownUser:     applefake.UnknownUserMode(p.script.IntN(2)),
		ErrorsAsHTTP200: p.script.IntN(4) == 0, EventTTL: []time.Duration{0, time.Minute}[p.script.IntN(2)],
		RegisterOnLinkFailure: p.script.IntN(2) == 0,
	})
	must(err)
	p.apple = fake
	fake.Script(func(*applefake.Incoming) applefake.Fault { f := p.fault; p.fault = applefake.Fault{}; return f })
	titles := 1 + p.script.IntN(6)
	for i := range 1 + p.script.IntN(3) {
		spec := applefake.LocationSpec{Name: fmt.Sprint("Library ", i+1), Country: "US", Domains: []string{domain}}
		for t := range titles {
			if i > 0 && p.script.IntN(3) == 0 {
				continue
			}
			stock := applefake.Stock{
				AdamID: fmt.Sprint(900000001 + t), Total: 1 + p.script.IntN(10), Title: applefake.Title{Name: fmt.Sprint("Book ", t+1)},
				Unlimited: p.script.IntN(8) == 0,
			}
			spec.Stock = append(spec.Stock, stock)
			if p.script.IntN(4) == 0 {
				stock.Pricing, stock.Unlimited = applefake.PLUS, false
				spec.Stock = append(spec.Stock, stock)
			}
		}
		place, err := fake.AddLocation(spec)
		must(err)
		p.stocked += len(place.Books())
		p.sites = append(p.sites, &site{
			Location: place, busy: map[string]bool{}, wishes: map[string]wishes{},
		})
	}
}

// must is for what only a mistake in this package can make fail.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (p *Play) locations() (all []*applefake.Location) {
	for _, s := range p.sites {
		all = append(all, s.Location)
	}
	return all
}

// get is a GET of the public API by an auditor.
func (p *Play) get(path string) []byte {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/v1.0"+path, nil)
	r.Header.Set("Authorization", "Bearer viewer")
	w := httptest.NewRecorder()
	p.public.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return nil
	}
	return w.Body.Bytes()
}

// send is somebody's request to one of the process's functions.
func send(h http.Handler, bearer, method, path, body string) (int, string) {
	r := httptest.NewRequestWithContext(context.Background(), method, "/v1.0"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func (p *Play) count(what string) { p.counts[what]++ }

// tell adds a line to the trace. A main line belongs to every story, others to those of titles and people that they name.
func (p *Play) tell(main bool, format string, args ...any) {
	if !p.Trace {
		return
	}
	p.lines = append(p.lines, line{p.clock.Now().Format("02 15:04:05.000 ") + fmt.Sprintf(format, args...), main})
}

// pause is how long nothing new happens.
func (p *Play) pause() time.Duration {
	switch p.script.IntN(6) {
	case 0:
		return 0
	case 1, 2:
		return time.Duration(p.script.IntN(20)) * time.Second
	case 3, 4:
		return time.Duration(p.script.IntN(180)) * time.Second
	default:
		return time.Duration(p.script.IntN(20)) * time.Minute
	}
}

// pass lets time pass: wakes are delivered and timers run as they are due.
func (p *Play) pass(d time.Duration) {
	until := p.clock.Now().Add(d)
	for n := 0; n < 400 && !p.failed(); n++ {
		next := until
		if p.nextSweep.Before(next) {
			next = p.nextSweep
		}
		if w, ok := p.nextWake(next); ok {
			p.clock.Advance(w.at.Sub(p.clock.Now()))
			p.work(w.location)
			continue
		}
		if next.Equal(until) && !p.nextSweep.Equal(next) {
			break
		}
		p.clock.Advance(next.Sub(p.clock.Now()))
		p.timers()
	}
	p.clock.Advance(until.Sub(p.clock.Now()))
}

// timers run every five minutes, and twice a day.
func (p *Play) timers() {
	p.nextSweep = p.clock.Now().Add(5 * time.Minute)
	_ = p.run("sweep", func(ctx context.Context, s *process) error { return s.schedule.Sweep(ctx) }) // the next one makes it good
	if !p.nextSync.After(p.clock.Now()) {
		p.nextSync = p.clock.Now().Add(12 * time.Hour)
		p.tell(true, "the syncs of the day")
		_ = p.run("schedule", func(ctx context.Context, s *process) error { return s.schedule.Syncs(ctx) }) // and so here
	}
	p.retry()
}

// work delivers a wake. One that fails may come again, as the queue has it.
func (p *Play) work(location string) {
	err := p.run("work", func(ctx context.Context, s *process) error { return s.worker.Work(ctx, location) })
	if err != nil && p.chaos.IntN(2) == 0 {
		p.wakes = append(p.wakes, wake{location, p.clock.Now().Add(time.Minute)})
	}
}

// story is what led to the first violation: what people did, what was written to Apple, and what else concerned the same
// title and person.
func (p *Play) story() (story []string) {
	first := p.judge.Violations[0]
	for _, l := range p.lines {
		tagged := slices.ContainsFunc(first.Tags, func(tag string) bool { return tag != "" && strings.Contains(l.text, tag) })
		if tagged || l.main && !strings.Contains(l.text, "POST") {
			story = append(story, l.text)
		}
	}
	const most = 60
	if len(story) > most {
		story = append([]string{"…"}, story[len(story)-most:]...)
	}
	return append(story, "BROKEN "+first.Law+": "+first.What)
}
