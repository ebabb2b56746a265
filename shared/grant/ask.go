package grant

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/mark"
)

// asking is what one look at the wishes has found.
type asking struct {
	site  assign.Site
	began time.Time
	// until is when no further book is begun, and nothing more is noted: a location may wish for millions of licenses, and
	// what was found must still be given in this wake.
	until   time.Time
	seen    map[string]bool         // bookIds, also those that were put off
	looked  map[apple.AssetKey]bool // the books that were not
	taken   map[[2]string]bool
	pairs   []found          // in the order in which they are given
	short   []apple.AssetKey // people wait for stock, and batches with these books are under way
	missing bool             // people wait because Apple doesn't know them
}

// find looks at the wishes of the subjects, and puts what is to be given into the backlog. For people whom Apple doesn't
// know, readers are marked. It says false when another worker has changed the backlog.
func (g Granter) find(ctx context.Context, site assign.Site, doc *backlogDoc, subjects []string) (bool, error) {
	a, err := g.ask(ctx, site, subjects)
	if err != nil {
		return false, err
	}
	if a.missing {
		op := mark.New(g.Record.Location, mark.Readers, mark.SubjectAll, g.World.Now())
		if _, err := g.Store.Commit(ctx, op); err != nil {
			return false, fmt.Errorf("marking the missing readers: %w", err)
		}
	}
	return g.keep(ctx, doc, a, slices.Contains(subjects, mark.SubjectAll))
}

// ask surveys the wishes of the subjects, and notes who waits and why. Half of the time that is left is for this; books for
// which it doesn't suffice are marked by themselves, and come first the next time.
func (g Granter) ask(ctx context.Context, site assign.Site, subjects []string) (*asking, error) {
	now := g.World.Now()
	a := &asking{
		site: site, began: now, until: now.Add(g.Until.Sub(now) / 2), seen: make(map[string]bool), looked: make(map[apple.AssetKey]bool),
		taken: make(map[[2]string]bool),
	}
	for _, turn := range [][]string{putOff(subjects), subjects} {
		if len(turn) == 0 {
			continue
		}
		for doc, err := range assign.OfLocation(ctx, g.Store.ReadStore, g.Record.Location) {
			if err != nil {
				return nil, fmt.Errorf("reading the assignments of location %s: %w", g.Record.Location, err)
			}
			if !concerns(doc.Value, turn) || a.seen[doc.Value.BookID] {
				continue
			}
			a.seen[doc.Value.BookID] = true
			if err := g.askFor(ctx, a, doc); err != nil {
				return nil, err
			}
		}
	}
	return a, nil
}

// putOff are the subjects that are one book.
func putOff(subjects []string) []string {
	return slices.DeleteFunc(slices.Clone(subjects), func(s string) bool { return !strings.HasPrefix(s, mark.SubjectBook("")) })
}

// askFor surveys the wishes for one book.
func (g Granter) askFor(ctx context.Context, a *asking, doc assign.WishesDoc) error {
	wishes := doc.Value
	if len(a.seen) > 1 && !g.World.Now().Before(a.until) {
		return g.later(ctx, wishes)
	}
	b, err := book.Load(ctx, g.Store.ReadStore, wishes.BookID)
	if err != nil {
		return err
	}
	lines, lapsed, err := g.surveyor().Survey(ctx, a.site, b.Value, wishes)
	if err != nil {
		return err
	}
	now := g.World.Now()
	until := now.Add(g.Until.Sub(now) / 2) // a look that took all of its time would note nothing, again and again
	if until.Before(a.until) {
		until = a.until
	}
	all, err := g.note(ctx, b.Value, slices.Concat(lines, lapsed), a.began, until)
	if err != nil {
		return err
	}
	if !all {
		if err := g.later(ctx, wishes); err != nil {
			return err
		}
	}
	if err := g.remindHolds(ctx, wishes); err != nil {
		return err
	}
	a.take(doc, lines)
	return nil
}

// take notes what is to be given of a book, and to whom.
func (a *asking) take(doc assign.WishesDoc, lines []assign.Line) {
	asset := doc.Value.Asset
	a.looked[asset] = true
	orders := make(map[string]*order) // by the group of the wish
	short := false
	for _, line := range lines {
		a.missing = a.missing || line.Decision.Reason == assign.NotAtApple
		short = short || line.Decision.Reason == assign.NoStock
		title := [2]string{asset.AdamID, line.Person.ID}
		if line.Decision.Verdict != assign.Give || a.taken[title] { // STDQ and PLUS are one title
			continue
		}
		a.taken[title] = true
		group := line.Wish.GroupID
		if orders[group] == nil {
			orders[group] = &order{asset, doc.Version, group}
		}
		a.pairs = append(a.pairs, found{line.Person.ID, orders[group]})
	}
	if short && holding(a.site.Batches, asset) {
		a.short = append(a.short, asset)
	}
}

// later marks a book for which there was no time.
func (g Granter) later(ctx context.Context, wishes assign.Wishes) error {
	op := mark.New(g.Record.Location, mark.Grants, mark.SubjectBook(wishes.BookID), g.World.Now())
	if _, err := g.Store.Commit(ctx, op); err != nil {
		return fmt.Errorf("putting off the assignments of book %s: %w", wishes.BookID, err)
	}
	return nil
}

func concerns(w assign.Wishes, subjects []string) bool {
	return slices.ContainsFunc(subjects, func(subject string) bool {
		if group, ok := strings.CutPrefix(subject, mark.SubjectGroup("")); ok {
			return w.Names(group)
		}
		return subject == mark.SubjectAll || subject == mark.SubjectBook(w.BookID)
	})
}

// remindHolds marks the work for the end of the next hold, if there is one: the mark that brought us here is done.
func (g Granter) remindHolds(ctx context.Context, w assign.Wishes) error {
	now := g.World.Now()
	for _, wish := range w.Ordered(now) {
		if !wish.OnHold(now) {
			continue
		}
		op := mark.New(g.Record.Location, mark.Later, mark.SubjectBook(w.BookID), wish.HoldUntil)
		if _, err := g.Store.Commit(ctx, op); err != nil {
			return fmt.Errorf("marking the end of a hold: %w", err)
		}
		return nil
	}
	return nil
}
