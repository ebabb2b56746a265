package grant

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
)

// note stores why people wait or are refused, where that has changed, until the time is up. All says that it sufficed. All
// that one look notes is of the time when it began: so its order is that of the next one.
func (g Granter) note(ctx context.Context, b book.Book, lines []assign.Line, began, until time.Time) (all bool, err error) {
	n := notes{at: license.Place{Location: b.Location, Asset: b.Asset}, bookID: b.ID, now: began, short: areShort(lines)}
	var left atomic.Int64
	err = g.World.Run(ctx, g.Store.Width(), len(lines), func(ctx context.Context, i int) error {
		doc, changed, err := n.noted(lines[i])
		switch {
		case err != nil || !changed:
			return err
		case !g.World.Now().Before(until):
			left.Add(1)
			return nil
		}
		return g.save(ctx, doc)
	})
	return left.Load() == 0, err
}

// areShort says that there isn't enough for all: of stock, or of what was approved.
func areShort(lines []assign.Line) bool {
	return slices.ContainsFunc(lines, func(line assign.Line) bool {
		return line.Decision.Reason == assign.NoStock || line.Decision.Reason == assign.WaitingForApproval
	})
}

// save stores a license, unless somebody else was faster: then what they stored is newer than what we know, and the
// next pass looks at it.
func (g Granter) save(ctx context.Context, doc license.Doc) error {
	op, err := license.Save(doc)
	if err != nil {
		return err
	}
	if _, err := g.Store.Commit(ctx, op); err != nil && !license.IsConflict(err) {
		return err
	}
	return nil
}

// notes are what a look notes of a book.
type notes struct {
	at     license.Place
	bookID string
	now    time.Time
	short  bool
}

// noted is a license with what is to be noted of it, and whether that changes it.
func (n notes) noted(line assign.Line) (license.Doc, bool, error) {
	doc, d := line.License, line.Decision
	l := doc.Value
	waitsElsewhere := l.State == license.Waiting && l.Location != n.at.Location
	switch {
	case l.Has(), l.State == license.Reserved, d.Reason == assign.AppleRefused, d.Reason == assign.Elsewhere,
		l.State == license.Gone && (d.Reason == assign.Refunded || d.Verdict == assign.Give), waitsElsewhere:
		return doc, false, nil
	}
	if line.Wish.ID == "" { // no wish covers it any more
		doc.Value = l.Lapse(d.Reason, n.now)
		return doc, true, nil
	}
	if d.Verdict == assign.Give && (!n.short || !l.Asked.IsZero()) {
		return doc, false, nil // only where not all get it does it matter since when they stand in the line
	}
	return n.asked(line)
}

// asked is a license that stands in the line from now on, if it doesn't yet, with the state that was decided.
func (n notes) asked(line assign.Line) (license.Doc, bool, error) {
	doc, d, cause := line.License, line.Decision, line.Cause(n.bookID)
	l := doc.Value
	state := map[assign.Verdict]license.State{
		assign.Give: license.Wanted, assign.Wait: license.Waiting, assign.Refuse: license.Refused,
	}[d.Verdict]
	known := l.State == state && l.Reason == d.Reason && l.Detail == d.Detail && l.Location == n.at.Location
	moved := l.Bound == "" && l.Pricing == n.at.Asset.PricingParam && l.Cause != nil && l.Cause.AssignmentID != cause.AssignmentID
	if known && !moved { // another wish has another place in the line
		return doc, false, nil
	}
	var err error
	doc.Value, err = l.Ask(n.at, cause, state, d.Reason, d.Detail, n.now)
	return doc, true, err
}
