package reader

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table"
)

func isConflict(err error) bool { return errors.Is(err, table.ErrCondition) }

// Retire carries out the retirements that are ordered for the location, as far as it can: one waits while a batch may
// still send for the person, or a request of ours for the reader is under way. Nothing rests on what Apple answers: a
// retirement is done when Apple's listing of users says so, so that a repetition is harmless.
//
// No batch for the person can come in between: whoever sends looks for the order after having stored the batch, and this
// looks for batches after the order was stored.
func (w Worker) Retire(ctx context.Context, sinceVersion string) error {
	orders, err := w.orders(ctx)
	if err != nil || len(orders) == 0 {
		return err
	}
	ready, err := w.ready(ctx, orders)
	if err != nil {
		return err
	}
	if len(ready) < len(orders) {
		if err := w.retireLater(ctx); err != nil {
			return err
		}
	}
	if len(ready) == 0 {
		return nil
	}
	if _, err := w.Refresh(ctx, sinceVersion); err != nil { // law 4, as in Ensure; and what Apple has done since
		return err
	}
	var ask []RetirementDoc
	for _, order := range ready {
		over, err := w.over(ctx, order.Value)
		if err != nil {
			return err
		}
		if !over {
			ask = append(ask, order)
			continue
		}
		order.Value.State, order.Value.Ended = Done, w.World.Now()
		if err := w.saveOrder(ctx, order); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(ask, max(w.MaxUsers, 1)) {
		if err := w.askToRetire(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// orders are the location's retirements that aren't done, in the order of the personIds.
func (w Worker) orders(ctx context.Context) ([]RetirementDoc, error) {
	all, err := Retirements(ctx, w.Store.ReadStore, w.Identity.Location)
	if err != nil {
		return nil, err
	}
	var orders []RetirementDoc
	for _, person := range slices.Sorted(maps.Keys(all)) {
		if all[person].Value.State == Ordered {
			orders = append(orders, all[person])
		}
	}
	return orders, nil
}

// ready are the orders that nothing of ours stands in the way of.
func (w Worker) ready(ctx context.Context, orders []RetirementDoc) ([]RetirementDoc, error) {
	busy, err := Busy(ctx, w.Store.ReadStore, w.Identity.Location)
	if err != nil {
		return nil, err
	}
	pending, err := w.requests(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(orders), func(o RetirementDoc) bool {
		return busy[o.Value.PersonID] != "" || pending[o.Value.ClientUserID]
	}), nil
}

// Busy are the people for whom a batch of the location may still send, each with the batch.
func Busy(ctx context.Context, store *table.ReadStore, location string) (map[string]string, error) {
	open, err := license.OpenBatches(ctx, store, location)
	if err != nil {
		return nil, err
	}
	busy := make(map[string]string)
	for _, doc := range open {
		for _, person := range doc.Value.People {
			busy[person] = doc.Value.ID
		}
	}
	return busy, nil
}

// over says that Apple has retired the reader; or that it has none although it was asked, which a request for creating
// it that was lost might have come before.
func (w Worker) over(ctx context.Context, r Retirement) (bool, error) {
	known, err := LoadMany(ctx, w.Store.ReadStore, w.Identity.Location, []string{r.ClientUserID})
	if err != nil {
		return false, err
	}
	doc, ok := known[r.ClientUserID]
	return !ok || doc.Value.Status == Retired || doc.Value.Status == New && !r.Asked.IsZero(), nil
}

func (w Worker) saveOrder(ctx context.Context, order RetirementDoc) error {
	save, err := order.Save()
	if err != nil {
		return err
	}
	if _, err = w.Store.Commit(ctx, save); err != nil && !isConflict(err) { // somebody else was faster
		return fmt.Errorf("storing the retirement of reader %s: %w", order.Value.ClientUserID, err)
	}
	return nil
}

// askToRetire sends one request. A crash, or an answer that is lost, repeats it: Apple answers 9609 for those who have
// retired.
func (w Worker) askToRetire(ctx context.Context, orders []RetirementDoc) error {
	req := request{Sent: w.World.Now(), Retires: true}
	for _, o := range orders {
		req.ClientUserIDs = append(req.ClientUserIDs, o.Value.ClientUserID)
	}
	event, err := w.Apple.RetireUsers(ctx, req.ClientUserIDs)
	unknown := apple.IsNumber(err, apple.NumberNoUser) // somebody of them; the listing will tell who is left
	if err != nil && !unknown {
		return fmt.Errorf("asking Apple to retire %d readers: %w", len(orders), err)
	}
	if unknown {
		err = w.retireLater(ctx)
	} else {
		err = w.follow(ctx, event, req)
	}
	if err != nil {
		return err
	}
	for _, o := range orders {
		o.Value.Asked = req.Sent
		if err := w.saveOrder(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// retireLater has the orders looked at again after a while.
func (w Worker) retireLater(ctx context.Context) error {
	look := mark.New(w.Identity.Location, mark.Retire, mark.SubjectAll, w.World.Now().Add(3*w.Poll))
	if _, err := w.Store.Commit(ctx, look); err != nil {
		return fmt.Errorf("marking the retirements of location %s: %w", w.Identity.Location, err)
	}
	return nil
}

// retired ends a request that retires: what became of it is read from Apple's listing, at once or, when Apple has refused
// for a reason that may pass, after a while.
func (w Worker) retired(ctx context.Context, doc table.Doc[request], event apple.Event) error {
	due := w.World.Now()
	if slices.ContainsFunc(event.Failures, func(f apple.Failure) bool { return f.Number != apple.NumberNoUser }) {
		due = due.Add(patience)
	}
	_, err := w.Store.Commit(ctx, doc.Remove(), mark.New(w.Identity.Location, mark.Retire, mark.SubjectAll, due))
	if err != nil {
		return fmt.Errorf("ending the request %s to retire readers: %w", event.ID, err)
	}
	return nil
}
