package directory

import (
	"context"
	"errors"
	"iter"

	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
)

// Reader is the reading half of the directory. All reads are strongly consistent except GroupsOf and what rests on it.
type Reader struct{ read *table.ReadStore }

// NewReader reads from store.
func NewReader(store *table.ReadStore) *Reader { return &Reader{store} }

// Person returns somebody who isn't deleted; otherwise a problem of kind NotFound.
func (r *Reader) Person(ctx context.Context, id string) (Person, error) {
	p, err := r.PersonEvenDeleted(ctx, id)
	if err == nil && p.Deleted {
		return Person{}, noPerson(id)
	}
	return p, err
}

// PersonEvenDeleted returns somebody who is or once was in the directory; otherwise a problem of kind NotFound.
func (r *Reader) PersonEvenDeleted(ctx context.Context, id string) (Person, error) {
	doc, err := r.personDoc(ctx, id)
	return doc.Value, err
}

func (r *Reader) personDoc(ctx context.Context, id string) (table.Doc[Person], error) {
	if !findable(id) {
		return table.Doc[Person]{}, noPerson(id)
	}
	doc, err := table.Load[Person](ctx, r.read, personKey(id))
	if errors.Is(err, table.ErrAbsent) {
		return doc, noPerson(id)
	}
	doc.Value = personOf(doc)
	return doc, err
}

// personOf is the stored person with what isn't in the body.
func personOf(doc table.Doc[Person]) Person {
	p := doc.Value
	p.ID, p.Version = doc.Key.Sort, doc.Version
	return p
}

func noPerson(id string) error {
	return problem.New(problem.NotFound, "PersonNotFound",
		"There is no person with the id %.80q. Ids are the directory's own; look people up by userName or externalId.", id)
}

// People returns those of the ids that are or once were in the directory, by id, deleted ones included: look at Active
// before you give them anything. Ids may repeat and may be any number.
func (r *Reader) People(ctx context.Context, ids []string) (map[string]Person, error) {
	keys := make([]table.Key, 0, len(ids))
	for _, id := range ids {
		if findable(id) {
			keys = append(keys, personKey(id))
		}
	}
	docs, err := table.LoadMany[Person](ctx, r.read, keys)
	if err != nil {
		return nil, err
	}
	people := make(map[string]Person, len(docs))
	for key, doc := range docs {
		people[key.Sort] = personOf(doc)
	}
	return people, nil
}

// Group returns a group that isn't deleted; otherwise a problem of kind NotFound.
func (r *Reader) Group(ctx context.Context, id string) (Group, error) {
	g, err := r.GroupEvenDeleted(ctx, id)
	if err == nil && g.Deleted {
		return Group{}, noGroup(id)
	}
	return g, err
}

// GroupEvenDeleted returns a group that is or once was in the directory; otherwise a problem of kind NotFound.
func (r *Reader) GroupEvenDeleted(ctx context.Context, id string) (Group, error) {
	doc, err := r.groupDoc(ctx, id)
	return doc.Value.Group, err
}

func (r *Reader) groupDoc(ctx context.Context, id string) (table.Doc[groupBody], error) {
	if !findable(id) {
		return table.Doc[groupBody]{}, noGroup(id)
	}
	doc, err := table.Load[groupBody](ctx, r.read, groupKey(id))
	if errors.Is(err, table.ErrAbsent) {
		return doc, noGroup(id)
	}
	doc.Value.Group = groupOf(doc)
	return doc, err
}

func groupOf(doc table.Doc[groupBody]) Group {
	g := doc.Value.Group
	g.ID, g.Version = doc.Key.Sort, doc.Version
	return g
}

func noGroup(id string) error {
	return problem.New(problem.NotFound, "GroupNotFound",
		"There is no group with the id %.80q. Ids are the directory's own; look groups up by displayName or externalId.", id)
}

// MembersOf yields the ids of the people in a group, in a stable order that isn't alphabetical. Some may be unknown
// (the provider named them before it created them), inactive or deleted: ask People. It doesn't look whether the
// group exists. After an error the walk ends.
func (r *Reader) MembersOf(ctx context.Context, groupID string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if !findable(groupID) {
			return
		}
		for _, shard := range shards {
			for item, err := range r.read.Each(ctx, table.Range{Part: edgePart(groupID, string(shard))}) {
				if !yield(item.Key.Sort, err) || err != nil {
					return
				}
			}
		}
	}
}

// AreMembers says which of the ids are in the group; ids that aren't, aren't in the map. Ids may repeat and may be any
// number. It looks neither whether the group exists nor whether the people are active: membership alone is no right
// (law 3 asks for Person.Active too, and a deleted group keeps nobody).
func (r *Reader) AreMembers(ctx context.Context, groupID string, ids []string) (map[string]bool, error) {
	if !findable(groupID) {
		return nil, nil
	}
	keys := make([]table.Key, 0, len(ids))
	for _, id := range ids {
		if findable(id) {
			keys = append(keys, edgeKey(groupID, id))
		}
	}
	items, err := r.read.GetMany(ctx, keys)
	if err != nil {
		return nil, err
	}
	members := make(map[string]bool, len(items))
	for key := range items {
		members[key.Sort] = true
	}
	return members, nil
}

// Outsiders is what a group holds besides people.
type Outsiders struct {
	// Count is how many there are, up to a bound of 1,000; More says that there are more than that.
	Count int
	More  bool
	// Types counts the ones looked at by type, e.g. "Device": 3.
	Types map[string]int
}

const maxOutsiders = 1000

// Others says what a group holds that isn't people: devices, groups in groups. They never get a book.
func (r *Reader) Others(ctx context.Context, groupID string) (Outsiders, error) {
	found := Outsiders{Types: map[string]int{}}
	for member, err := range r.eachOther(ctx, groupID) {
		if err != nil {
			return Outsiders{}, err
		}
		if found.Count == maxOutsiders {
			found.More = true
			break
		}
		found.Count++
		found.Types[member.Type]++
	}
	return found, nil
}

func (r *Reader) eachOther(ctx context.Context, groupID string) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		if !findable(groupID) {
			return
		}
		for doc, err := range table.Docs[outsider](r.read.Each(ctx, table.Range{Part: othersPart(groupID)})) {
			if !yield(Member{ID: doc.Key.Sort, Type: doc.Value.Type}, err) || err != nil {
				return
			}
		}
	}
}

// GroupsOf returns the ids of the groups that a person is in, by an index: a change of the last moments may be missing,
// and a group may be deleted. Never decide a spend by it; ask AreMembers.
func (r *Reader) GroupsOf(ctx context.Context, personID string) ([]string, error) {
	if !findable(personID) {
		return nil, nil
	}
	var ids []string
	for entry, err := range r.read.EachEntry(ctx, table.Index1, table.Range{Part: memberOfPart(personID)}) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, entry.Place.Sort)
	}
	return ids, nil
}
