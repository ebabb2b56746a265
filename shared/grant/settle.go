package grant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/table"
)

const (
	// patience is how long Apple may say PENDING (Apple: Event Status).
	patience = 10 * time.Minute
	// fewLeft is up to how many pairs are looked up one by one.
	fewLeft = 20
)

// Settle finds out what became of a batch, as far as that can be known now. Until it is known, it marks the batch for
// a later look. A batch that was never sent is ended and its pairs are freed.
func (g Granter) Settle(ctx context.Context, id string) error {
	doc, err := license.OpenBatch(ctx, g.Store.ReadStore, g.Record.Location, id)
	if errors.Is(err, table.ErrAbsent) {
		return g.sweep(ctx, id)
	}
	if err != nil {
		return fmt.Errorf("reading batch %s: %w", id, err)
	}
	if doc.Value.State == license.Prepared {
		return errOf(g.abandon(ctx, doc, "its worker died before it was sent"))
	}
	return g.look(ctx, doc)
}

// sweep frees what still names a batch that has ended: its worker died between ending it and freeing them.
func (g Granter) sweep(ctx context.Context, id string) error {
	past, err := license.PastBatch(ctx, g.Store.ReadStore, g.Record.Location, id)
	if errors.Is(err, table.ErrAbsent) {
		return nil // never stored: nothing names it
	}
	if err != nil {
		return fmt.Errorf("reading batch %s: %w", id, err)
	}
	return g.freeRest(ctx, past.Value, past.Value.State != license.Abandoned)
}

// look reads Apple's word on a batch that may have spent.
func (g Granter) look(ctx context.Context, doc license.BatchDoc) error {
	b := doc.Value
	if err := g.freePairs(ctx, b, b.Dropped, false); err != nil { // if its worker died before it did
		return err
	}
	event, err := g.event(ctx, b)
	if err != nil {
		return err
	}
	finished := event.Status == apple.EventComplete || event.Status == apple.EventFailed
	began := g.World.Now() // law 2: a listing tells only if it began after the wait
	if event.Status == apple.EventPending && began.Before(b.SentAt.Add(patience)) {
		return g.lookLater(ctx, doc)
	}
	if err := g.readDelta(ctx, b); err != nil {
		return err
	}
	open, err := g.openPairs(ctx, b)
	if err != nil {
		return err
	}
	if finished && len(open) > 0 {
		if open, err = g.deny(ctx, b, event, open); err != nil {
			return err
		}
		if open, err = g.lookUp(ctx, b, open, fewLeft); err != nil {
			return err
		}
	}
	if len(open) == 0 {
		return errOf(g.end(ctx, doc, license.Settled, outcome(b, event), mark.SubjectNext))
	}
	if began.Before(b.NotAfter.Add(g.Pace.ResendAfter)) {
		return g.lookLater(ctx, doc)
	}
	return g.giveUp(ctx, doc, event, open)
}

// giveUp frees the pairs on which Apple's word is missing after the wait: law 2. They stay bound to this location. The
// listing that must lack them is read title by title, whole: a delta is not enough to spend a second time on.
func (g Granter) giveUp(ctx context.Context, doc license.BatchDoc, event apple.Event, open []license.Doc) error {
	b := doc.Value
	if open, err := g.lookUp(ctx, b, open, len(open)); err != nil || len(open) == 0 {
		return errors.Join(err, g.endIf(ctx, err == nil, doc, outcome(b, event)))
	}
	text := fmt.Sprintf("Apple's word on %d pairs was missing after the wait and its listing lacked them; they are sent again",
		len(open))
	if ended, err := g.end(ctx, doc, license.Settled, text, mark.SubjectAll); err != nil || !ended {
		return err
	}
	return g.freeRest(ctx, b, true)
}

func (g Granter) endIf(ctx context.Context, ok bool, doc license.BatchDoc, outcome string) error {
	if !ok {
		return nil
	}
	return errOf(g.end(ctx, doc, license.Settled, outcome, mark.SubjectNext))
}

func outcome(b license.Batch, event apple.Event) string {
	if b.Event == "" {
		return "its answer was lost, and Apple's listing has it all"
	}
	return fmt.Sprintf("Apple's event %s: %d of %d done", event.Status, event.Completed, event.Requested)
}

// event asks for the state of the request; it is empty when the request's event isn't known, or Apple forgot it.
func (g Granter) event(ctx context.Context, b license.Batch) (apple.Event, error) {
	if b.Event == "" {
		return apple.Event{}, nil
	}
	event, err := g.Apple.Event(ctx, b.Event)
	if apple.IsNumber(err, apple.NumberNoEvent) {
		return apple.Event{}, nil
	}
	if err != nil {
		return apple.Event{}, fmt.Errorf("looking at the event of batch %s: %w", b.ID, err)
	}
	return event, nil
}

