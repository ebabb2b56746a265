package assign

import (
	"context"
	"math"
	"time"

	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/token"
)

// Plan is what wishes for a book would do, computed before anything is spent.
type Plan struct {
	// ID names what would be spent, for approval: another person, another plan.
	ID   string
	Book book.Book
	// Counted is how old the counts are that the plan rests on.
	Counted time.Time
	// FreeBefore and FreeAfter are the licenses that may still be promised; Unlimited says that they never end.
	FreeBefore, FreeAfter int
	Unlimited             bool
	Give, Wait, Refuse    int
	// Reasons counts those who wait or are refused.
	Reasons map[license.Reason]int
	// HoldUntil is until when nothing is spent; zero when no wish is on hold.
	HoldUntil time.Time
	Lines     []PlanLine
	// spends is what each wish would come to spend, what it has spent included, by its id.
	spends map[string]int
}

// PlanLine is one person of a plan.
type PlanLine struct {
	PersonID, Name, UserName string
	WishID, GroupID          string
	Decision                 Decision
}

// PlanFor computes what wishes would do now, or once they have been approved and their hold has ended. It obeys the same
// decision that grants obey.
func (s Surveyor) PlanFor(ctx context.Context, record token.Record, b book.Book, wishes Wishes) (Plan, error) {
	site, err := s.LoadSite(ctx, record)
	if err != nil {
		return Plan{}, err
	}
	site.foresee = true
	state, err := token.LoadLocation(ctx, s.Store, record.Location)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{
		Book: b, Counted: state.Value.Sync.Counted, Unlimited: b.Unlimited(), FreeBefore: site.Free(b),
		Reasons: make(map[license.Reason]int),
	}
	if b.Counted.After(plan.Counted) {
		plan.Counted = b.Counted
	}
	now := s.World.Now()
	for _, w := range wishes.List {
		if w.Intent == Required && w.OnHold(now) && w.HoldUntil.After(plan.HoldUntil) {
			plan.HoldUntil = w.HoldUntil
		}
	}
	lines, _, spent, err := s.survey(ctx, site, b, wishes)
	if err != nil {
		return Plan{}, err
	}
	plan.spends = spent
	for _, line := range lines {
		plan.count(line)
	}
	plan.ID = planID(b, wishes.List, plan.people())
	plan.FreeAfter = plan.FreeBefore
	if plan.FreeBefore != math.MaxInt {
		plan.FreeAfter -= plan.Give
	}
	return plan, nil
}

func (p *Plan) count(line Line) {
	if line.Decision.Verdict != Refuse && !pending(line.License.Value) {
		p.spends[line.Wish.ID]++
	}
	switch line.Decision.Verdict {
	case Give:
		p.Give++
	case Wait:
		p.Wait++
		p.Reasons[line.Decision.Reason]++
	case Refuse:
		p.Refuse++
		p.Reasons[line.Decision.Reason]++
	}
	p.Lines = append(p.Lines, PlanLine{
		PersonID: line.Person.ID, Name: line.Person.Name(), UserName: line.Person.UserName,
		WishID: line.Wish.ID, GroupID: line.Wish.GroupID,
		Decision: line.Decision,
	})
}
