package assign

import (
	"context"
	"fmt"
	"slices"

	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/table"
)

// Covered returns the active people whom the wishes of a location cover, each once: those whom Apple has to know. By an
// available wish those are covered who have asked for the book.
func (s Surveyor) Covered(ctx context.Context, location string) ([]directory.Person, error) {
	seen := make(map[string]bool)
	groups := make(map[string]bool)
	site := Site{known: newAcquaintances()}
	var ids []string
	for doc, err := range OfLocation(ctx, s.Store, location) {
		if err != nil {
			return nil, fmt.Errorf("reading the assignments of location %s: %w", location, err)
		}
		asked, err := s.requests(ctx, doc.Value)
		if err != nil {
			return nil, err
		}
		var fresh []Wish
		for _, w := range doc.Value.Ordered(s.World.Now()) {
			if w.Approval.Pending || w.Intent == Required && groups[w.GroupID] {
				continue // what waits for approval does nothing at all
			}
			groups[w.GroupID] = groups[w.GroupID] || w.Intent == Required
			fresh = append(fresh, w)
		}
		covered, err := s.cover(ctx, site, fresh, asked, nil)
		if err != nil {
			return nil, err
		}
		for _, id := range covered.order {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return s.active(ctx, ids)
}

// CoveredAmong says which of the people the wishes for a book cover, whatever else stands in the way.
func CoveredAmong(
	ctx context.Context, store *table.ReadStore, d *directory.Reader, wishes Wishes, people []string,
) (map[string]bool, error) {
	covered := make(map[string]bool)
	requests, err := requestsOf(ctx, store, wishes.BookID, people)
	if err != nil {
		return nil, err
	}
	for _, w := range wishes.List {
		candidates := slices.DeleteFunc(slices.Clone(people), func(id string) bool {
			_, wants := requests[id]
			return covered[id] || w.Intent == Available && !wants
		})
		among, err := membersAmong(ctx, d, w.GroupID, candidates)
		if err != nil {
			return nil, err
		}
		for _, id := range among {
			covered[id] = true
		}
	}
	return covered, nil
}

// active are those of the people who are active, in their order.
func (s Surveyor) active(ctx context.Context, ids []string) ([]directory.Person, error) {
	known, err := s.Directory.People(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("reading %d people: %w", len(ids), err)
	}
	var people []directory.Person
	for _, id := range ids {
		if p, ok := known[id]; ok && p.Active && !p.Deleted {
			people = append(people, p)
		}
	}
	return people, nil
}
