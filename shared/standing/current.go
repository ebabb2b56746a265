package standing

import (
	"context"
	"slices"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/license"
)

// Current are licenses as they stand now. Nobody may have looked at somebody who has just asked for the book, or who is back
// in its group, and nobody does while the location has stopped; for them the decision that grants obey is made here, for them
// alone. So it doesn't see how many licenses a wish has spent, nor who comes before whom: the next look does.
func (v *View) Current(ctx context.Context, stored []license.License) ([]license.License, error) {
	var people []string
	for _, l := range stored {
		if v.unseen(l) {
			people = append(people, l.PersonID)
		}
	}
	if len(people) == 0 {
		return stored, nil
	}
	lines, err := v.decide(ctx, people)
	if err != nil {
		return nil, err
	}
	current := slices.Clone(stored)
	var given []*license.License
	for i := range current {
		if l := &current[i]; v.unseen(*l) {
			line, covered := lines[l.PersonID]
			v.renew(l, line, covered)
			if l.State == license.Wanted {
				given = append(given, l)
			}
		}
	}
	v.shareOut(given)
	return current, nil
}

// unseen says that what is stored of a pair may be older than what makes it one of the book's: nothing is, or only that
// nothing is to be given, after which nobody looks at it until something changes. Whether somebody else has the title by the
// same Apple Account is seen by a look at everybody only.
func (v *View) unseen(l license.License) bool {
	if concerns(l, v.book) {
		return l.State == license.Refused && l.Reason != assign.OwnedAsOther || l.State == license.Gone
	}
	_, is := elsewhere(l, v.book)
	return !is
}

// decide decides for the people whom a wish covers, each under the first that does; or when their story had ended before that
// one was made, under the next.
func (v *View) decide(ctx context.Context, people []string) (map[string]assign.Line, error) {
	doc, err := assign.Load(ctx, v.Store, v.book)
	if err != nil {
		return nil, err
	}
	wishes := doc.Value
	left, err := v.among(ctx, wishes, people)
	if err != nil {
		return nil, err
	}
	lines := make(map[string]assign.Line)
	if v.Token == nil { // nobody can be a reader there
		for _, id := range left {
			lines[id] = assign.Line{Decision: assign.Decision{Verdict: assign.Wait, Reason: assign.Stopped, Detail: v.stopped}}
		}
		return lines, nil
	}
	for _, w := range wishes.Ordered(v.World.Now()) {
		one := wishes
		one.List = []assign.Wish{w}
		under, err := v.among(ctx, one, left)
		if err != nil {
			return nil, err
		}
		groups := make(map[string]string)
		for _, id := range under {
			groups[id] = w.GroupID
		}
		found, err := v.surveyor().Renew(ctx, v.site, v.book, one, under, groups)
		if err != nil {
			return nil, err
		}
		for _, line := range found {
			id := line.Person.ID
			if _, earlier := lines[id]; !earlier || !hadEnded(line.Decision) {
				lines[id] = line
			}
		}
		left = slices.DeleteFunc(left, func(id string) bool {
			line, decided := lines[id]
			return decided && !hadEnded(line.Decision)
		})
	}
	return lines, nil
}

func hadEnded(d assign.Decision) bool {
	return d.Reason == assign.Refunded || d.Reason == assign.AppleRefused
}

// among are those of the people whom the wishes cover.
func (v *View) among(ctx context.Context, wishes assign.Wishes, people []string) ([]string, error) {
	if len(people) == 0 {
		return nil, nil
	}
	covered, err := assign.CoveredAmong(ctx, v.Store, v.Directory, wishes, people)
	return slices.DeleteFunc(slices.Clone(people), func(id string) bool { return !covered[id] }), err
}

// renew makes a license what has been decided of it.
func (v *View) renew(l *license.License, line assign.Line, covered bool) {
	d := line.Decision
	switch {
	case covered && (d.Verdict != assign.Refuse || l.State != license.Gone):
		if line.Wish.ID != "" {
			cause := line.Cause(v.book.ID)
			l.Cause, l.Asked = &cause, line.License.Value.Asked
		}
	case l.State == "" || !concerns(*l, v.book):
		d = assign.Decision{Verdict: assign.Refuse, Reason: assign.Left}
	default:
		return // what is stored is so still
	}
	l.State, l.Reason, l.Detail = stateBy(d), d.Reason, d.Detail
	l.Location, l.Pricing = v.book.Location, v.book.Asset.PricingParam
}

// shareOut gives those who would get the book what is free, longest waiting first, and has the others join the line.
func (v *View) shareOut(given []*license.License) {
	slices.SortFunc(given, func(a, b *license.License) int { return bySeniority(*a, *b) })
	for _, l := range given[min(len(given), v.site.Free(v.book)):] {
		l.State, l.Reason = license.Waiting, assign.NoStock
		v.joining, v.line = append(v.joining, *l), nil
	}
}
