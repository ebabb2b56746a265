package syncrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

// Kind is how much a run reads.
type Kind string

// The kinds.
const (
	Delta Kind = "delta" // what changed
	Full  Kind = "full"  // everything, to find what disappeared
)

// Phase is how far a run is. Phases follow one another in the order of this list.
type Phase string

// The phases.
const (
	Assets      Phase = "assets"      // the books and their counts
	Titles      Phase = "titles"      // what the catalog says of new books
	Users       Phase = "users"       // the readers that changed
	Assignments Phase = "assignments" // the licenses that are new; in a first run all of them
	Sums        Phase = "sums"        // full: every license is read, only sums are kept
	Trailing    Phase = "trailing"    // what came while all was read
	Compare     Phase = "compare"     // full: books whose sum differs are read again
	Done        Phase = "done"
)

// Run is one sync, under way or ended. It is kept in the location's state while it is under way.
type Run struct {
	ID       string    `json:"id"`
	Location string    `json:"location"`
	Kind     Kind      `json:"kind"`
	First    bool      `json:"first,omitempty"` // nothing was known before
	Trigger  string    `json:"trigger"`         // "schedule", or who ordered it
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"`
	Phase    Phase     `json:"phase"`
	// Page is the next page of the phase; Pages how many Apple says there are.
	Page  int `json:"page"`
	Pages int `json:"pages,omitempty"`
	// Version is Apple's id from the first page of the listing that is being read.
	Version string `json:"version,omitempty"`
	Counts  Counts `json:"counts"`
	// Error is why the run failed, and what to do; Note is what went wrong without failing it.
	Error string `json:"error,omitempty"`
	Note  string `json:"note,omitempty"`
}

// Counts are what a run called, found and changed.
type Counts struct {
	Books           int            `json:"books"`
	BooksChanged    int            `json:"booksChanged"`
	ReadersChanged  int            `json:"readersChanged"`
	LicensesRead    int            `json:"licensesRead"`
	LicensesAdded   int            `json:"licensesAdded"`
	LicensesRemoved int            `json:"licensesRemoved"`
	BooksReread     int            `json:"booksReread"`
	Calls           map[string]int `json:"calls,omitempty"`
	ReadUnits       float64        `json:"readUnits"`
	WriteUnits      float64        `json:"writeUnits"`
}

// Apple is what of Apple's location a sync needs.
type Apple interface {
	AssetPages(ctx context.Context, q apple.AssetQuery, from int, visit func(apple.Page, []apple.Asset) error) error
	UserPages(ctx context.Context, q apple.UserQuery, from int, visit func(apple.Page, []apple.User) error) error
	AssignmentPages(
		ctx context.Context, q apple.AssignmentQuery, from int, visit func(apple.Page, []apple.Assignment) error,
	) error
	Titles(ctx context.Context, q apple.TitleQuery, adamIDs []string) (map[string]apple.Title, error)
	Calls() map[string]int
}

// Syncer runs syncs of one location. It runs inside the location's worker only.
type Syncer struct {
	Store  *table.Store
	World  world.World
	Apple  Apple
	Record token.Record
	Log    *slog.Logger
	// State is the location's, as last stored; Save stores it anew, under the lease.
	State *token.Sync
	Save  func(ctx context.Context) error
	// Until is when the chunk ends: a run that isn't done by then is saved and goes on in the next.
	Until time.Time

	run      Run
	digests  *digests
	sums     *digests
	saved    time.Time
	usedFrom table.Units
	callFrom map[string]int
}

// fullAfter is how old the last full run may be before a delta run becomes a full one.
const fullAfter = 7 * 24 * time.Hour

// checkpointEvery is how much work a crash may cost.
const checkpointEvery = 3 * time.Second

// errChunkEnd ends a walk because the chunk's time is over.
var errChunkEnd = errors.New("the chunk has ended")

// Chunk does some of a sync: it goes on with the run under way, or begins one of the kind. It returns the run, whose
// Phase is Done when it has ended, well or badly. An error of Apple's that ends the run is both in the run and returned;
// any other error leaves the run to be continued.
func (s *Syncer) Chunk(ctx context.Context, kind Kind, trigger string) (Run, error) {
	if err := s.open(ctx, kind, trigger); err != nil {
		return Run{}, err
	}
	var err error
	for err == nil && s.run.Phase != Done {
		err = s.step(ctx)
		if apple.IsNumber(err, apple.NumberPage) && s.run.Page > 0 && s.run.Phase != Compare {
			s.enter(s.run.Phase) // the listing has shrunk under the walk: begin it again
			err = nil
		}
		if err == nil {
			err = s.checkpoint(ctx, false)
		}
	}
	if errors.Is(err, errChunkEnd) {
		return s.run, s.checkpoint(ctx, true)
	}
	if err != nil && !fatal(err) {
		s.State.Status, s.State.LastError = token.SyncFailed, err.Error() // until it goes on
		return s.run, errors.Join(err, s.checkpoint(ctx, true))
	}
	return s.run, errors.Join(err, s.close(ctx, err))
}

// fatal says that going on with the run is pointless: Apple or the owner of the location said no.
func fatal(err error) bool {
	var (
		refused  *apple.Error
		owner    *apple.OwnerError
		location *apple.LocationError
	)
	return errors.As(err, &refused) && !refused.Retryable() || errors.As(err, &owner) || errors.As(err, &location)
}

