package assign

import (
	"context"
	"fmt"
	"slices"

	"github.com/bookplate/bookplate/shared/directory"
)

// AreMembers says which of the people are in the group of a wish, of which a deleted one keeps nobody. Everybody is in
// Everybody: whether they are active is another question (law 3).
func AreMembers(ctx context.Context, d *directory.Reader, groupID string, people []string) (map[string]bool, error) {
	if groupID == Everybody {
		all := make(map[string]bool, len(people))
		for _, id := range people {
			all[id] = true
		}
		return all, nil
	}
	members, err := d.AreMembers(ctx, groupID, people)
	if err != nil {
		return nil, fmt.Errorf("reading the members of group %s: %w", groupID, err)
	}
	group, err := d.GroupEvenDeleted(ctx, groupID)
	if err != nil {
		return nil, fmt.Errorf("reading group %s: %w", groupID, err)
	}
	if group.Deleted {
		return nil, nil
	}
	return members, nil
}

// membersAmong are those of the people, in their order, who are in the group of a wish.
func membersAmong(ctx context.Context, d *directory.Reader, groupID string, people []string) ([]string, error) {
	members, err := AreMembers(ctx, d, groupID, people)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(people), func(id string) bool { return !members[id] }), nil
}

// members are all people in the group of a wish.
func members(ctx context.Context, d *directory.Reader, groupID string) ([]string, error) {
	if groupID == Everybody {
		return everybody(ctx, d)
	}
	group, err := d.GroupEvenDeleted(ctx, groupID)
	if err != nil {
		return nil, fmt.Errorf("reading group %s: %w", groupID, err)
	}
	if group.Deleted {
		return nil, nil
	}
	var ids []string
	for id, err := range d.MembersOf(ctx, groupID) {
		if err != nil {
			return nil, fmt.Errorf("reading the members of group %s: %w", groupID, err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func everybody(ctx context.Context, d *directory.Reader) ([]string, error) {
	var ids []string
	for p, err := range d.Everyone(ctx) {
		if err != nil {
			return nil, fmt.Errorf("reading all people: %w", err)
		}
		if p.Active {
			ids = append(ids, p.ID)
		}
	}
	return ids, nil
}
