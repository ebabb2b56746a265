package grant

import (
	"context"
	"fmt"
	"slices"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
)

// Spend looks at the wishes of the subjects (mark.SubjectAll, SubjectBook, SubjectGroup), puts what is to be given into the
// backlog, and gives from there as many batches as may be under way at once. By mark.SubjectNext alone it does only the
// latter. What is left over comes when a batch ends, which marks that.
func (g Granter) Spend(ctx context.Context, subjects []string) error {
	site, err := g.surveyor().LoadSite(ctx, g.Record) // law 5: open batches are read before the stock is counted
	if err != nil {
		return err
	}
	doc, err := g.backlog(ctx)
	if err != nil {
		return err
	}
	looks := slices.DeleteFunc(slices.Clone(subjects), func(s string) bool { return s == mark.SubjectNext })
	if len(looks) == 0 && doc.Value.old(g.World.Now()) {
		looks = []string{mark.SubjectAll}
	}
	if len(looks) > 0 {
		kept, err := g.find(ctx, site, &doc, looks)
		if err != nil {
			return err
		}
		if !kept { // another worker was faster, and may have looked earlier
			return g.again(ctx)
		}
	}
	return g.goOn(ctx, site, &doc)
}

// goOn gives what is next in the backlog, as many batches as there is room for.
func (g Granter) goOn(ctx context.Context, site assign.Site, doc *backlogDoc) error {
	p := &pass{site: site, room: g.Pace.MaxOpen - len(site.Batches)}
	if p.room <= 0 {
		return nil
	}
	turns, err := g.turns(ctx, doc.Value, p.room)
	if err != nil || len(turns) == 0 {
		return err
	}
	if err := g.refresh(ctx); err != nil {
		return err
	}
	for i := range turns {
		if !g.World.Now().Before(g.Until) {
			return g.next(ctx)
		}
		whole, err := g.take(ctx, p, turns[i:])
		if err != nil || !whole { // the rest comes when a batch ends; what was given of the turn is passed over then
			return err
		}
		over, err := g.over(ctx, doc)
		if err != nil {
			return err
		}
		if !over { // another worker has changed the backlog
			return g.next(ctx)
		}
	}
	if p.room > 0 && doc.Value.left() > 0 {
		return g.next(ctx)
	}
	return nil
}

// pass is one go at the backlog.
type pass struct {
	site  assign.Site
	stock *stock // nil until something is given
	room  int    // for how many batches
}

// take gives the first of the turns, and says whether there was room for all of it. The stock is counted for those that
// follow, too.
func (g Granter) take(ctx context.Context, p *pass, turns []turn) (whole bool, err error) {
	drafts, err := g.renew(ctx, p.site, turns[0])
	if err != nil {
		return false, err
	}
	for _, d := range drafts[:min(len(drafts), p.room)] {
		if p.stock, err = g.fresh(ctx, p.stock, p.site, turns); err != nil {
			return false, err
		}
		if err := g.give(ctx, d, p.stock); err != nil {
			return false, err
		}
	}
	if p.room -= len(drafts); p.room < 0 {
		return false, nil
	}
	p.site.Batches, err = license.OpenBatches(ctx, g.Store.ReadStore, g.Record.Location)
	return true, err
}

// refresh reads what changed of Apple's users. Law 3: who is associated is Apple's word of this very job.
func (g Granter) refresh(ctx context.Context) error {
	seen, err := g.Readers.Refresh(ctx, g.State.UsersSince())
	if err != nil {
		return err
	}
	if len(g.State.Run) == 0 { // a sync that is under way reads its pages since its own id
		g.State.UsersSeen = seen
	}
	return nil
}

// renew decides anew for every pair of a turn, and returns what is to be given of it. If anything but that somebody has the
// title, or is being given it, has come between, everything is looked at: then those who now wait are told why.
func (g Granter) renew(ctx context.Context, site assign.Site, t turn) ([]draft, error) {
	causes := make(causes)
	var pairs []pair
	stale := len(t.Titles) == 0
	for i, asset := range t.Titles {
		b, err := book.Load(ctx, g.Store.ReadStore, book.ID(g.Record.Location, asset))
		if err != nil {
			return nil, err
		}
		wishes, err := assign.Load(ctx, g.Store.ReadStore, b.Value)
		if err != nil {
			return nil, err
		}
		lines, err := g.surveyor().Again(ctx, site, b.Value, wishes.Value.Until(t.Looked), t.People, t.groups(i))
		if err != nil {
			return nil, err
		}
		stale = stale || len(lines) < len(t.People)
		for _, line := range lines {
			switch why := line.Decision.Reason; {
			case line.Decision.Verdict == assign.Give:
				pairs = append(pairs, pair{asset, line.Person.ID, causes.shared(line.Cause(b.Value.ID)), line.License})
			case why != assign.Owned && why != assign.Underway:
				stale = true
			}
		}
	}
	if stale {
		if err := g.again(ctx); err != nil {
			return nil, err
		}
	}
	if err := g.relist(ctx, pairs); err != nil {
		return nil, err
	}
	return g.group(pairs), nil
}

// causes are shared by the pairs that are given for one reason.
type causes map[license.Cause]*license.Cause

func (c causes) shared(cause license.Cause) *license.Cause {
	if c[cause] == nil {
		c[cause] = &cause
	}
	return c[cause]
}

// draft is a batch to be: each title for each person.
type draft struct {
	titles []apple.AssetKey
	people []string
	pairs  map[[2]string]pair // by adamId and person
}

// group makes as few batches of pairs as Apple's present limits allow.
func (g Granter) group(pairs []pair) []draft {
	var drafts []draft
	for _, b := range bundles(g.Limits, pairs) {
		d := draft{titles: b.titles, people: b.people, pairs: make(map[[2]string]pair)}
		for _, set := range b.pairs {
			for _, p := range set {
				d.pairs[[2]string{p.asset.AdamID, p.to}] = p
			}
		}
		drafts = append(drafts, d)
	}
	return drafts
}

// next marks that the backlog goes on.
func (g Granter) next(ctx context.Context) error { return g.markGrants(ctx, mark.SubjectNext) }

// again marks all grants of the location as due: what was left out is decided anew.
func (g Granter) again(ctx context.Context) error { return g.markGrants(ctx, mark.SubjectAll) }

func (g Granter) markGrants(ctx context.Context, subject string) error {
	if _, err := g.Store.Commit(ctx, mark.New(g.Record.Location, mark.Grants, subject, g.World.Now())); err != nil {
		return fmt.Errorf("marking the grants of location %s: %w", g.Record.Location, err)
	}
	return nil
}