func (g Granter) lookLater(ctx context.Context, doc license.BatchDoc) error {
	doc.Value.Polls++
	_, err := g.saveBatch(ctx, doc, g.World.Now().Add(3*g.Pace.Poll))
	if license.IsConflict(err) {
		return nil // somebody else has looked
	}
	return err
}

// readDelta applies what Apple lists since before the batch was sent, as far as it hasn't been applied yet: batches that
// are under way together share their pages. While a sync is under way each reads all of its own, because a full sync moves
// the location's id over rows that it only sums up.
func (g Granter) readDelta(ctx context.Context, b license.Batch) error {
	shared := len(g.State.Run) == 0
	q := apple.AssignmentQuery{SinceVersion: b.SinceVersion}
	if shared {
		q.SinceVersion = cmp.Or(g.State.AssignmentsSeen, b.SinceVersion)
	}
	version, err := g.settling().Read(ctx, q, b.Event)
	if err == nil && shared {
		g.State.AssignmentsSeen = version
	}
	if !apple.IsNumber(err, apple.NumberVersion) {
		return err
	}
	for _, t := range b.Titles { // the id is too old for Apple: everything about these titles, then
		if _, err := g.settling().Read(ctx, apple.AssignmentQuery{AdamID: t.AdamID}, b.Event); err != nil {
			return err
		}
	}
	return nil
}

// openPairs are the pairs of the batch that Apple hasn't been seen to list.
func (g Granter) openPairs(ctx context.Context, b license.Batch) ([]license.Doc, error) {
	var open []license.Doc
	for _, t := range b.Titles {
		docs, err := license.LoadMany(ctx, g.Store.ReadStore, t.AdamID, b.People)
		if err != nil {
			return nil, err
		}
		for _, person := range b.People {
			if doc := docs[person]; doc.Value.State == license.Reserved && doc.Value.Batch == b.ID {
				open = append(open, doc)
			}
		}
	}
	return open, nil
}

// lookUp reads Apple's listing for pairs that the delta lacks: one by one when they are at most few, otherwise their
// titles; nothing when they are more than limit. It returns those that are still missing.
func (g Granter) lookUp(ctx context.Context, b license.Batch, open []license.Doc, limit int) ([]license.Doc, error) {
	if len(open) == 0 || len(open) > limit {
		return open, nil
	}
	users, err := g.users(ctx, b.People)
	if err != nil {
		return nil, err
	}
	asked := make(map[apple.AssignmentQuery]bool)
	for _, doc := range open {
		q := apple.AssignmentQuery{AdamID: doc.Value.AdamID}
		if len(open) <= fewLeft {
			q.ClientUserID = users[doc.Value.PersonID]
		}
		if asked[q] {
			continue
		}
		asked[q] = true
		if _, err := g.settling().Read(ctx, q, b.Event); err != nil {
			return nil, err
		}
	}
	return g.openPairs(ctx, b)
}

// relist reads Apple's whole listing of the titles that are bound here with people who have been restored as another
// generation since. To the same reader Apple gives nothing twice; to another it would. The former one is retired by now, so
// that it gets nothing more: what the listing lacks it never got, and what it has takes the pair from whoever reserves it
// under what was read before (law 1).
func (g Granter) relist(ctx context.Context, pairs []pair) error {
	bound := slices.DeleteFunc(slices.Clone(pairs), func(p pair) bool { return p.license.Value.Bound == "" })
	if len(bound) == 0 {
		return nil
	}
	retired, err := reader.Retirements(ctx, g.Store.ReadStore, g.Record.Location)
	if err != nil {
		return err
	}
	var titles []string
	for _, p := range bound {
		if r, ok := retired[p.to]; ok && r.Value.Current() > 0 {
			titles = append(titles, p.asset.AdamID)
		}
	}
	slices.Sort(titles)
	for _, adamID := range slices.Compact(titles) {
		if _, err := g.settling().Read(ctx, apple.AssignmentQuery{AdamID: adamID}, ""); err != nil {
			return fmt.Errorf("reading who has the title %s: %w", adamID, err)
		}
	}
	return nil
}

// users are the clientUserIds of people, by personId.
func (g Granter) users(ctx context.Context, people []string) (map[string]string, error) {
	return reader.IDs(ctx, g.Store.ReadStore, g.identity(), people)
}

// batchPeople are the personIds of a batch by clientUserId.
func (g Granter) batchPeople(ctx context.Context, b license.Batch) (map[string]string, error) {
	users, err := g.users(ctx, b.People)
	if err != nil {
		return nil, err
	}
	people := make(map[string]string, len(b.People))
	for person, user := range users {
		people[user] = person
	}
	return people, nil
}
