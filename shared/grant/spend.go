package grant

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/mark"
)

// Spend looks at the wishes of the subjects (mark.SubjectAll, SubjectBook, SubjectGroup), puts what is to be given into the
// backlog, and gives from there as many batches as may be under way at once. By mark.SubjectNext alone it does only the
// latter. What is left over comes when a batch ends, which marks that; and while as many batches as may be are under way,
// looks are put off too.
func (g Granter) Spend(ctx context.Context, subjects []string) error {
	site, err := g.surveyor().LoadSite(ctx, g.Record) // law 5: open batches are read before the stock is counted
	if err != nil {
		return err
	}
	looks := slices.DeleteFunc(slices.Clone(subjects), func(s string) bool { return s == mark.SubjectNext })
	if len(site.Batches) >= g.Pace.MaxOpen {
		return g.putOff(ctx, looks)
	}
	doc, err := g.backlog(ctx)
	if err != nil {
		return err
	}
	if looks = append(looks, doc.Value.due(site, g.World.Now())...); len(looks) > 0 {
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

// putOff has looks wait for room: what they would find would have to wait for it, too. Many changes then share a look.
func (g Granter) putOff(ctx context.Context, looks []string) error {
	for _, subject := range looks {
		if err := g.markGrants(ctx, subject, g.World.Now().Add(3*g.Pace.Poll)); err != nil {
			return err
		}
	}
	return nil
}

// next marks that the backlog goes on.
func (g Granter) next(ctx context.Context) error {
	return g.markGrants(ctx, mark.SubjectNext, g.World.Now())
}

// again marks all grants of the location as due: what was left out is decided anew.
func (g Granter) again(ctx context.Context) error {
	return g.markGrants(ctx, mark.SubjectAll, g.World.Now())
}

func (g Granter) markGrants(ctx context.Context, subject string, due time.Time) error {
	if _, err := g.Store.Commit(ctx, mark.New(g.Record.Location, mark.Grants, subject, due)); err != nil {
		return fmt.Errorf("marking the grants of location %s: %w", g.Record.Location, err)
	}
	return nil
}
