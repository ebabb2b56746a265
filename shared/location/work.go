package location

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/grant"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/syncrun"
)

// do does the work of marks that are all of one kind.
func (j *job) do(ctx context.Context, marks []mark.Mark) error {
	switch marks[0].Kind {
	case mark.Settle:
		return j.settle(ctx, marks)
	case mark.Grants, mark.Later:
		return j.grants(ctx, marks)
	case mark.Retire:
		return j.retire(ctx)
	case mark.Readers:
		return j.readers(ctx, marks)
	case mark.Plan:
		return j.plan(ctx, marks)
	case mark.Sync:
		return j.sync(ctx, marks)
	default:
		return fmt.Errorf("location %s has a mark of the unknown kind %q", j.location, marks[0].Kind)
	}
}

func (j *job) settle(ctx context.Context, marks []mark.Mark) error {
	granter, err := j.granter(ctx)
	if err != nil {
		return err
	}
	for _, m := range marks {
		if err := granter.Settle(ctx, m.Subject); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) grants(ctx context.Context, marks []mark.Mark) error {
	granter, err := j.granter(ctx)
	if err != nil {
		return err
	}
	subjects := make([]string, len(marks))
	for i, m := range marks {
		subjects[i] = m.Subject
	}
	// What is left over is marked anew by the batches under way, when they end.
	return granter.Spend(ctx, subjects)
}

func (j *job) granter(ctx context.Context) (grant.Granter, error) {
	readers, err := j.readerWorker(ctx)
	if err != nil {
		return grant.Granter{}, err
	}
	config, err := j.Service.Config(ctx)
	if err != nil {
		return grant.Granter{}, err
	}
	return grant.Granter{
		Store: j.Store, World: j.World, Apple: j.apple, Limits: config.Limits, Directory: j.Directory, Readers: readers,
		Record: j.record.Value, State: &j.state.Value.Sync, Pace: j.Pace, Log: j.Log, Until: j.until,
	}, nil
}

func (j *job) readerWorker(ctx context.Context) (reader.Worker, error) {
	config, err := j.Service.Config(ctx)
	if err != nil {
		return reader.Worker{}, err
	}
	return reader.Worker{
		Store: j.Store, World: j.World, Apple: j.apple, MaxUsers: config.Limits.MaxUsers, Poll: j.Pace.Poll,
		Identity: reader.Identity{Location: j.location, MDMID: j.record.Value.MDMID},
		Ordered:  j.state.Value.Sync.LastOrdered,
	}, nil
}

// readers asks Apple for people that it doesn't know, and follows what it was asked for before.
func (j *job) readers(ctx context.Context, marks []mark.Mark) error {
	worker, err := j.readerWorker(ctx)
	if err != nil {
		return err
	}
	if marks[0].Subject == mark.SubjectAll {
		return j.ensure(ctx, worker)
	}
	return j.follow(ctx, worker, marks)
}

func (j *job) retire(ctx context.Context) error {
	worker, err := j.readerWorker(ctx)
	if err != nil {
		return err
	}
	return worker.Retire(ctx, j.state.Value.Sync.UsersSince())
}

func (j *job) ensure(ctx context.Context, worker reader.Worker) error {
	surveyor := assign.Surveyor{Store: j.Store.ReadStore, Directory: j.Directory, World: j.World}
	covered, err := surveyor.Covered(ctx, j.location)
	if err != nil {
		return err
	}
	people := make([]reader.Person, len(covered))
	for i, p := range covered {
		account, _ := directory.ManagedAccount(p, j.Federated)
		people[i] = reader.Person{ID: p.ID, Account: account}
	}
	_, known, err := worker.Ensure(ctx, people, j.state.Value.Sync.UsersSince())
	if err != nil || known == 0 {
		return err
	}
	// A process that died has asked for them, and nobody follows its request.
	return j.markGrants(ctx, j.World.Now())
}

// follow looks at requests for readers. Who has become a reader is given what they are to have once no other request is
// under way, or after a while: batches of Apple's full size need everybody at once.
func (j *job) follow(ctx context.Context, worker reader.Worker, marks []mark.Mark) error {
	sync := &j.state.Value.Sync
	events := make([]string, len(marks))
	for i, m := range marks {
		events[i] = m.Subject
	}
	done, seen, err := worker.Follow(ctx, events, sync.UsersSince())
	if err != nil {
		return err
	}
	if seen != "" && len(sync.Run) == 0 { // a sync that is under way reads its pages since its own id
		sync.UsersSeen = seen
	}
	if done == 0 {
		return nil
	}
	all, err := mark.Read(ctx, j.Store.ReadStore, j.location)
	if err != nil {
		return err
	}
	now := j.World.Now()
	underWay := func(m mark.Mark) bool { // it was put off, or isn't among those that were looked at
		return follows(m) && (m.Due.After(now) || !slices.Contains(events, m.Subject))
	}
	if slices.ContainsFunc(all, underWay) {
		return j.markGrants(ctx, now.Add(3*j.Pace.Poll))
	}
	return j.markGrants(ctx, now)
}

// follows says that a mark is of a request for readers that is under way.
func follows(m mark.Mark) bool { return m.Kind == mark.Readers && m.Subject != mark.SubjectAll }

// markGrants has every wish of the location looked at, from then on.
func (j *job) markGrants(ctx context.Context, due time.Time) error {
	_, err := j.Store.Commit(
		ctx,
		mark.New(j.location, mark.Grants, mark.SubjectAll, due),
		mark.New(j.location, mark.Readers, mark.SubjectAll, due),
	)
	return err
}

// plan does one chunk of a plan of many people. One that isn't done keeps its mark.
func (j *job) plan(ctx context.Context, marks []mark.Mark) error {
	planner := assign.Planner{
		Surveyor: assign.Surveyor{Store: j.Store.ReadStore, Directory: j.Directory, World: j.World, Federated: j.Federated},
		Commits:  j.Store, Record: j.record.Value, Until: j.World.Now().Add(j.Chunk),
	}
	done, err := planner.Chunk(ctx, marks[0].Subject)
	if err != nil || done {
		return err
	}
	return j.markAgain(ctx, marks)
}

// sync does one chunk of a sync. A run that isn't done keeps its marks. A run that is, has every wish looked at: stock
// may have come, and this is the backstop for whatever was missed (design section 3, Marks).
func (j *job) sync(ctx context.Context, marks []mark.Mark) error {
	kind, ordered := syncrun.Delta, false
	for _, m := range marks {
		switch m.Subject {
		case mark.SyncFull:
			kind, ordered = syncrun.Full, true
		case mark.SyncOrder:
			ordered = true
		}
	}
	syncer := syncrun.Syncer{
		Store: j.Store, World: j.World, Apple: j.apple, Record: j.record.Value, Log: j.Log,
		State: &j.state.Value.Sync, Save: j.save, Until: j.World.Now().Add(j.Chunk),
	}
	run, err := syncer.Chunk(ctx, kind, marks[0].Subject)
	if err != nil {
		return err
	}
	if run.Phase != syncrun.Done || kind == syncrun.Full && run.Kind != syncrun.Full {
		return j.markAgain(ctx, marks)
	}
	if ordered {
		if err := j.noteOrder(ctx); err != nil {
			return err
		}
	}
	return j.markGrants(ctx, j.World.Now())
}

// noteOrder notes that a sync has ended which somebody ordered, before the mark that says so is removed.
func (j *job) noteOrder(ctx context.Context) error {
	j.state.Value.Sync.LastOrdered = j.World.Now()
	return j.save(ctx)
}

// markAgain makes the marks newer than what was read, so that they survive being done.
func (j *job) markAgain(ctx context.Context, marks []mark.Mark) error {
	for _, m := range marks {
		if _, err := j.Store.Commit(ctx, mark.New(j.location, m.Kind, m.Subject, j.World.Now())); err != nil {
			return err
		}
	}
	return nil
}
