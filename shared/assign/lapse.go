package assign

import (
	"context"
	"fmt"
	"slices"

	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
)

// lapses are the pairs of the book that wait although no wish covers them any more. They are few: those of whoever has gone
// since the last look.
func (s Surveyor) lapses(
	ctx context.Context, b book.Book, licenses map[string]license.Doc, covered map[string]Wish,
) ([]Line, error) {
	var lapsed []Line
	for _, doc := range licenses {
		l := doc.Value
		_, still := covered[l.PersonID]
		if stands(l) && !still && l.Location == b.Location && l.Pricing == b.Asset.PricingParam {
			lapsed = append(lapsed, Line{License: doc, Decision: Decision{Refuse, Left, ""}})
		}
	}
	slices.SortFunc(lapsed, func(x, y Line) int { return x.License.Key.Compare(y.License.Key) })
	ids := make([]string, len(lapsed))
	for i, line := range lapsed {
		ids[i] = line.License.Value.PersonID
	}
	people, err := s.Directory.People(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("reading %d people who are no longer covered: %w", len(ids), err)
	}
	for i, id := range ids { // who was deleted has no group to be put back into
		if p, known := people[id]; known && (!p.Active || p.Deleted) {
			lapsed[i].Decision.Reason = Inactive
		}
	}
	return lapsed, nil
}

// stands says that the pair has a place in the line: it waits, or what it is refused for may pass.
func stands(l license.License) bool {
	passes := l.Reason == Inactive || l.Reason == OwnedAsOther
	return l.State == license.Waiting || l.State == license.Wanted ||
		l.State == license.Refused && passes && !l.Asked.IsZero()
}
