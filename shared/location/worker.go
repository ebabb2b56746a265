package location

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/grant"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/queue"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/vault"
	"github.com/bookplate/bookplate/shared/world"
)

// Worker works for any location, one wake at a time.
type Worker struct {
	Store     *table.Store
	World     world.World
	Vault     vault.Reader
	Service   *apple.Service
	Directory *directory.Reader
	Queue     queue.Queue
	Log       *slog.Logger
	Pace      grant.Pace
	// Federated are the domains whose userNames are Managed Apple Accounts.
	Federated []string
	// Restored is when spending was stopped before the table was restored from a backup, zero if it never was. From then
	// on the table has forgotten what was given after the backup; see restored.go.
	Restored time.Time
	// Budget is for how long one wake works before it asks for another; shorter than the function's time-out.
	Budget time.Duration
	// Chunk is how long a sync works before the rest of the work gets its turn.
	Chunk time.Duration
}

// Times of a worker in the cloud. A lease outlives the longest wake, and no longer.
const (
	DefaultBudget = 45 * time.Second
	DefaultChunk  = 20 * time.Second
	leaseFor      = 75 * time.Second
)

// Work does what is due at a location. It returns nil when another worker is at it, and when it has noted by itself
// that it failed; an error means that the wake should come again.
func (w Worker) Work(ctx context.Context, location string) error {
	job, err := w.begin(ctx, location)
	if err != nil || job == nil {
		return err
	}
	err = job.run(ctx)
	if errors.Is(err, errLeaseLost) {
		return nil // whoever took it goes on
	}
	return errors.Join(err, job.end(context.WithoutCancel(ctx))) // also when the process is being stopped
}

// Break frees a lease whose holder is known to be dead. Only a program that is alone with its table may call it, before
// it starts working.
func (w Worker) Break(ctx context.Context, location string) error {
	doc, err := token.LoadLocation(ctx, w.Store.ReadStore, location)
	if err != nil || doc.Value.Lease.Owner == "" {
		return err
	}
	doc.Value.Lease.Owner, doc.Value.Lease.Until = "", time.Time{}
	op, err := doc.Save()
	if err != nil {
		return err
	}
	_, err = w.Store.Commit(ctx, op)
	return err
}

// job is one wake that has the lease.
type job struct {
	Worker
	location string
	state    token.LocationDoc
	record   token.Doc
	apple    *apple.Location
	until    time.Time
}

// errLeaseLost: somebody else has taken the lease, because we took too long.
var errLeaseLost = errors.New("the lease of the location was lost")

// begin takes the lease; the job is nil when there is nothing to be done, or somebody else is at it.
func (w Worker) begin(ctx context.Context, location string) (*job, error) {
	record, err := token.OfLocation(ctx, w.Store.ReadStore, location)
	if errors.Is(err, table.ErrAbsent) {
		return nil, nil // its token was deleted
	}
	if err != nil {
		return nil, fmt.Errorf("reading the token of location %s: %w", location, err)
	}
	if record.Value.State != token.Valid {
		return nil, nil // stopped until an administrator acts (law 4)
	}
	state, err := token.LoadLocation(ctx, w.Store.ReadStore, location)
	if err != nil {
		return nil, fmt.Errorf("reading the state of location %s: %w", location, err)
	}
	now := w.World.Now()
	if l := state.Value.Lease; l.Owner != "" && now.Before(l.Until) {
		return nil, nil // its holder looks at the marks once more when it lets go
	}
	state.Value.Lease.Owner = world.NewID(w.World)
	state.Value.Lease.Fence++
	w.distrust(&state.Value.Sync)
	j := &job{Worker: w, location: location, state: state, record: record, until: now.Add(w.Budget)}
	if err := j.save(ctx); err != nil {
		if errors.Is(err, errLeaseLost) {
			return nil, nil
		}
		return nil, err
	}
	return j, nil
}

// save stores the location's state and renews the lease with it.
func (j *job) save(ctx context.Context) error {
	j.state.Value.Lease.Until = j.World.Now().Add(leaseFor)
	op, err := j.state.Save()
	if err != nil {
		return err
	}
	version, err := j.Store.Commit(ctx, op)
	if errors.Is(err, table.ErrCondition) {
		return errLeaseLost
	}
	if err != nil {
		return fmt.Errorf("storing the state of location %s: %w", j.location, err)
	}
	j.state.Version = version
	return nil
}

