package directory

import (
	"context"
	"errors"

	"github.com/bookplate/bookplate/shared/table"
)

// PeopleByUserName returns whoever has the user name, in any letter case: one or none.
func (r *Reader) PeopleByUserName(ctx context.Context, name string) ([]Person, error) {
	if !findable(name) {
		return nil, nil
	}
	to, err := table.Load[pointer](ctx, r.read, userNameKey(name))
	if errors.Is(err, table.ErrAbsent) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.livePeople(ctx, []string{to.Value.ID})
}

// PeopleByExternalID returns the people with that external id, in this exact letter case.
func (r *Reader) PeopleByExternalID(ctx context.Context, externalID string) ([]Person, error) {
	return r.peopleAt(ctx, externalID, table.Prefix(externalIDPart(externalID), personPrefix))
}

// PeopleByEmail returns the people whose Person.Email is that address, in any letter case.
func (r *Reader) PeopleByEmail(ctx context.Context, address string) ([]Person, error) {
	return r.peopleAt(ctx, address, table.Range{Part: emailPart(address)})
}

// PeopleByID returns the person with that id unless deleted: one or none.
func (r *Reader) PeopleByID(ctx context.Context, id string) ([]Person, error) {
	return r.livePeople(ctx, []string{id})
}

func (r *Reader) peopleAt(ctx context.Context, text string, at table.Range) ([]Person, error) {
	return r.peopleWho(ctx, text, at, false)
}

// peopleWho are those of the people to whom the pointers of a text lead who are deleted, or who aren't.
func (r *Reader) peopleWho(ctx context.Context, text string, at table.Range, deleted bool) ([]Person, error) {
	if !findable(text) {
		return nil, nil
	}
	docs, err := r.pointedPeople(ctx, at)
	if err != nil {
		return nil, err
	}
	var people []Person
	for _, doc := range docs {
		if doc.Value.Deleted == deleted {
			people = append(people, doc.Value)
		}
	}
	return people, nil
}

// pointedPeople follows pointers, in their order, to people deleted or not. A range whose text is empty has none.
func (r *Reader) pointedPeople(ctx context.Context, at table.Range) ([]table.Doc[Person], error) {
	ids, err := r.pointed(ctx, at)
	if err != nil {
		return nil, err
	}
	keys := make([]table.Key, len(ids))
	for i, id := range ids {
		keys[i] = personKey(id)
	}
	found, err := table.LoadMany[Person](ctx, r.read, keys)
	if err != nil {
		return nil, err
	}
	var docs []table.Doc[Person]
	for _, key := range keys {
		if doc, ok := found[key]; ok {
			doc.Value = personOf(doc)
			docs = append(docs, doc)
		}
	}
	return docs, nil
}

func (r *Reader) pointed(ctx context.Context, at table.Range) ([]string, error) {
	var ids []string
	for doc, err := range table.Docs[pointer](r.read.Each(ctx, at)) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, doc.Value.ID)
	}
	return ids, nil
}

// livePeople returns those of the ids who exist and aren't deleted, in the order of the ids.
func (r *Reader) livePeople(ctx context.Context, ids []string) ([]Person, error) {
	found, err := r.People(ctx, ids)
	if err != nil {
		return nil, err
	}
	var people []Person
	for _, id := range ids {
		if p, ok := found[id]; ok && !p.Deleted {
			people = append(people, p)
		}
	}
	return people, nil
}

// GroupsByDisplayName returns the groups of that name, in any letter case.
func (r *Reader) GroupsByDisplayName(ctx context.Context, name string) ([]Group, error) {
	return r.groupsAt(ctx, name, table.Range{Part: groupNamePart(name)})
}

// GroupsByExternalID returns the groups with that external id, in this exact letter case.
func (r *Reader) GroupsByExternalID(ctx context.Context, externalID string) ([]Group, error) {
	return r.groupsAt(ctx, externalID, table.Prefix(externalIDPart(externalID), groupPrefix))
}

func (r *Reader) groupsAt(ctx context.Context, text string, at table.Range) ([]Group, error) {
	if !findable(text) {
		return nil, nil
	}
	ids, err := r.pointed(ctx, at)
	if err != nil {
		return nil, err
	}
	return r.GroupsByID(ctx, ids...)
}

// GroupsByID returns those of the ids that exist and aren't deleted, in the order of the ids.
func (r *Reader) GroupsByID(ctx context.Context, ids ...string) ([]Group, error) {
	keys := make([]table.Key, 0, len(ids))
	for _, id := range ids {
		if findable(id) {
			keys = append(keys, groupKey(id))
		}
	}
	found, err := table.LoadMany[groupBody](ctx, r.read, keys)
	if err != nil {
		return nil, err
	}
	var groups []Group
	for _, key := range keys {
		if doc, ok := found[key]; ok && !doc.Value.Deleted {
			groups = append(groups, groupOf(doc))
		}
	}
	return groups, nil
}
