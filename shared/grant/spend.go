package grant

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
)

// Spend gives what the wishes of the subjects ask for (mark.SubjectAll, SubjectBook, SubjectGroup), as far as batches
// may be under way at once. For what is left over there is always a batch under way whose end marks all grants anew.
func (g Granter) Spend(ctx context.Context, subjects []string) error {
	site, err := g.surveyor().LoadSite(ctx, g.Record) // law 5: open batches are read before the stock is counted
	if err != nil {
		return err
	}
	if len(site.Batches) >= g.Pace.MaxOpen {
		return nil
	}
	pairs, missing, err := g.ask(ctx, site, subjects)
	if err != nil {
		return err
	}
	if missing {
		op := mark.New(g.Record.Location, mark.Readers, mark.SubjectAll, g.World.Now())
		if _, err := g.Store.Commit(ctx, op); err != nil {
			return fmt.Errorf("marking the missing readers: %w", err)
		}
	}
	if len(pairs) == 0 {
		return nil
	}
	// Law 3: who is associated is Apple's word of this very job.
	seen, err := g.Readers.Refresh(ctx, g.State.UsersSince())
	if err != nil {
		return err
	}
	if len(g.State.Run) == 0 { // a sync that is under way reads its pages since its own id
		g.State.UsersSeen = seen
	}
	if err := g.relist(ctx, pairs); err != nil {
		return err
	}
	drafts := g.group(pairs, g.Pace.MaxOpen-len(site.Batches))
	var stock *stock
	for i, d := range drafts {
		if !g.World.Now().Before(g.Until) {
			return g.again(ctx)
		}
		if stock, err = g.fresh(ctx, stock, site, drafts[i:]); err != nil {
			return err
		}
		if err := g.give(ctx, d, stock); err != nil {
			return err
		}
	}
	return nil
}

// ask surveys the wishes of the subjects, notes who waits and why, and returns what is to be given, in the order in
// which it is given. Missing says that people wait because Apple doesn't know them.
func (g Granter) ask(ctx context.Context, site assign.Site, subjects []string) (pairs []pair, missing bool, err error) {
	taken := make(map[[2]string]bool) // title and person: STDQ and PLUS are one title
	causes := make(map[license.Cause]*license.Cause)
	for doc, err := range assign.OfLocation(ctx, g.Store.ReadStore, g.Record.Location) {
		if err != nil {
			return nil, false, fmt.Errorf("reading the assignments of location %s: %w", g.Record.Location, err)
		}
		wishes := doc.Value
		if !concerns(wishes, subjects) {
			continue
		}
		b, err := book.Load(ctx, g.Store.ReadStore, wishes.BookID)
		if err != nil {
			return nil, false, err
		}
		lines, lapsed, err := g.surveyor().Survey(ctx, site, b.Value, wishes)
		if err != nil {
			return nil, false, err
		}
		if err := g.note(ctx, b.Value, slices.Concat(lines, lapsed)); err != nil {
			return nil, false, err
		}
		if err := g.remindHolds(ctx, wishes); err != nil {
			return nil, false, err
		}
		for _, line := range lines {
			missing = missing || line.Decision.Reason == assign.NotAtApple
			title := [2]string{wishes.Asset.AdamID, line.Person.ID}
			if line.Decision.Verdict != assign.Give || taken[title] {
				continue
			}
			taken[title] = true
			cause := line.Cause(wishes.BookID)
			if causes[cause] == nil {
				causes[cause] = &cause
			}
			l := line.License
			pairs = append(pairs, pair{
				wishes.Asset, line.Person.ID, causes[cause], l.Version, l.Value.Asked, l.Value.Bound != "",
			})
		}
	}
	return pairs, missing, nil
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

// note stores why people wait or are refused, where that has changed.
func (g Granter) note(ctx context.Context, b book.Book, lines []assign.Line) error {
	at := license.Place{Location: b.Location, Asset: b.Asset}
	return g.World.Run(ctx, width, len(lines), func(ctx context.Context, i int) error {
		doc, changed, err := noted(lines[i], at, lines[i].Cause(b.ID), g)
		if err != nil || !changed {
			return err
		}
		return g.save(ctx, doc)
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

func noted(line assign.Line, at license.Place, cause license.Cause, g Granter) (license.Doc, bool, error) {
	doc, d := line.License, line.Decision
	l := doc.Value
	waitsElsewhere := l.State == license.Waiting && l.Location != at.Location
	switch {
	case d.Verdict == assign.Give, l.Has(), l.State == license.Reserved, d.Reason == assign.AppleRefused,
		d.Reason == assign.Elsewhere, l.State == license.Gone && d.Reason == assign.Refunded, waitsElsewhere:
		return doc, false, nil
	}
	if line.Wish.ID == "" { // no wish covers it any more
		doc.Value = l.Lapse(d.Reason, g.World.Now())
		return doc, true, nil
	}
	state := license.Waiting
	if d.Verdict == assign.Refuse {
		state = license.Refused
	}
	known := l.State == state && l.Reason == d.Reason && l.Detail == d.Detail && l.Location == at.Location
	moved := l.Pricing == at.Asset.PricingParam && l.Cause != nil && l.Cause.AssignmentID != cause.AssignmentID
	if known && !moved { // another wish has another place in the line
		return doc, false, nil
	}
	var err error
	doc.Value, err = l.Ask(at, cause, state, d.Reason, d.Detail, g.World.Now())
	return doc, true, err
}

// draft is a batch to be: each title for each person.
type draft struct {
	titles []apple.AssetKey
	people []string
	pairs  map[[2]string]pair // by adamId and person
}

// group makes at most so many batches: people who lack the same set of titles share requests, as many titles and people
// each as Apple allows now.
func (g Granter) group(pairs []pair, most int) []draft {
	sets := make(map[string][]pair) // by person
	var order []string
	for _, p := range pairs {
		if _, ok := sets[p.person]; !ok {
			order = append(order, p.person)
		}
		sets[p.person] = append(sets[p.person], p)
	}
	shared := make(map[string][]string) // set of titles to people
	var names []string
	for _, person := range order {
		name := setName(sets[person])
		if _, ok := shared[name]; !ok {
			names = append(names, name)
		}
		shared[name] = append(shared[name], person)
	}
	var drafts []draft
	for _, name := range names {
		for people := range slices.Chunk(shared[name], max(g.Limits.MaxClientUserIDs, 1)) {
			for titles := range slices.Chunk(sets[people[0]], max(g.Limits.MaxAssets, 1)) {
				if len(drafts) == most {
					return drafts
				}
				drafts = append(drafts, newDraft(titles, people, sets))
			}
		}
	}
	return drafts
}

func setName(pairs []pair) string {
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.asset.AdamID, b.asset.AdamID) })
	var name strings.Builder
	for _, p := range pairs {
		name.WriteString(p.asset.AdamID + "#" + p.asset.PricingParam + " ")
	}
	return name.String()
}

func newDraft(titles []pair, people []string, sets map[string][]pair) draft {
	d := draft{people: people, pairs: make(map[[2]string]pair)}
	wanted := make(map[apple.AssetKey]bool)
	for _, t := range titles {
		d.titles = append(d.titles, t.asset)
		wanted[t.asset] = true
	}
	for _, person := range people {
		for _, p := range sets[person] {
			if wanted[p.asset] {
				d.pairs[[2]string{p.asset.AdamID, person}] = p
			}
		}
	}
	return d
}
