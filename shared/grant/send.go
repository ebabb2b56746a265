package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// recoverAfter is when a batch is looked at whose worker died before it was sent.
const recoverAfter = 2 * time.Minute

// freshFor is how old a look at people and stock may be when the request starts (laws 3 and 5).
const freshFor = 60 * time.Second

// give makes a batch of a draft and sends it: store it, reserve its pairs, look again at everything that must hold,
// store that it is being sent, send.
func (g Granter) give(ctx context.Context, d draft, s *stock) error {
	if room := s.room(d.titles); room < len(d.people) { // law 5; found to be given on counts that have just been replaced
		if d.people = d.people[:room]; room == 0 {
			return g.again(ctx)
		}
		if err := g.again(ctx); err != nil {
			return err
		}
	}
	doc, err := g.prepare(ctx, d)
	if err != nil {
		return err
	}
	reserved, err := g.reserve(ctx, doc.Value, d)
	if err != nil {
		return err
	}
	looked := g.World.Now()
	fit, err := g.recheck(ctx, d, reserved)
	if err != nil {
		return err
	}
	if looked.Sub(s.read) > freshFor {
		return errOf(g.abandon(ctx, doc, "the counts had become too old; they are read again"))
	}
	fit = fit[:min(len(fit), s.room(d.titles))] // law 5
	if len(fit) == 0 {
		return errOf(g.abandon(ctx, doc, "nobody was left to give it to"))
	}
	ids, err := g.users(ctx, fit)
	if err != nil {
		return err
	}
	doc, err = g.commitSending(ctx, doc, fit, looked)
	if license.IsConflict(err) {
		return nil // a pair was taken out, the batch was ended, or another worker has looked: its mark leads back to it
	}
	if err != nil {
		return err
	}
	s.take(d.titles, len(fit))
	if err := g.freeDropped(ctx, doc.Value); err != nil {
		return err
	}
	return g.send(ctx, doc, ids)
}

// prepare stores the batch, before anything names it.
func (g Granter) prepare(ctx context.Context, d draft) (license.BatchDoc, error) {
	b := license.Batch{
		ID: world.NewOrderedID(g.World), Location: g.Record.Location, State: license.Prepared, Titles: d.titles,
		People: d.people, SinceVersion: g.State.AssignmentsSince(), Created: g.World.Now(),
	}
	doc := license.NewBatch(b)
	return g.saveBatch(ctx, doc, b.Created.Add(recoverAfter))
}

// saveBatch stores a batch under the condition that it is still what was read, and when it is looked at next.
func (g Granter) saveBatch(
	ctx context.Context, doc license.BatchDoc, look time.Time, unless ...table.Op,
) (license.BatchDoc, error) {
	op, err := doc.Save()
	if err != nil {
		return doc, err
	}
	ops := append([]table.Op{op, mark.New(g.Record.Location, mark.Settle, doc.Value.ID, look)}, unless...)
	version, err := g.Store.Commit(ctx, ops...)
	if err != nil {
		return doc, fmt.Errorf("storing batch %s as %s: %w", doc.Value.ID, doc.Value.State, err)
	}
	doc.Version = version
	return doc, nil
}

// commitSending stores who will be sent, before the request starts. From here on only Apple's word frees these pairs. It fails if
// another worker has looked since: who comes first for the last license, and for what was approved, is what one look has found.
func (g Granter) commitSending(ctx context.Context, doc license.BatchDoc, people []string, looked time.Time) (
	license.BatchDoc, error,
) {
	b := &doc.Value
	now := g.World.Now()
	b.State, b.SendingAt = license.Sending, now
	b.NotAfter = now.Add(g.Pace.notAfter())
	if limit := looked.Add(freshFor); limit.Before(b.NotAfter) {
		b.NotAfter = limit
	}
	for _, person := range b.People {
		if !slices.Contains(people, person) {
			b.Dropped = append(b.Dropped, person)
		}
	}
	b.People = people
	var unless []table.Op
	if g.head != nil {
		unless = append(unless, g.head.Unchanged())
	}
	return g.saveBatch(ctx, doc, now.Add(g.Pace.Poll), unless...)
}

// freeDropped frees the pairs of people who were reserved and then left out. A worker that dies before leaves that to
// the first look at the batch.
func (g Granter) freeDropped(ctx context.Context, b license.Batch) error {
	if len(b.Dropped) == 0 {
		return nil
	}
	if err := g.freePairs(ctx, b, b.Dropped, false); err != nil {
		return err
	}
	return g.again(ctx)
}

