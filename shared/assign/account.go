package assign

import (
	"context"
	"maps"
	"slices"

	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/reader"
)

// accounts are the Apple Accounts, by idHash, to which a title belongs or is on its way. What an account has, it isn't given
// again, whoever else is linked to it (law 1): a reader that isn't ours, or a second person who has accepted an invitation
// with an account that isn't only theirs.
type accounts struct {
	foreign map[string]bool
	ours    map[string]string // the person of ours who has it, or has it first
}

// take notes that the account gets the title by a person of ours.
func (a accounts) take(idHash, person string) {
	if idHash != "" && a.ours[idHash] == "" {
		a.ours[idHash] = person
	}
}

// anothers says that the account has the title by somebody else than the person.
func (a accounts) anothers(idHash, person string) bool {
	if idHash == "" {
		return false
	}
	owner := a.ours[idHash]
	return a.foreign[idHash] || owner != "" && owner != person
}

// accounts reads by which accounts the title is held, as far as that concerns those who don't have it yet.
func (s Surveyor) accounts(
	ctx context.Context, site Site, b book.Book, readers map[string]reader.Doc, licenses map[string]license.Doc,
) (accounts, error) {
	a := accounts{foreign: make(map[string]bool), ours: make(map[string]string)}
	var lacking []string // idHashes
	for person, doc := range readers {
		if l := licenses[person].Value; doc.Value.IDHash != "" && !l.Has() {
			lacking = append(lacking, doc.Value.IDHash)
		}
	}
	if len(lacking) == 0 {
		return a, nil
	}
	slices.Sort(lacking)
	if err := s.foreignAccounts(ctx, site, b, slices.Compact(lacking), a); err != nil {
		return a, err
	}
	return a, s.ourAccounts(ctx, site, readers, licenses, a)
}

func (s Surveyor) foreignAccounts(ctx context.Context, site Site, b book.Book, idHashes []string, a accounts) error {
	aliases, err := s.aliases(ctx, site, idHashes)
	if err != nil || len(aliases) == 0 {
		return err
	}
	var ids []license.HolderID
	for _, h := range idHashes {
		ids = append(ids, aliases[h]...)
	}
	held, err := license.HeldBy(ctx, s.Store, b.Asset.AdamID, ids)
	if err != nil {
		return err
	}
	for h, list := range aliases {
		a.foreign[h] = slices.ContainsFunc(list, func(id license.HolderID) bool { return held[id] })
	}
	return nil
}

// seat is a reader of ours by whom a person has the title, or may have it soon.
type seat struct{ location, clientUserID, person string }

// ourAccounts takes the accounts of people of ours: first of those who have the title, in whatever location, then of those
// to whom it is under way here, then of those with whom the outcome of a sending is unknown.
func (s Surveyor) ourAccounts(
	ctx context.Context, site Site, readers map[string]reader.Doc, licenses map[string]license.Doc, a accounts,
) error {
	var has, underway, bound []seat
	people := slices.Sorted(maps.Keys(licenses))
	ids, err := reader.IDs(ctx, s.Store, site.ids, people)
	if err != nil {
		return err
	}
	for _, person := range people {
		l := licenses[person].Value
		for _, row := range l.Rows {
			has = append(has, seat{row.Location, row.ClientUserID, person})
		}
		here := seat{site.ids.Location, ids[person], person}
		switch {
		case l.State == license.Reserved:
			underway = append(underway, here)
		case l.Bound != "":
			bound = append(bound, here)
		}
	}
	seats := slices.Concat(has, underway, bound)
	hashes, err := s.hashes(ctx, seats, readers)
	if err != nil {
		return err
	}
	for _, one := range seats {
		a.take(hashes[one], one.person)
	}
	return nil
}

// hashes are the idHashes of seats. Most of their readers have been read already: those of the people whom a wish covers.
func (s Surveyor) hashes(ctx context.Context, seats []seat, read map[string]reader.Doc) (map[seat]string, error) {
	hashes := make(map[seat]string)
	unread := make(map[string][]string) // clientUserIds by location
	for _, one := range seats {
		r := read[one.person].Value
		if r.Location == one.location && r.ClientUserID == one.clientUserID {
			hashes[one] = r.IDHash
		} else {
			unread[one.location] = append(unread[one.location], one.clientUserID)
		}
	}
	for _, location := range slices.Sorted(maps.Keys(unread)) {
		found, err := reader.LoadMany(ctx, s.Store, location, unread[location])
		if err != nil {
			return nil, err
		}
		for id, doc := range found {
			hashes[seat{location, id, doc.Value.PersonID}] = doc.Value.IDHash
		}
	}
	return hashes, nil
}
