package assign

import (
	"context"
	"math"
	"slices"

	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
)

// Again decides anew for people to whom a survey has found the book to be given, each under the wish by which it did; under
// gives the wishes' groups. It costs what these people cost, and not what everybody does whom the wishes cover. Who isn't in
// the answer comes under that wish no longer.
//
// Three things it leaves to others. Stock and membership are looked at by whoever sends, after having stored the batch (laws
// 3 and 5); how many licenses a wish may spend was minded by the survey. And of the people of ours who are linked to one
// Apple Account it sees those whom it is asked about: so a survey must not be relied on for long.
func (s Surveyor) Again(
	ctx context.Context, site Site, b book.Book, wishes Wishes, people []string, under map[string]string,
) ([]Line, error) {
	covered := coverage{first: make(map[string]Wish)}
	for _, id := range people {
		if i := slices.IndexFunc(wishes.List, func(w Wish) bool { return w.GroupID == under[id] }); i >= 0 {
			covered.first[id] = wishes.List[i]
			covered.order = append(covered.order, id)
		}
	}
	licenses, err := license.LoadMany(ctx, s.Store, b.Asset.AdamID, covered.order)
	if err != nil {
		return nil, err
	}
	var asked map[string]Request
	if wishes.offers() {
		if asked, err = requestsOf(ctx, s.Store, wishes.BookID, covered.order); err != nil {
			return nil, err
		}
	}
	placeInLine(licenses, asked)
	lines, err := s.facts(ctx, site, b, covered, licenses, math.MaxInt)
	if err != nil {
		return nil, err
	}
	answer(lines, asked)
	return lines, nil
}
