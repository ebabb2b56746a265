package directory

import (
	"context"
	"fmt"

	"github.com/bookplate/bookplate/shared/table"
)

// Members returns what is in a group, people first, in a stable order: at most limit of them, and whether that is all.
func (r *Reader) Members(ctx context.Context, groupID string, limit int) (members []Member, all bool, err error) {
	for id, err := range r.MembersOf(ctx, groupID) {
		if err != nil {
			return nil, false, err
		}
		if len(members) == limit {
			return members, false, nil
		}
		members = append(members, Member{ID: id})
	}
	for other, err := range r.eachOther(ctx, groupID) {
		if err != nil {
			return nil, false, err
		}
		if len(members) == limit {
			return members, false, nil
		}
		members = append(members, other)
	}
	return members, true, nil
}

// MembersOfEach returns the members of several groups by group id, read side by side. Groups with more than limit
// members are left out.
func (d *Directory) MembersOfEach(ctx context.Context, groupIDs []string, limit int) (map[string][]Member, error) {
	found := make([][]Member, len(groupIDs))
	err := d.world.Run(ctx, 8, len(groupIDs), func(ctx context.Context, i int) error {
		members, all, err := d.Members(ctx, groupIDs[i], limit)
		if all {
			found[i] = append([]Member{}, members...)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	byGroup := map[string][]Member{}
	for i, id := range groupIDs {
		if found[i] != nil {
			byGroup[id] = found[i]
		}
	}
	return byGroup, nil
}

// Holds says whether a group has a member of that id, as a person or as anything else.
func (r *Reader) Holds(ctx context.Context, groupID, id string) (bool, error) {
	if !findable(groupID) || !findable(id) {
		return false, nil
	}
	found, err := r.read.GetMany(ctx, []table.Key{edgeKey(groupID, id), otherKey(groupID, id)})
	return len(found) > 0, err
}

// writeMembers gives a group's membership its net effect. Edges are put and deleted unconditionally; a whole membership
// is compared first, so that a provider that repeats ten thousand members for one newcomer costs one write.
func (d *Directory) writeMembers(ctx context.Context, groupID string, m Membership) error {
	put, remove, err := d.difference(ctx, groupID, m)
	if err != nil {
		return fmt.Errorf("compare the members of group %s: %w", groupID, err)
	}
	if err := d.store.PutAll(ctx, put...); err != nil {
		return fmt.Errorf("put %d members of group %s: %w", len(put), groupID, err)
	}
	if err := d.store.DeleteAll(ctx, remove...); err != nil {
		return fmt.Errorf("remove %d members of group %s: %w", len(remove), groupID, err)
	}
	return nil
}

func (d *Directory) difference(
	ctx context.Context, groupID string, m Membership,
) (put []table.Item, remove []table.Key, err error) {
	edges := map[string]bool{} // who is known to be in
	if m.Whole() {
		if edges, err = d.edges(ctx, groupID); err != nil {
			return nil, nil, err
		}
		for _, id := range sortedKeys(edges) {
			if !m.people[id] {
				remove = append(remove, edgeKey(groupID, id))
			}
		}
	} else {
		for _, id := range m.peopleOut() {
			remove = append(remove, edgeKey(groupID, id))
		}
	}
	for _, id := range m.peopleIn() {
		if !edges[id] {
			put = append(put, edgeItem(groupID, id))
		}
	}
	putOthers, removeOthers, err := d.differenceOfOthers(ctx, groupID, m)
	return append(put, putOthers...), append(remove, removeOthers...), err
}

// differenceOfOthers reads first, because most groups hold nothing but people, and then no removal costs a second write.
func (d *Directory) differenceOfOthers(
	ctx context.Context, groupID string, m Membership,
) (put []table.Item, remove []table.Key, err error) {
	if !m.Whole() && len(m.others) == 0 {
		return nil, nil, nil
	}
	had := map[string]string{}
	for other, err := range d.eachOther(ctx, groupID) {
		if err != nil {
			return nil, nil, err
		}
		had[other.ID] = other.Type
		kind, named := m.others[other.ID]
		if kind == "" && (named || m.Whole()) {
			remove = append(remove, otherKey(groupID, other.ID))
		}
	}
	for _, other := range m.othersIn() {
		if had[other.ID] == other.Type {
			continue
		}
		item, err := table.Encode(otherKey(groupID, other.ID), outsider{other.Type})
		if err != nil {
			return nil, nil, err
		}
		put = append(put, item)
	}
	return put, remove, nil
}

// edges reads who is in a group, the sixteen partitions side by side.
func (d *Directory) edges(ctx context.Context, groupID string) (map[string]bool, error) {
	var found [len(shards)][]string
	err := d.world.Run(ctx, 8, len(shards), func(ctx context.Context, i int) error {
		for item, err := range d.store.Each(ctx, table.Range{Part: edgePart(groupID, shards[i:][:1])}) {
			if err != nil {
				return err
			}
			found[i] = append(found[i], item.Key.Sort)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	edges := map[string]bool{}
	for _, ids := range found {
		for _, id := range ids {
			edges[id] = true
		}
	}
	return edges, nil
}
