package assign

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/queue"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// Announcer tells the locations that wish books for a group that the group, or somebody in it, changes. It is what the
// directory is given as its directory.Announcer.
type Announcer struct {
	Store *table.Store
	World world.World
	Queue queue.Queue
	// Timeout is how long a writer of the directory can live: what it leaves half done is looked at after that.
	Timeout time.Duration
}

// Before marks the change for the case that its writer dies half way.
func (a Announcer) Before(ctx context.Context, c directory.Change) error {
	_, err := a.mark(ctx, c, mark.Later, a.World.Now().Add(a.Timeout))
	return err
}

// After marks the change as there, and wakes the locations.
func (a Announcer) After(ctx context.Context, c directory.Change) error {
	now := a.World.Now()
	locations, err := a.mark(ctx, c, mark.Grants, now)
	if err != nil {
		return err
	}
	for _, location := range locations {
		op := mark.New(location, mark.Readers, mark.SubjectAll, now)
		if _, err := a.Store.Commit(ctx, op); err != nil {
			return fmt.Errorf("marking the readers of location %s: %w", location, err)
		}
		if err := a.Queue.Wake(ctx, location, now); err != nil {
			return fmt.Errorf("waking location %s: %w", location, err)
		}
	}
	return nil
}

func (a Announcer) mark(ctx context.Context, c directory.Change, kind mark.Kind, due time.Time) ([]string, error) {
	var marked []string
	groups := c.Groups
	if len(c.People) > 0 {
		groups = append(slices.Clone(groups), Everybody)
	}
	for _, group := range groups {
		locations, err := LocationsOf(ctx, a.Store.ReadStore, group)
		if err != nil {
			return nil, err
		}
		for _, location := range locations {
			op := mark.New(location, kind, mark.SubjectGroup(group), due)
			if _, err := a.Store.Commit(ctx, op); err != nil {
				return nil, fmt.Errorf("marking group %s for location %s: %w", group, location, err)
			}
			marked = append(marked, location)
		}
	}
	slices.Sort(marked)
	return slices.Compact(marked), nil
}
