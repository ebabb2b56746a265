package directory

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// CreatePerson adds somebody; the id, version, times and Deleted of p are ignored. Somebody who was deleted before
// and comes back (the same ExternalID, otherwise the same ManagedAppleAccount) gets their old id back, and with it
// their history; not their old memberships, which the provider repeats. A user name that is taken, in any letter
// case, is a problem of kind Conflict.
func (d *Directory) CreatePerson(ctx context.Context, p Person) (Person, error) {
	if err := checkPerson(p); err != nil {
		return Person{}, err
	}
	var created Person
	err := insist("The user name", func() error {
		former, err := d.formerSelf(ctx, p)
		if err != nil {
			return err
		}
		id := former.Key.Sort
		if err := d.userNameFree(ctx, p.UserName, id); err != nil {
			return err
		}
		groups, err := d.GroupsOf(ctx, id)
		if err != nil {
			return err
		}
		next := p
		next.Deleted, next.Created = false, former.Value.Created
		return d.announced(ctx, Change{Groups: groups, People: []string{id}}, func() error {
			if err := d.leaveAll(ctx, id, groups); err != nil { // what the deletion may not have seen
				return err
			}
			created, err = d.savePerson(ctx, former, next)
			return err
		})
	})
	return created, err
}

// ChangePerson edits somebody who isn't deleted: edit gets the person as stored and may be called several times. It
// can't change id, version, times and Deleted. A version that isn't empty must be the stored one. What edit returns as
// an error is returned. An edit that changes nothing writes nothing.
func (d *Directory) ChangePerson(
	ctx context.Context, id, version string, edit func(*Person) error,
) (Person, error) {
	var changed Person
	err := insist("The person", func() error {
		doc, err := d.livePerson(ctx, id)
		if err != nil {
			return err
		}
		if err := checkVersion(version, doc.Version); err != nil {
			return err
		}
		before := doc.Value
		next := before
		next.Emails = append([]Email(nil), before.Emails...)
		if err := edit(&next); err != nil {
			return err
		}
		next.ID, next.Version, next.Deleted = before.ID, before.Version, false
		next.Created, next.Modified = before.Created, before.Modified
		if err := checkPerson(next); err != nil {
			return err
		}
		if changed = before; reflect.DeepEqual(before, next) {
			return nil
		}
		change, err := d.changeOf(ctx, before, next)
		if err != nil {
			return err
		}
		return d.announced(ctx, change, func() error {
			changed, err = d.savePerson(ctx, doc, next)
			return err
		})
	})
	return changed, err
}

// DeletePerson takes somebody out of the directory and of their groups. Their item stays, for the ledger, and for the
// day they come back. A second deletion is a problem of kind NotFound, and takes away what the first left behind.
func (d *Directory) DeletePerson(ctx context.Context, id, version string) error {
	return insist("The person", func() error {
		doc, err := d.livePerson(ctx, id)
		if problem.KindOf(err) == problem.NotFound {
			return d.sweepPerson(ctx, id, err)
		}
		if err != nil {
			return err
		}
		if err := checkVersion(version, doc.Version); err != nil {
			return err
		}
		groups, err := d.GroupsOf(ctx, id)
		if err != nil {
			return err
		}
		next := doc.Value
		next.Active, next.Deleted = false, true
		return d.announced(ctx, Change{Groups: groups, People: []string{id}}, func() error {
			if _, err := d.savePerson(ctx, doc, next); err != nil {
				return err
			}
			return d.leaveAll(ctx, id, groups)
		})
	})
}

// changeOf is what to announce of an edit: nothing unless it may change what the person gets, or on which account.
func (d *Directory) changeOf(ctx context.Context, before, next Person) (Change, error) {
	if before.Active == next.Active && before.UserName == next.UserName &&
		before.ManagedAppleAccount == next.ManagedAppleAccount {
		return Change{}, nil
	}
	groups, err := d.GroupsOf(ctx, before.ID)
	return Change{Groups: groups, People: []string{before.ID}}, err
}

func (d *Directory) livePerson(ctx context.Context, id string) (table.Doc[Person], error) {
	doc, err := d.personDoc(ctx, id)
	if err == nil && doc.Value.Deleted {
		err = noPerson(id)
	}
	return doc, err
}

