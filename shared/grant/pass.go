package grant

import (
	"context"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
)

// goOn gives what is next in the backlog, as many batches as there is room for.
func (g Granter) goOn(ctx context.Context, site assign.Site, doc *backlogDoc) error {
	g.head = doc
	p := &pass{site: site, room: g.Pace.MaxOpen - len(site.Batches)}
	turns, err := g.turns(ctx, doc.Value, p.room)
	if err != nil || len(turns) == 0 {
		return err
	}
	if err := g.refresh(ctx); err != nil {
		return err
	}
	for i := 0; i < len(turns) && p.room > 0; i++ {
		if !g.World.Now().Before(g.Until) {
			return g.next(ctx)
		}
		if err := g.take(ctx, p, turns[i:]); err != nil {
			return err
		}
		if on, err := g.leave(ctx, p, doc, turns[i].Looked); err != nil || !on {
			return err
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
	stock *stock           // nil until something is given
	room  int              // for how many batches
	left  []found          // of the last turn, for which there was no room
	short []apple.AssetKey // books of the last turn that seemed short
}

// take gives the first of the turns, as far as there is room and stock. The stock is counted for those that follow, too.
func (g Granter) take(ctx context.Context, p *pass, turns []turn) error {
	p.left, p.short = nil, nil
	drafts, err := g.renew(ctx, p.site, turns[0])
	if err != nil {
		return err
	}
	for _, d := range drafts {
		if p.room == 0 {
			p.left = append(p.left, d.found(turns[0], d.people, d.titles)...)
			continue
		}
		if p.stock, err = g.fresh(ctx, p.stock, turns); err != nil {
			return err
		}
		if d, err = g.share(ctx, p, turns[0], d); err != nil {
			return err
		}
		if len(d.people) == 0 {
			continue
		}
		if err := g.give(ctx, d, p.stock); err != nil {
			return err
		}
		p.room--
	}
	p.site.Batches, err = license.OpenBatches(ctx, g.Store.ReadStore, g.Record.Location)
	return err
}

// share is the draft for as many people as all its titles suffice for (law 5). The others come again with the titles that
// suffice for them. Who is left out of a title is decided for anew, by a look at the book: at once, or if batches with it are
// under way, when these have ended, because Apple may have counted them already.
func (g Granter) share(ctx context.Context, p *pass, t turn, d draft) (draft, error) {
	room := p.stock.room(d.titles)
	if room >= len(d.people) {
		return d, nil
	}
	open, err := license.OpenBatches(ctx, g.Store.ReadStore, g.Record.Location)
	if err != nil {
		return d, err
	}
	for _, asset := range d.titles {
		enough := min(p.stock.room([]apple.AssetKey{asset}), len(d.people))
		p.left = append(p.left, d.found(t, d.people[room:enough], []apple.AssetKey{asset})...)
		switch {
		case enough == len(d.people):
		case holding(open, asset):
			p.short = append(p.short, asset)
		default:
			subject := mark.SubjectBook(book.ID(g.Record.Location, asset))
			if err := g.markGrants(ctx, subject, g.World.Now()); err != nil {
				return d, err
			}
		}
	}
	d.people = d.people[:room]
	return d, nil
}

// leave ends the turn that was taken, and says whether the pass goes on: what is left of the turn comes first otherwise.
func (g Granter) leave(ctx context.Context, p *pass, doc *backlogDoc, looked time.Time) (on bool, err error) {
	if len(p.left)+len(p.short) == 0 {
		if on, err = g.over(ctx, doc); err != nil || on {
			return on, err
		}
		return false, g.next(ctx) // another worker has changed the backlog
	}
	left, err := g.turnsOf(p.left, looked)
	if err != nil {
		return false, err
	}
	kept, err := g.requeue(ctx, doc, left, p.short)
	if err != nil || kept && p.room == 0 {
		return false, err
	}
	return false, g.next(ctx)
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
