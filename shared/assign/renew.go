package assign

import (
	"context"
	"math"
	"slices"

	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
)

// Renew decides anew for people to whom a survey has found the book to be given, each under the wish by which it did; under
// gives the wishes' groups. It costs what these people cost, and not what everybody does whom the wishes cover. Who isn't in
// the answer comes under that wish no longer.
//
// The wishes must be the very ones that were surveyed: how many licenses one may spend is minded by the survey alone. Stock
// and membership are looked at by whoever sends, after having stored the batch (laws 3 and 5). And of the people of ours who
// are linked to one Apple Account it sees those whom it is asked about: so a survey must not be relied on for long, nor
// after somebody has got the title whom it hasn't seen get it.
func (s Surveyor) Renew(
	ctx context.Context, site Site, b book.Book, wishes Wishes, people []string, under map[string]string,
) ([]Line, error) {
	asked, err := s.asked(ctx, wishes, people)
	if err != nil {
		return nil, err
	}
	covered := coverage{first: make(map[string]Wish)}
	for _, id := range people {
		i := slices.IndexFunc(wishes.List, func(w Wish) bool { return w.GroupID == under[id] })
		if i < 0 {
			continue
		}
		w := wishes.List[i]
		if _, wants := asked[id]; wants || w.Intent != Available {
			covered.first[id] = w
			covered.order = append(covered.order, id)
		}
	}
	licenses, err := license.LoadMany(ctx, s.Store, b.Asset.AdamID, covered.order)
	if err != nil {
		return nil, err
	}
	placeInLine(licenses, asked)
	lines, err := s.facts(ctx, site, b, covered, licenses, math.MaxInt)
	if err != nil {
		return nil, err
	}
	answer(lines, asked)
	return lines, nil
}

// asked are the requests of some people for a book, by personId, if a wish could answer them.
func (s Surveyor) asked(ctx context.Context, wishes Wishes, people []string) (map[string]Request, error) {
	if !wishes.offers() {
		return nil, nil
	}
	return requestsOf(ctx, s.Store, wishes.BookID, people)
}