// end lets the lease go, looks at the marks once more, and asks for at most one wake.
func (j *job) end(ctx context.Context) error {
	j.state.Value.Lease.Owner, j.state.Value.Lease.Until = "", time.Time{}
	op, err := j.state.Save()
	if err != nil {
		return err
	}
	if _, err := j.Store.Commit(ctx, op); err != nil && !errors.Is(err, table.ErrCondition) {
		return fmt.Errorf("letting go of location %s: %w", j.location, err)
	}
	if j.record.Value.State != token.Valid {
		return nil
	}
	marks, err := mark.Read(ctx, j.Store.ReadStore, j.location)
	if err != nil {
		return err
	}
	if next := mark.Next(marks); !next.IsZero() {
		return j.Queue.Wake(ctx, j.location, next)
	}
	return nil
}

// run does what is due, in order, until nothing is or the time is over.
func (j *job) run(ctx context.Context) error {
	for j.World.Now().Before(j.until) {
		marks, err := mark.Read(ctx, j.Store.ReadStore, j.location)
		if err != nil {
			return err
		}
		due := firstDue(marks, j.World.Now())
		if len(due) == 0 {
			return nil
		}
		if current, err := j.current(ctx); err != nil || !current {
			return err
		}
		if wait, err := j.mustWait(ctx, due[0].Kind); err != nil {
			return err
		} else if !wait.IsZero() {
			if err := j.putOff(ctx, due, wait); err != nil {
				return err
			}
			continue
		}
		if err := j.open(ctx); err != nil {
			return err
		}
		err = j.do(ctx, due)
		if err == nil {
			err = j.done(ctx, due)
		}
		if err != nil {
			return j.failed(ctx, due, err)
		}
		if err := j.save(ctx); err != nil {
			return err
		}
	}
	return nil
}

// current says that the token is still the one that the wake began with, and may be worked with. An administrator may
// have deleted, renewed or stopped it meanwhile.
func (j *job) current(ctx context.Context) (bool, error) {
	record, err := token.OfLocation(ctx, j.Store.ReadStore, j.location)
	if errors.Is(err, table.ErrAbsent) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the token of location %s: %w", j.location, err)
	}
	same := record.Value.SecretVersion == j.record.Value.SecretVersion
	j.record = record
	return same && record.Value.State == token.Valid, nil
}

// firstDue are the due marks that are done next: those of the kind that comes first, all together where one look serves
// them all, otherwise one by one, so that a wake can end between them.
func firstDue(marks []mark.Mark, now time.Time) []mark.Mark {
	due := slices.DeleteFunc(slices.Clone(marks), func(m mark.Mark) bool { return m.Due.After(now) })
	if len(due) == 0 {
		return nil
	}
	first := slices.MinFunc(due, func(a, b mark.Mark) int { return a.Kind.Order() - b.Kind.Order() })
	if first.Kind == mark.Settle || first.Kind == mark.Readers && !follows(first) || first.Kind == mark.Plan {
		return []mark.Mark{first}
	}
	due = slices.DeleteFunc(due, func(m mark.Mark) bool { return workOf(m) != workOf(first) || follows(m) != follows(first) })
	if follows(first) {
		return due[:min(len(due), mostFollowed)]
	}
	return withLater(due, marks)
}

// withLater are the marks to be done, with that of a look at everything which is marked for later, if there is one now.
func withLater(due, marks []mark.Mark) []mark.Mark {
	all := func(m mark.Mark) bool { return workOf(m) == mark.Grants && m.Subject == mark.SubjectAll }
	if !slices.ContainsFunc(due, all) {
		return due
	}
	for _, m := range marks {
		if all(m) && m.Kind == mark.Later && !slices.Contains(due, m) {
			due = append(due, m)
		}
	}
	return due
}

// workOf is the kind of work that a mark asks for: what was marked for later is the same as what was marked for now.
func workOf(m mark.Mark) mark.Kind {
	if m.Kind == mark.Later {
		return mark.Grants
	}
	return m.Kind
}

// mostFollowed is how many requests for readers are looked at together: some 7 seconds of polls at Apple's documented pace.
const mostFollowed = 100

// done removes the marks, each only if it is still the one that was read before the work: work that came since has
// marked anew.
func (j *job) done(ctx context.Context, marks []mark.Mark) error {
	for _, m := range marks {
		if _, err := j.Store.Commit(ctx, m.Done()); err != nil && !errors.Is(err, table.ErrCondition) {
			return fmt.Errorf("removing a mark of location %s: %w", j.location, err)
		}
	}
	return nil
}

// open opens the location at Apple, once a wake.
func (j *job) open(ctx context.Context) error {
	if j.apple != nil {
		return nil
	}
	r := j.record.Value
	secret, err := j.Vault.Get(ctx, r.ID, r.SecretVersion)
	if err != nil {
		return fmt.Errorf("reading the secret of token %s: %w", r.ID, err)
	}
	j.apple = j.Service.Open(secret, apple.Identity{UID: r.Location, MDMID: r.MDMID})
	return nil
}
