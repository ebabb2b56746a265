package assign

import (
	"context"
	"fmt"
	"slices"

	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/reader"
)

// acquaintances are the groups and people whom the surveys of one site have met: the same people are given many titles, and
// each is read once a site, not once a title. So a site serves one look. Whoever spends on it looks again at everybody
// before the request (law 3).
type acquaintances struct {
	members map[string][]string // by group
	people  map[string]directory.Person
	readers map[string]reader.Doc
	aliases map[string][]license.HolderID // by idHash, also those that nobody shares
	met     map[string]bool               // also of whom nothing is known
}

func newAcquaintances() *acquaintances {
	return &acquaintances{
		members: make(map[string][]string), people: make(map[string]directory.Person),
		readers: make(map[string]reader.Doc), aliases: make(map[string][]license.HolderID), met: make(map[string]bool),
	}
}

// membersOf are the people in the group of a wish. The list is the caller's.
func (s Surveyor) membersOf(ctx context.Context, site Site, groupID string) ([]string, error) {
	known := site.known.members
	if _, ok := known[groupID]; !ok {
		list, err := members(ctx, s.Directory, groupID)
		if err != nil {
			return nil, err
		}
		known[groupID] = list
	}
	return slices.Clone(known[groupID]), nil
}

// meet reads those of the people who haven't been met.
func (s Surveyor) meet(ctx context.Context, site Site, ids []string) error {
	k := site.known
	strangers := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return k.met[id] })
	if len(strangers) == 0 {
		return nil
	}
	people, err := s.Directory.People(ctx, strangers)
	if err != nil {
		return fmt.Errorf("reading %d people: %w", len(strangers), err)
	}
	readers, err := reader.OfPeople(ctx, s.Store, site.ids, strangers)
	if err != nil {
		return err
	}
	for _, id := range strangers {
		k.met[id] = true
		if p, ok := people[id]; ok {
			k.people[id] = p
		}
		if r, ok := readers[id]; ok {
			k.readers[id] = r
		}
	}
	return nil
}

// readersOf are the readers of people who have been met.
func (k *acquaintances) readersOf(people []string) map[string]reader.Doc {
	readers := make(map[string]reader.Doc, len(people))
	for _, id := range people {
		if doc, ok := k.readers[id]; ok {
			readers[id] = doc
		}
	}
	return readers
}

// aliases are the foreign readers that share Apple Accounts, by idHash.
func (s Surveyor) aliases(ctx context.Context, site Site, idHashes []string) (map[string][]license.HolderID, error) {
	known := site.known.aliases
	strangers := slices.DeleteFunc(slices.Clone(idHashes), func(h string) bool {
		_, ok := known[h]
		return ok
	})
	read, err := reader.Aliases(ctx, s.Store, strangers)
	if err != nil {
		return nil, err
	}
	for _, h := range strangers {
		known[h] = read[h]
	}
	found := make(map[string][]license.HolderID)
	for _, h := range idHashes {
		if len(known[h]) > 0 {
			found[h] = known[h]
		}
	}
	return found, nil
}