func (s *Syncer) open(ctx context.Context, kind Kind, trigger string) error {
	s.digests = newDigests(s.Store, "digests", s.Record.Location, s.State.Buckets)
	s.sums = newDigests(s.Store, "sums", s.Record.Location, s.State.Buckets)
	s.usedFrom, s.callFrom = s.Store.Units(), s.Apple.Calls()
	s.saved = s.World.Now()
	if len(s.State.Run) > 0 {
		if err := json.Unmarshal(s.State.Run, &s.run); err != nil {
			return fmt.Errorf("the sync run of location %s is damaged: %w", s.Record.Location, err)
		}
		s.State.Status = token.SyncInProgress
		return nil
	}
	now := s.World.Now()
	first := s.State.FirstDone.IsZero() && s.State.LastFull.IsZero()
	if s.State.FirstDone.IsZero() || now.Sub(s.State.LastFull) > fullAfter {
		kind = Full // after a restoration something is known, and not believed
	}
	s.run = Run{
		ID: world.NewID(s.World), Location: s.Record.Location, Kind: kind, First: first, Trigger: trigger,
		Started: now, Phase: Assets,
	}
	s.State.Status = token.SyncInProgress
	return s.checkpoint(ctx, true)
}

func (s *Syncer) step(ctx context.Context) error {
	switch s.run.Phase {
	case Assets:
		return s.assets(ctx)
	case Titles:
		return s.titles(ctx)
	case Users:
		return s.users(ctx)
	case Assignments:
		return s.assignments(ctx)
	case Sums:
		return s.sum(ctx)
	case Trailing:
		return s.trailing(ctx)
	case Compare:
		return s.compare(ctx)
	default:
		return fmt.Errorf("the sync run of location %s is in an unknown phase %q", s.Record.Location, s.run.Phase)
	}
}

// enter begins a phase.
func (s *Syncer) enter(p Phase) {
	s.run.Phase, s.run.Page, s.run.Pages, s.run.Version = p, 0, 0, ""
}

// page notes a page of a walk as done, and ends the chunk when its time is over. Rows are stored by now.
func (s *Syncer) page(ctx context.Context, p apple.Page) error {
	if p.Index == 0 || s.run.Version == "" {
		s.run.Version = p.VersionID // the first page's, which misses nothing (Apple: Using paginated endpoints)
	}
	s.run.Page, s.run.Pages = p.Index+1, p.TotalPages
	if p.Last {
		return nil
	}
	return s.tick(ctx)
}

func (s *Syncer) tick(ctx context.Context) error {
	if !s.World.Now().Before(s.Until) {
		return errChunkEnd
	}
	return s.checkpoint(ctx, false)
}

// checkpoint stores how far the run is, every few seconds or when forced. Sums are stored only at the end of a chunk:
// most full runs never need them to be, and a crash costs a chunk of reading.
func (s *Syncer) checkpoint(ctx context.Context, force bool) error {
	if !force && (len(s.sums.dirty) > 0 || s.World.Now().Sub(s.saved) < checkpointEvery) {
		return nil
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	s.account()
	data, err := json.Marshal(s.run)
	if err != nil {
		return fmt.Errorf("storing a sync run: %w", err)
	}
	s.State.Run = data
	if s.run.Phase == Done {
		s.State.Run = nil
	}
	s.saved = s.World.Now()
	return s.Save(ctx)
}

func (s *Syncer) flush(ctx context.Context) error {
	return errors.Join(s.digests.flush(ctx), s.sums.flush(ctx))
}

// account adds what was consumed since the last time.
func (s *Syncer) account() {
	used, calls := s.Store.Units(), s.Apple.Calls()
	s.run.Counts.ReadUnits += used.Read - s.usedFrom.Read
	s.run.Counts.WriteUnits += used.Write - s.usedFrom.Write
	if s.run.Counts.Calls == nil {
		s.run.Counts.Calls = make(map[string]int)
	}
	for name, n := range calls {
		if n > s.callFrom[name] {
			s.run.Counts.Calls[name] += n - s.callFrom[name]
		}
	}
	s.usedFrom, s.callFrom = used, calls
}

// close ends the run, and keeps it for whoever asks what syncs did.
func (s *Syncer) close(ctx context.Context, cause error) error {
	now := s.World.Now()
	s.run.Ended = now
	s.State.LastError = ""
	if cause != nil {
		s.run.Error = cause.Error()
		s.State.Status, s.State.LastError = token.SyncFailed, cause.Error()
	} else {
		s.State.Status, s.State.LastDone = token.SyncCompleted, now
		if s.State.FirstDone.IsZero() {
			s.State.FirstDone = now
		}
		if s.run.Kind == Full {
			s.State.LastFull = now
		}
	}
	s.run.Phase = Done
	s.account()
	if err := s.record(ctx); err != nil {
		return err
	}
	s.Log.InfoContext(ctx, "sync ended", "location", s.Record.Location, "kind", s.run.Kind, "failed", cause != nil,
		"books", s.run.Counts.Books, "licensesAdded", s.run.Counts.LicensesAdded,
		"licensesRemoved", s.run.Counts.LicensesRemoved)
	return s.checkpoint(ctx, true)
}

func (s *Syncer) applier() license.Applier {
	return license.Applier{
		Store: s.Store, World: s.World, Before: s.digests.doubt, Found: lookAgain(s.Store, s.World, s.Record.Location),
	}
}
