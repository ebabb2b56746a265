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
	aliases map[string][]license.HolderID // by idHash
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
	var hashes []string
	for _, doc := range readers {
		hashes = append(hashes, doc.Value.IDHash)
	}
	aliases, err := reader.Aliases(ctx, s.Store, hashes)
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
	for hash, holders := range aliases {
		k.aliases[hash] = holders
	}
	return nil
}

// aliasHolders says which of the people hold the title through a foreign reader with the same Apple Account (law 1).
func (s Surveyor) aliasHolders(ctx context.Context, site Site, adamID string, people []string) (map[string]bool, error) {
	if len(site.known.aliases) == 0 {
		return nil, nil
	}
	aliases := make(map[string][]license.HolderID) // by person
	var ids []license.HolderID
	for _, person := range people {
		if list := site.known.aliases[site.known.readers[person].Value.IDHash]; len(list) > 0 {
			aliases[person] = list
			ids = append(ids, list...)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	held, err := license.HeldBy(ctx, s.Store, adamID, ids)
	if err != nil {
		return nil, err
	}
	holders := make(map[string]bool)
	for person, list := range aliases {
		holders[person] = slices.ContainsFunc(list, func(id license.HolderID) bool { return held[id] })
	}
	return holders, nil
}