// freePairs takes the pairs of the people out of the batch, which can't send them any more.
func (g Granter) freePairs(ctx context.Context, b license.Batch, people []string, bound bool) error {
	for _, t := range b.Titles {
		docs, err := license.LoadMany(ctx, g.Store.ReadStore, t.AdamID, people)
		if err != nil {
			return err
		}
		err = g.World.Run(ctx, g.Store.Width(), len(people), func(ctx context.Context, i int) error {
			doc := docs[people[i]]
			if doc.Value.State != license.Reserved || doc.Value.Batch != b.ID {
				return nil
			}
			doc.Value = doc.Value.Free(bound, g.World.Now())
			return g.save(ctx, doc)
		})
		if err != nil {
			return fmt.Errorf("freeing pairs of batch %s: %w", b.ID, err)
		}
	}
	return nil
}

// send starts the request and stores what came of it. An unknown outcome leaves the batch as it is: its mark leads
// back to it. The ids are the clientUserIds of its people.
func (g Granter) send(ctx context.Context, doc license.BatchDoc, ids map[string]string) error {
	b := &doc.Value
	users := make([]string, len(b.People))
	for i, person := range b.People {
		users[i] = ids[person]
	}
	event, err := g.Apple.Associate(ctx, apple.Association{Assets: b.Titles, ClientUserIDs: users, NotAfter: b.NotAfter})
	var refused *apple.Error
	switch {
	case err == nil:
		b.State, b.Event, b.SentAt = license.Sent, event, g.World.Now()
		_, err := g.saveBatch(ctx, doc, b.SentAt.Add(g.Pace.Poll))
		return err
	case errors.Is(err, apple.ErrNotSent):
		return errors.Join(errOf(g.abandon(ctx, doc, "it was not sent: "+err.Error())), err)
	case errors.As(err, &refused) && !errors.Is(err, apple.ErrUnknownOutcome):
		return g.refused(ctx, doc, refused)
	default:
		g.Log.WarnContext(ctx, "outcome of a batch unknown", "batch", b.ID, "location", b.Location, "error", err)
		return g.unknown(ctx, doc, event, err)
	}
}

// unknown keeps what can be known of a request whose answer was lost or not to be believed: Apple may have named its
// event all the same. Only an answer that stops the location is passed on.
func (g Granter) unknown(ctx context.Context, doc license.BatchDoc, event string, cause error) error {
	if event != "" {
		doc.Value.State, doc.Value.Event, doc.Value.SentAt = license.Sent, event, g.World.Now()
		if _, err := g.saveBatch(ctx, doc, doc.Value.SentAt.Add(g.Pace.Poll)); err != nil {
			return err
		}
	}
	var (
		owner    *apple.OwnerError
		location *apple.LocationError
	)
	if errors.As(cause, &owner) || errors.As(cause, &location) {
		return cause
	}
	return nil
}

// abandon ends a batch that will never be sent, and frees its pairs. Nobody can send it after its Commit. It says false
// as end does.
func (g Granter) abandon(ctx context.Context, doc license.BatchDoc, why string) (bool, error) {
	ended, err := g.end(ctx, doc, license.Abandoned, why, mark.SubjectAll)
	if err != nil || !ended {
		return false, err
	}
	return true, g.freeRest(ctx, doc.Value, false)
}

// end closes a batch and marks the grants: which of them is for the caller to say, SubjectNext if the batch has given all,
// otherwise SubjectAll, so that what it didn't give is decided anew. It says false when somebody else has changed the batch
// since it was read: then nothing has happened, and nothing may follow from it (law 1: the batch may be on its way to Apple
// by now) but a later look.
func (g Granter) end(
	ctx context.Context, doc license.BatchDoc, state license.BatchState, outcome, grants string,
) (bool, error) {
	ops, err := license.End(doc, state, outcome, g.World.Now())
	if err != nil {
		return false, err
	}
	now := g.World.Now()
	ops = append(ops, mark.New(g.Record.Location, mark.Grants, grants, now))
	if state == license.Settled { // counts are read again soon; many batches make one sync
		ops = append(ops, mark.New(g.Record.Location, mark.Sync, mark.SyncSpent, now.Add(time.Minute)))
	}
	_, err = g.Store.Commit(ctx, ops...)
	switch {
	case license.IsConflict(err):
		_, err = g.Store.Commit(ctx, mark.New(g.Record.Location, mark.Settle, doc.Value.ID, now.Add(3*g.Pace.Poll)))
		return false, err
	case err != nil:
		return false, fmt.Errorf("ending batch %s: %w", doc.Value.ID, err)
	}
	return true, nil
}

// errOf is the error of what needs no answer to whether it happened.
func errOf(_ bool, err error) error { return err }

// freeRest frees whatever still names an ended batch. Only those whom it listed to the last may be bound by it.
func (g Granter) freeRest(ctx context.Context, b license.Batch, bound bool) error {
	return errors.Join(g.freePairs(ctx, b, b.People, bound), g.freePairs(ctx, b, b.Dropped, false))
}
