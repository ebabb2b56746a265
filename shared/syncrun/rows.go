package syncrun

import (
	"cmp"
	"context"
	"fmt"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// users reads what changed of the users; a full run, and one that knows nothing, reads all. Readers are written in bulk, so a
// worker that was frozen may have written an old status over a newer one, which no later delta tells.
func (s *Syncer) users(ctx context.Context) error {
	if s.run.Page == 0 {
		s.State.UsersVersion, s.State.UsersSeen = s.State.UsersSince(), ""
	}
	q := apple.UserQuery{SinceVersion: s.State.UsersVersion}
	if s.run.Kind == Full {
		q.SinceVersion = ""
	}
	err := s.Apple.UserPages(ctx, q, s.run.Page, func(p apple.Page, rows []apple.User) error {
		rows, err := reader.Confirm(ctx, s.Store.ReadStore, s.Apple, s.Record.Location, rows)
		if err != nil {
			return err
		}
		changed, err := reader.Apply(ctx, s.Store, s.Record.Location, rows, s.World.Now())
		if err != nil {
			return err
		}
		s.run.Counts.ReadersChanged += changed
		return s.page(ctx, p)
	})
	if apple.IsNumber(err, apple.NumberVersion) && q.SinceVersion != "" {
		s.State.UsersVersion = "" // too old for Apple: all users, then
		s.enter(Users)
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the users of location %s: %w", s.Record.Location, err)
	}
	s.State.UsersVersion, s.State.UsersSeen = s.run.Version, ""
	s.enter(Assignments)
	return nil
}

// assignments reads the licenses that are new. In a first run that is all of them, written page by page.
func (s *Syncer) assignments(ctx context.Context) error {
	if s.run.Page == 0 {
		s.State.AssignmentsVersion, s.State.AssignmentsSeen = s.State.AssignmentsSince(), ""
	}
	q := apple.AssignmentQuery{SinceVersion: s.State.AssignmentsVersion}
	if q.SinceVersion == "" && !s.run.First {
		s.run.Kind = Full
		s.enter(Sums) // the id was refused: everything is read anyway
		return nil
	}
	err := s.walk(ctx, q)
	if apple.IsNumber(err, apple.NumberVersion) && q.SinceVersion != "" {
		s.State.AssignmentsVersion = ""
		s.enter(Assignments)
		return nil
	}
	if err != nil {
		return err
	}
	s.State.AssignmentsVersion, s.State.AssignmentsSeen = s.run.Version, ""
	switch {
	case s.run.First:
		s.enter(Trailing)
	case s.run.Kind == Full:
		s.enter(Sums)
	default:
		s.run.Phase = Done
	}
	return nil
}

// trailing reads what came while everything was read.
func (s *Syncer) trailing(ctx context.Context) error {
	err := s.walk(ctx, apple.AssignmentQuery{SinceVersion: s.State.AssignmentsVersion})
	if err != nil {
		return err
	}
	s.State.AssignmentsVersion, s.State.AssignmentsSeen = s.run.Version, ""
	if s.run.First {
		s.run.Phase = Done
		return nil
	}
	s.enter(Compare)
	return nil
}

// walk applies the rows of a listing, page by page, from the run's page on.
func (s *Syncer) walk(ctx context.Context, q apple.AssignmentQuery) error {
	err := s.Apple.AssignmentPages(ctx, q, s.run.Page, func(p apple.Page, rows []apple.Assignment) error {
		s.run.Counts.LicensesRead += len(rows)
		added, err := AddRows(ctx, s.applier(), s.Record.Location, "", rows)
		if err != nil {
			return err
		}
		s.run.Counts.LicensesAdded += len(added)
		if err := s.digests.add(ctx, added); err != nil {
			return err
		}
		return s.page(ctx, p)
	})
	if err != nil {
		return fmt.Errorf("reading the licenses of location %s: %w", s.Record.Location, err)
	}
	return nil
}

// AddRows applies rows that Apple lists, whosever they are, and returns those that were new. The event is Apple's id
// of the request that they settle, if any.
func AddRows(
	ctx context.Context, a license.Applier, location, event string, rows []apple.Assignment,
) ([]apple.Assignment, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	people, err := owners(ctx, a.Store.ReadStore, location, rows)
	if err != nil {
		return nil, err
	}
	return a.Add(ctx, license.Source{Location: location, People: people, Event: event}, rows)
}

// lookAgain has every wish of the location looked at: somebody else has given people of ours what the wishes may be about to
// give them, or to others who are linked to the same Apple Account.
func lookAgain(store *table.Store, w world.World, location string) func(context.Context) error {
	return func(ctx context.Context) error {
		if _, err := store.Commit(ctx, mark.New(location, mark.Grants, mark.SubjectAll, w.Now())); err != nil {
			return fmt.Errorf("marking the grants of location %s: %w", location, err)
		}
		return nil
	}
}

// owners maps the clientUserIds among the rows that are ours to personIds.
func owners(ctx context.Context, store *table.ReadStore, location string, rows []apple.Assignment) (
	map[string]string, error,
) {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ClientUserID
	}
	readers, err := reader.LoadMany(ctx, store, location, ids)
	if err != nil {
		return nil, err
	}
	people := make(map[string]string, len(readers))
	for id, doc := range readers {
		people[id] = doc.Value.PersonID
	}
	return people, nil
}

// Settling reads what Apple lists since a version of its assignments listing, with the sync's own code, and moves no
// version id: only a sync does.
type Settling struct {
	Store    *table.Store
	World    world.World
	Apple    Apple
	Location string
	Buckets  int // token.Sync.Buckets
}

// Read applies the rows of a listing, and returns Apple's id up to which it listed them. An id that has become too old
// for Apple is an *apple.Error of apple.NumberVersion: read the titles one by one then.
func (t Settling) Read(ctx context.Context, q apple.AssignmentQuery, event string) (version string, err error) {
	digests := newDigests(t.Store, "digests", t.Location, t.Buckets)
	applier := license.Applier{
		Store: t.Store, World: t.World, Before: digests.doubt, Found: lookAgain(t.Store, t.World, t.Location),
	}
	err = t.Apple.AssignmentPages(ctx, q, 0, func(p apple.Page, rows []apple.Assignment) error {
		version = cmp.Or(version, p.VersionID) // the first page's: what comes while the others are read is newer
		added, err := AddRows(ctx, applier, t.Location, event, rows)
		if err != nil {
			return err
		}
		return digests.add(ctx, added)
	})
	if err != nil {
		return "", fmt.Errorf("reading what Apple gave in location %s: %w", t.Location, err)
	}
	return version, digests.flush(ctx)
}