// formerSelf is the deleted person that a new one continues, or a document with a fresh id. An external id decides
// before an account: it is the provider's own word for who is who.
func (d *Directory) formerSelf(ctx context.Context, p Person) (table.Doc[Person], error) {
	for _, trace := range []struct {
		text string
		at   table.Range
	}{
		{p.ExternalID, table.Prefix(externalIDPart(p.ExternalID), personPrefix)},
		{p.ManagedAppleAccount, table.Range{Part: accountPart(p.ManagedAppleAccount)}},
	} {
		if trace.text == "" {
			continue
		}
		docs, err := d.pointedPeople(ctx, trace.at)
		if err != nil {
			return table.Doc[Person]{}, err
		}
		var latest table.Doc[Person]
		for _, doc := range docs {
			if doc.Value.Deleted && (latest.Version == "" || doc.Value.Modified.After(latest.Value.Modified)) {
				latest = doc
			}
		}
		if latest.Version != "" {
			return latest, nil
		}
	}
	fresh := table.NewDoc(personKey(world.NewID(d.world)), Person{Created: d.world.Now()})
	return fresh, nil
}

// userNameFree returns a problem of kind Conflict when somebody other than the person has the name.
func (d *Directory) userNameFree(ctx context.Context, name, id string) error {
	holder, err := table.LoadOrZero[pointer](ctx, d.store, userNameKey(name))
	if err != nil || holder.Value.ID == "" || holder.Value.ID == id {
		return err
	}
	return problem.New(problem.Conflict, "UserNameTaken",
		"Another person has this userName, perhaps in other letter case. Change or delete that person first.").At("userName")
}

// leaveAll takes the person out of the groups.
func (d *Directory) leaveAll(ctx context.Context, id string, groups []string) error {
	edges := make([]table.Key, len(groups))
	for i, group := range groups {
		edges[i] = edgeKey(group, id)
	}
	if err := d.store.DeleteAll(ctx, edges...); err != nil {
		return fmt.Errorf("take a person out of %d groups: %w", len(groups), err)
	}
	return nil
}

// sweepPerson takes somebody who isn't there out of whatever groups the index still shows, and returns the answer.
func (d *Directory) sweepPerson(ctx context.Context, id string, answer error) error {
	groups, err := d.GroupsOf(ctx, id)
	if err != nil {
		return err
	}
	if err := d.leaveAll(ctx, id, groups); err != nil {
		return err
	}
	return answer
}

// savePerson writes the person and moves what points to them, if the person is still what doc says.
func (d *Directory) savePerson(ctx context.Context, doc table.Doc[Person], next Person) (Person, error) {
	id := doc.Key.Sort
	had, err := pointersTo(id, doc.Value) // none to somebody new: all their texts are empty
	if err != nil {
		return Person{}, err
	}
	has, err := pointersTo(id, next)
	if err != nil {
		return Person{}, err
	}
	next.Modified = d.world.Now()
	doc.Value = next
	save, err := doc.Save()
	if err != nil {
		return Person{}, err
	}
	guard := userNameKey(next.UserName)
	ops := append(repoint(had, has, func(k table.Key) bool { return k == guard }), save)
	version, err := d.store.Commit(ctx, ops...)
	if errors.Is(err, table.ErrCondition) {
		if taken := d.userNameFree(ctx, next.UserName, id); taken != nil {
			return Person{}, taken
		}
	}
	if err != nil {
		return Person{}, fmt.Errorf("save a person: %w", err)
	}
	next.ID, next.Version = id, version
	return next, nil
}

// pointersTo is all that leads to a person. A deleted person's user name is free for others, and leads to them by a key of its
// own; external id and account stay, so that they are recognized when they come back.
func pointersTo(id string, p Person) ([]table.Item, error) {
	leads := []lead{
		{p.ExternalID, table.Key{Part: externalIDPart(p.ExternalID), Sort: personPrefix + id}},
		{p.ManagedAppleAccount, table.Key{Part: accountPart(p.ManagedAppleAccount), Sort: id}},
	}
	if p.Deleted {
		leads = append(leads, lead{p.UserName, table.Key{Part: formerNamePart(p.UserName), Sort: id}})
	} else {
		leads = append([]lead{{p.UserName, userNameKey(p.UserName)}}, leads...)
		leads = append(leads, lead{p.Email(), table.Key{Part: emailPart(p.Email()), Sort: id}})
	}
	return pointTo(id, leads...)
}
