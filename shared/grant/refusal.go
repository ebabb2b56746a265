package grant

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
)

// deny notes what a finished event says was not done, and returns the pairs that are still open.
//
// Apple groups failures by error and names titles and users, not pairs, and its listing may lag. So a failure is
// believed only if it leaves no doubt: when the pairs that failures name and that aren't listed are exactly as many as
// the event says weren't done. Otherwise they stay open, and the listing decides after the wait (law 1: only Apple's
// final word on a pair frees it).
func (g Granter) deny(ctx context.Context, b license.Batch, event apple.Event, open []license.Doc) ([]license.Doc, error) {
	people, err := g.batchPeople(ctx, b)
	if err != nil {
		return nil, err
	}
	why := make(map[int]apple.Failure) // by index in open
	for i, doc := range open {
		for _, f := range event.Failures {
			if names(f, doc.Value, people) {
				why[i] = f
				break
			}
		}
	}
	if len(why) == 0 || len(why) != event.Requested-event.Completed {
		return open, nil
	}
	if err := g.again(ctx); err != nil { // for whom it can be given otherwise, and who waits for what now
		return nil, err
	}
	var left []license.Doc
	var missing []string
	for i, doc := range open {
		f, denied := why[i]
		if !denied {
			left = append(left, doc)
			continue
		}
		doc.Value = g.denied(doc.Value, f.Number)
		if err := g.save(ctx, doc); err != nil {
			return nil, fmt.Errorf("noting Apple's refusal: %w", err)
		}
		if f.Number == apple.NumberNoUser {
			missing = append(missing, doc.Value.PersonID)
		}
	}
	return left, g.forget(ctx, missing)
}

// names says that a failure may mean the pair: an empty list means that Apple didn't say.
func names(f apple.Failure, l license.License, people map[string]string) bool {
	asset := apple.AssetKey{AdamID: l.AdamID, PricingParam: l.Pricing}
	if len(f.Info.Assets) > 0 && !slices.Contains(f.Info.Assets, asset) {
		return false
	}
	return len(f.Info.ClientUserIDs) == 0 || slices.ContainsFunc(f.Info.ClientUserIDs, func(id string) bool {
		return people[id] == l.PersonID
	})
}

// denied is a license after Apple's final no, by its number.
func (g Granter) denied(l license.License, number int) license.License {
	now := g.World.Now()
	detail := fmt.Sprintf("Apple's error %d", number)
	switch {
	case number == apple.NumberNoStock:
		return l.Deny(license.Waiting, assign.NoStock, detail, now)
	case number == apple.NumberNoUser:
		return l.Deny(license.Waiting, assign.NotAtApple, detail, now)
	case (&apple.Error{Number: number}).Retryable():
		return l.Deny(license.Wanted, "", "", now)
	default:
		meaning := (&apple.Error{Number: number}).Remedy()
		return l.Deny(license.Refused, assign.AppleRefused, detail+": "+strings.TrimSuffix(meaning, "."), now)
	}
}

// forget lets the readers of people be created again whom Apple doesn't know.
func (g Granter) forget(ctx context.Context, people []string) error {
	if len(people) == 0 {
		return nil
	}
	ids, err := g.users(ctx, people)
	if err != nil {
		return err
	}
	return g.Readers.Forget(ctx, slices.Sorted(maps.Values(ids)))
}

// refused ends a batch that Apple refused on the spot: nothing was queued, so nothing was spent. What the error names
// is denied; if it names nothing, the batch is split to find the bad part.
func (g Granter) refused(ctx context.Context, doc license.BatchDoc, e *apple.Error) error {
	b := doc.Value
	whose := fmt.Sprintf("Apple refused it with error %d", e.Number)
	if e.TokenProblem() || e.Retryable() || limitExceeded(e.Number) {
		return joinEnd(errOf(g.abandon(ctx, doc, whose)), e) // not the batch's fault: the worker waits, then starts over
	}
	pairs, err := g.openPairs(ctx, b)
	if err != nil {
		return err
	}
	f := apple.Failure{Number: e.Number, Info: e.Info}
	people, err := g.batchPeople(ctx, b)
	if err != nil {
		return err
	}
	bad := slices.DeleteFunc(slices.Clone(pairs), func(d license.Doc) bool { return !names(f, d.Value, people) })
	if len(bad) == len(pairs) && len(pairs) > 1 {
		ended, err := g.abandon(ctx, doc, whose+"; it is split to find out for whom")
		if err != nil || !ended {
			return err
		}
		return g.split(ctx, b, pairs)
	}
	if ended, err := g.end(ctx, doc, license.Abandoned, whose, mark.SubjectAll); err != nil || !ended {
		return err
	}
	return g.denyAll(ctx, b, bad, e.Number)
}

// denyAll denies the pairs that the refusal of an ended batch names, and frees the others.
func (g Granter) denyAll(ctx context.Context, b license.Batch, bad []license.Doc, number int) error {
	if number == apple.NumberNoStock { // its counts say that there is: they need a while
		if err := g.markGrants(ctx, mark.SubjectAll, g.World.Now().Add(3*g.Pace.Poll)); err != nil {
			return err
		}
	}
	var missing []string
	for _, d := range bad {
		d.Value = g.denied(d.Value, number)
		if err := g.save(ctx, d); err != nil {
			return err
		}
		if number == apple.NumberNoUser {
			missing = append(missing, d.Value.PersonID)
		}
	}
	if err := g.forget(ctx, missing); err != nil {
		return err
	}
	return g.freeRest(ctx, b, false)
}

func joinEnd(ended error, cause *apple.Error) error {
	if ended != nil {
		return ended
	}
	return cause
}

// limitExceeded: the limits have shrunk since they were read.
func limitExceeded(number int) bool { return number >= 9700 && number <= 9702 }

// split gives the two halves of a refused batch, by people, or by titles for a single person.
func (g Granter) split(ctx context.Context, b license.Batch, pairs []license.Doc) error {
	halves := []license.Batch{b, b}
	if n := len(b.People) / 2; n > 0 {
		halves[0].People, halves[1].People = b.People[:n], b.People[n:]
	} else {
		n := len(b.Titles) / 2
		halves[0].Titles, halves[1].Titles = b.Titles[:n], b.Titles[n:]
	}
	causes := make(map[[2]string]*license.Cause)
	for _, doc := range pairs {
		causes[[2]string{doc.Value.AdamID, doc.Value.PersonID}] = doc.Value.Cause
	}
	for _, half := range halves {
		d, err := g.draftOf(ctx, half, causes)
		if err != nil {
			return err
		}
		site, err := g.surveyor().LoadSite(ctx, g.Record)
		if err != nil {
			return err
		}
		stock, err := g.count(ctx, site, d.titles)
		if err != nil {
			return err
		}
		if err := g.give(ctx, d, stock); err != nil {
			return err
		}
	}
	return nil
}

// draftOf is the draft of a batch whose pairs have been freed.
func (g Granter) draftOf(ctx context.Context, b license.Batch, causes map[[2]string]*license.Cause) (draft, error) {
	d := draft{titles: b.Titles, people: b.People, pairs: make(map[[2]string]pair)}
	for _, t := range b.Titles {
		docs, err := license.LoadMany(ctx, g.Store.ReadStore, t.AdamID, d.people)
		if err != nil {
			return draft{}, err
		}
		for person, doc := range docs {
			at := [2]string{t.AdamID, person}
			cause := cmp.Or(causes[at], &license.Cause{})
			d.pairs[at] = pair{t, person, cause, doc}
		}
	}
	return d, nil
}
