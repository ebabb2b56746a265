package play

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/bookplate/bookplate/functions/assignments"
	"github.com/bookplate/bookplate/functions/schedule"
	"github.com/bookplate/bookplate/functions/tokens"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/grant"
	"github.com/bookplate/bookplate/shared/location"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// process is one memory: what dies at once, with all that was under way in it. It does one thing at a time.
type process struct {
	play *Play
	name string // of what it does now: a new one each time
	busy bool
	dead bool

	store       *table.Store
	directory   *directory.Directory
	worker      location.Worker
	schedule    schedule.Handler
	tokens      http.Handler
	assignments http.Handler
}

// death is what a process panics with: nothing of it runs on.
type death struct{ process *process }

var errDied = errors.New("the process died")

func (p *Play) boot() *process {
	s := &process{play: p}
	w := world.World{Clock: clock{p.clock, s}, Rand: p.clock, Runner: p.clock}
	s.store = table.NewStore(engine{s, p.table}, w)
	log := slog.New(slog.DiscardHandler)
	service, err := apple.NewService(apple.Options{
		BaseURL: "http://127.0.0.1/mdm/v2", HTTP: wire{s}, World: w, Log: log, Timeout: -1,
	})
	if err != nil {
		panic(err) // the options are constant
	}
	queue, safe := queueOf{s}, vaultOf{s}
	readers := directory.NewReader(s.store.ReadStore)
	s.directory = directory.New(s.store, w, assign.Announcer{Store: s.store, World: w, Queue: queue, Timeout: time.Minute})
	s.worker = location.Worker{
		Store: s.store, World: w, Vault: safe, Service: service, Directory: readers, Queue: queue, Log: log,
		Pace:      grant.Pace{ResendAfter: resendAfter, Poll: 10 * time.Second, MaxOpen: p.maxOpen},
		Federated: []string{domain}, Budget: location.DefaultBudget, Chunk: location.DefaultChunk,
	}
	s.schedule = schedule.Handler{Store: s.store, World: w, Queue: queue, Log: log}
	d := door.Config{World: w, Log: log, Verify: asRole}
	s.tokens = tokens.New(tokens.Config{Config: d, Store: s.store, Vault: safe, Apple: service, Queue: queue, Version: "simulated"})
	s.assignments = assignments.New(assignments.Config{
		Config: d, Store: s.store, Directory: readers, Queue: queue, Hold: p.hold, ApprovalAbove: p.approvalAbove,
		Federated: []string{domain},
	})
	return s
}

// asRole reads a bearer: the name of a role, and of whoever has it if there are several.
func asRole(bearer string) (auth.Caller, error) {
	role, subject, _ := strings.Cut(bearer, " ")
	as, err := auth.ParseRole(role)
	return auth.Caller{Subject: cmp.Or(subject, role), Role: as}, err
}

// idle is a process that does nothing now: an old one with what it remembers, or a new one.
func (p *Play) idle() *process {
	for i, s := range p.processes {
		switch {
		case s.dead && !s.busy:
			p.processes[i] = p.boot()
			return p.processes[i]
		case !s.busy:
			return s
		}
	}
	s := p.boot()
	p.processes = append(p.processes, s)
	return s
}

// run lets an idle process do something. The error is errDied when it didn't live to its end.
func (p *Play) run(what string, do func(context.Context, *process) error) (err error) {
	s := p.idle()
	p.runs++
	s.busy, s.name = true, fmt.Sprintf("%s-%d", what, p.runs)
	defer func() {
		s.busy = false
		if x := recover(); x != nil {
			if d, ok := x.(death); !ok || d.process != s {
				panic(x)
			}
		}
		if s.dead {
			err = errDied
		}
		if err != nil {
			p.tell(false, "%s ended: %v", s.name, err)
			p.judge.Lost(s.name)
		}
	}()
	return do(context.Background(), s)
}

// dies ends the process here.
func (s *process) dies() {
	s.dead = true
	panic(death{s})
}

// lives ends a process again that somebody has kept alive after its death.
func (s *process) lives() {
	if s.dead {
		panic(death{s})
	}
}

// clock is the one clock, and a point at which its process may freeze.
type clock struct {
	*world.Virtual
	process *process
}

// Sleep is also what a request does right before the transport's check.
func (c clock) Sleep(ctx context.Context, d time.Duration) error {
	c.process.lives()
	if err := c.Virtual.Sleep(ctx, d); err != nil {
		return err
	}
	c.process.mayFreeze(freezeCheck)
	return nil
}

// mayFreeze lets the process stand still for a while, in which the world goes on.
func (s *process) mayFreeze(fault string) {
	p := s.play
	if p.depth > 0 || !p.weather.strikes(fault) {
		return
	}
	d := []time.Duration{
		time.Second, 20 * time.Second, 45 * time.Second, 70 * time.Second, 80 * time.Second, 4 * time.Minute,
		13 * time.Minute, 40 * time.Minute,
	}[p.chaos.IntN(8)]
	if fault == freezeWire {
		d = min(d, 20*time.Second) // the network doesn't hold a request longer
	}
	p.tell(false, "%s freezes for %s", s.name, d)
	p.depth++
	defer func() { p.depth-- }()
	until := p.clock.Now().Add(d)
	p.clock.Advance(d / 2)
	switch p.chaos.IntN(4) {
	case 0:
		p.step()
	case 1, 2: // what the frozen process may have read is no longer so
		acts := []func(){p.part, p.part, p.part, p.bar, p.bar, p.bar, p.leave, p.assign, p.amend, p.takeOver, p.refund}
		acts[p.chaos.IntN(len(acts))]()
	}
	if p.weather.strikes(otherWorker) && len(p.sites) > 0 {
		p.work(p.sites[p.chaos.IntN(len(p.sites))].UID())
	}
	p.pass(until.Sub(p.clock.Now()))
	p.tell(false, "%s goes on", s.name)
}
