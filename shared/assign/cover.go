package assign

import (
	"context"
	"fmt"

	"github.com/bookplate/bookplate/shared/directory"
)

// Covered returns the active people whom required wishes of a location cover, each once: those whom Apple has to know.
func (s Surveyor) Covered(ctx context.Context, location string) ([]directory.Person, error) {
	seen := make(map[string]bool)
	groups := make(map[string]bool)
	var ids []string
	for doc, err := range OfLocation(ctx, s.Store, location) {
		if err != nil {
			return nil, fmt.Errorf("reading the assignments of location %s: %w", location, err)
		}
		var fresh []Wish
		for _, w := range doc.Value.Required(s.World.Now()) {
			if !groups[w.GroupID] {
				groups[w.GroupID] = true
				fresh = append(fresh, w)
			}
		}
		_, order, err := s.cover(ctx, fresh, nil)
		if err != nil {
			return nil, err
		}
		for _, id := range order {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
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
