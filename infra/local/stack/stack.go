package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/bookplate/bookplate/functions/schedule"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/grant"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/location"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/queue/local"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/bolt"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/vault"
	"github.com/bookplate/bookplate/shared/vault/file"
	"github.com/bookplate/bookplate/shared/world"
)

// Stack is a running installation.
type Stack struct {
	options   Options
	world     world.World
	engine    *bolt.Table
	store     *table.Store
	vault     vault.Vault
	service   *apple.Service
	queue     *local.Queue
	directory *directory.Directory
	readers   *directory.Reader
	worker    location.Worker
	timers    schedule.Handler
	syncs     cron.Schedule
	access    *access
	listener  net.Listener
	ready     atomic.Bool
}

// locationsAtOnce is how many locations are worked on at once.
const locationsAtOnce = 4

// Open opens the data, if they belong to the options' Apple, and takes the port. Nothing runs until Serve.
func Open(o Options) (*Stack, error) {
	syncs, err := o.validate()
	if err != nil {
		return nil, err
	}
	d, err := enterFor(o)
	if err != nil {
		return nil, err
	}
	s := &Stack{options: o, world: world.Real(), syncs: syncs, engine: d.engine}
	if err := s.build(); err != nil {
		return nil, errors.Join(err, s.engine.Close())
	}
	return s, nil
}

func (s *Stack) build() error {
	o := s.options
	var err error
	if s.vault, err = file.Open(filepath.Join(o.Data, vaultDir)); err != nil {
		return err
	}
	if s.access, err = openAccess(o, s.world); err != nil {
		return err
	}
	s.service, err = apple.NewService(apple.Options{BaseURL: o.Apple, World: s.world, Log: o.Log})
	if err != nil {
		return err
	}
	engine := table.Engine(s.engine)
	if o.Watch != nil {
		engine = o.Watch(engine)
	}
	s.store = table.NewStore(engine, s.world)
	s.queue = local.New(s.world.Clock, locationsAtOnce, o.Log)
	s.readers = directory.NewReader(s.store.ReadStore)
	s.directory = directory.New(s.store, s.world, assign.Announcer{
		Store: s.store, World: s.world, Queue: s.queue, Timeout: time.Minute,
	})
	s.worker = location.Worker{
		Store: s.store, World: s.world, Vault: s.vault, Service: s.service, Directory: s.readers, Queue: s.queue,
		Log: o.Log, Federated: o.Federated, Restored: o.RestoredAt, Budget: location.DefaultBudget, Chunk: location.DefaultChunk,
		Pace: grant.Pace{ResendAfter: o.ResendAfter, Poll: o.PollAfter, MaxOpen: 5},
	}
	s.timers = schedule.Handler{Store: s.store, World: s.world, Queue: s.queue, Log: o.Log}
	s.listener, err = listen(o)
	return err
}

// listen takes the port asked for, or any free one.
func listen(o Options) (net.Listener, error) {
	var l net.ListenConfig
	listener, err := l.Listen(context.Background(), "tcp", o.Listen)
	if err == nil || !o.AnyPort {
		return listener, wrapListen(err, o.Listen)
	}
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, wrapListen(err, o.Listen)
	}
	listener, err = l.Listen(context.Background(), "tcp", net.JoinHostPort(host, "0"))
	return listener, wrapListen(err, o.Listen)
}

func wrapListen(err error, address string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("listening on %s: %w; choose another address with -listen", address, err)
}

// URL is where the stack answers.
func (s *Stack) URL() string { return "http://" + s.listener.Addr().String() }

// Close closes a stack that is not going to be served.
func (s *Stack) Close() error { return errors.Join(s.listener.Close(), s.engine.Close()) }

// Serve runs everything until ctx ends, and returns within a few seconds after that.
func (s *Stack) Serve(ctx context.Context) (err error) {
	handler, err := s.handler()
	if err == nil {
		err = s.resume(ctx)
	}
	if err != nil {
		return errors.Join(err, s.Close())
	}
	defer func() { err = errors.Join(err, s.engine.Close()) }()
	web := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	s.ready.Store(true) // who connected earlier has waited
	go func() { served <- web.Serve(s.listener) }()

	work, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// The parts of the stack never end with an error: each logs its own and goes on.
		_ = s.world.Run(work, 3, 3, func(ctx context.Context, i int) error {
			[]func(context.Context){s.workAll, s.syncAll, s.sweepAll}[i](ctx)
			return nil
		})
	}()
	select {
	case err = <-served:
		err = fmt.Errorf("serving HTTP: %w", err)
	case <-ctx.Done():
	}
	s.ready.Store(false)
	cancel()
	last, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer done()
	stop := web.Shutdown(last)
	if errors.Is(stop, context.DeadlineExceeded) {
		stop = web.Close() // whoever is still waiting for an answer asks again
	}
	select {
	case <-ended:
	case <-last.Done():
		s.options.Log.Warn("work was still under way; it goes on at the next start")
	}
	return errors.Join(err, stop)
}

// resume lets every location go on where the program that ran before has stopped. The table's lock says that it is gone.
func (s *Stack) resume(ctx context.Context) error {
	records, err := token.All(ctx, s.store.ReadStore)
	if err != nil {
		return fmt.Errorf("going on where the last run stopped: %w", err)
	}
	for _, r := range records {
		if err := s.resumeOne(ctx, r.Value.Location); err != nil {
			return fmt.Errorf("going on where the last run stopped, at location %s: %w", r.Value.Location, err)
		}
	}
	return nil
}

// resumeOne frees the location's lease, and has its open batches looked at now: nobody is going to send those that
// were only prepared, and their people needn't wait as long as for a worker of whom nothing is known.
func (s *Stack) resumeOne(ctx context.Context, location string) error {
	if err := s.worker.Break(ctx, location); err != nil {
		return err
	}
	batches, err := license.OpenBatches(ctx, s.store.ReadStore, location)
	if err != nil {
		return err
	}
	for _, b := range batches {
		if _, err := s.store.Commit(ctx, mark.New(location, mark.Settle, b.Value.ID, s.world.Now())); err != nil {
			return err
		}
	}
	marks, err := mark.Read(ctx, s.store.ReadStore, location)
	if err != nil {
		return err
	}
	if next := mark.Next(marks); !next.IsZero() {
		return s.queue.Wake(ctx, location, next)
	}
	return nil
}

func (s *Stack) workAll(ctx context.Context) { s.queue.Run(ctx, s.worker.Work) }

// syncAll orders syncs on their schedule.
func (s *Stack) syncAll(ctx context.Context) {
	for {
		now := s.world.Now().Local()
		if s.world.Sleep(ctx, s.syncs.Next(now).Sub(now)) != nil {
			return
		}
		if err := s.timers.Syncs(ctx); err != nil {
			s.options.Log.ErrorContext(ctx, "scheduled syncs not ordered", "error", err)
		}
	}
}

// sweepEvery is how often overdue work is looked for.
const sweepEvery = 5 * time.Minute

func (s *Stack) sweepAll(ctx context.Context) {
	for s.world.Sleep(ctx, sweepEvery) == nil {
		if err := s.timers.Sweep(ctx); err != nil {
			s.options.Log.ErrorContext(ctx, "overdue work not looked for", "error", err)
		}
	}
}
