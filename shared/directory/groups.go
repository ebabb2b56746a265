package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// groupBody is a group's item.
type groupBody struct {
	Group
	// Replacing is set while somebody writes the whole membership. It keeps a second one out, and it is how the first
	// one learns at its end that it wasn't alone.
	Replacing *intent `json:"replacing,omitempty"`
}

type intent struct {
	Token string    `json:"token"`
	Since time.Time `json:"since"`
}

// intentAge is how old an intent is when its owner must be dead: beyond the time-out of any function.
const intentAge = time.Minute

// CreateGroup adds a group with its members; the id, version, times and Deleted of g are ignored, an empty kind is
// Users. Names and external ids may repeat. It isn't announced: nobody can have asked for a group whose id is new.
func (d *Directory) CreateGroup(ctx context.Context, g Group, members Membership) (Group, error) {
	if g.Kind == "" {
		g.Kind = Users
	}
	if err := errors.Join(checkGroup(g), members.check()); err != nil {
		return Group{}, err
	}
	id := world.NewID(d.world)
	// Members first: what a crash leaves behind is then invisible, and the provider's second attempt is clean.
	if err := d.writeMembers(ctx, id, members); err != nil {
		return Group{}, err
	}
	g.Deleted, g.Created = false, d.world.Now()
	return d.saveGroup(ctx, table.NewDoc(groupKey(id), groupBody{}), groupBody{Group: g})
}

// ChangeGroup edits a group's attributes, as ChangePerson does a person's, and then its members. Members are added and
// removed without touching the group, so that any number of requests at once lose nothing. A whole membership is
// compared with the stored one and only the difference is written; meanwhile another whole one is refused with a
// problem of kind Unavailable that says how long to wait. Doing the same twice changes nothing.
func (d *Directory) ChangeGroup(
	ctx context.Context, id, version string, edit func(*Group) error, members Membership,
) (Group, error) {
	if err := members.check(); err != nil {
		return Group{}, err
	}
	var changed Group
	err := insist("The group", func() error {
		doc, err := d.liveGroup(ctx, id)
		if err != nil {
			return err
		}
		if err := checkVersion(version, doc.Version); err != nil {
			return err
		}
		next := doc.Value
		if err := edit(&next.Group); err != nil {
			return err
		}
		before := doc.Value.Group
		next.ID, next.Version, next.Deleted = before.ID, before.Version, false
		next.Created, next.Modified = before.Created, before.Modified
		if err := checkGroup(next.Group); err != nil {
			return err
		}
		if members.Whole() {
			if next.Replacing, err = d.newIntent(doc.Value.Replacing); err != nil {
				return err
			}
		}
		var change Change
		if !members.Empty() || next.Kind != before.Kind {
			change.Groups = []string{id}
		}
		return d.announced(ctx, change, func() error {
			changed, err = d.changeGroup(ctx, doc, next, members)
			return err
		})
	})
	return changed, err
}

// changeGroup writes attributes (and the intent), then members, then takes the intent away. Only its first write can
// fail with ErrCondition, with nothing written: so that insist may begin again.
func (d *Directory) changeGroup(
	ctx context.Context, doc table.Doc[groupBody], next groupBody, members Membership,
) (Group, error) {
	saved := doc.Value.Group
	if next != doc.Value {
		var err error
		if saved, err = d.saveGroup(ctx, doc, next); err != nil {
			return Group{}, err
		}
	}
	if err := d.writeMembers(ctx, doc.Key.Sort, members); err != nil {
		return Group{}, err
	}
	if !members.Whole() {
		return saved, nil
	}
	doc.Version, doc.Value = saved.Version, next
	done := groupBody{Group: saved}
	saved, err := d.saveGroup(ctx, doc, done)
	if errors.Is(err, table.ErrCondition) {
		// Somebody else wrote the group in between. Whether they also wrote members can't be told: once more, please.
		return Group{}, busy("The group", retryAfter, errors.New("the intent was gone at the end of a replacement"))
	}
	return saved, err
}

func (d *Directory) newIntent(other *intent) (*intent, error) {
	now := d.world.Now()
	if other != nil {
		if age := now.Sub(other.Since); age < intentAge {
			return nil, busy("The group's whole membership", intentAge-age, nil)
		}
	}
	return &intent{Token: world.NewID(d.world), Since: now}, nil
}

// DeleteGroup takes a group and its members out of the directory; its item stays, for the ledger. A second deletion is
// a problem of kind NotFound, and takes away what the first left behind.
func (d *Directory) DeleteGroup(ctx context.Context, id, version string) error {
	var empty Membership
	empty.Clear()
	return insist("The group", func() error {
		doc, err := d.groupDoc(ctx, id)
		if err != nil {
			return err
		}
		if doc.Value.Deleted {
			if err := d.writeMembers(ctx, id, empty); err != nil {
				return err
			}
			return noGroup(id)
		}
		if err := checkVersion(version, doc.Version); err != nil {
			return err
		}
		next := groupBody{Group: doc.Value.Group}
		next.Deleted = true
		return d.announced(ctx, Change{Groups: []string{id}}, func() error {
			if _, err := d.saveGroup(ctx, doc, next); err != nil {
				return err
			}
			return d.writeMembers(ctx, id, empty)
		})
	})
}

func (d *Directory) liveGroup(ctx context.Context, id string) (table.Doc[groupBody], error) {
	doc, err := d.groupDoc(ctx, id)
	if err == nil && doc.Value.Deleted {
		err = noGroup(id)
	}
	return doc, err
}

// saveGroup writes the group and moves what points to it, if the group is still what doc says.
func (d *Directory) saveGroup(ctx context.Context, doc table.Doc[groupBody], next groupBody) (Group, error) {
	id := doc.Key.Sort
	had, err := groupPointers(id, doc.Value.Group) // none of a new group: its name is empty
	if err != nil {
		return Group{}, err
	}
	has, err := groupPointers(id, next.Group)
	if err != nil {
		return Group{}, err
	}
	next.Modified = d.world.Now()
	doc.Value = next
	save, err := doc.Save()
	if err != nil {
		return Group{}, err
	}
	ops := append(repoint(had, has, func(table.Key) bool { return false }), save)
	version, err := d.store.Commit(ctx, ops...)
	if err != nil {
		return Group{}, fmt.Errorf("save a group: %w", err)
	}
	next.ID, next.Version = id, version
	return next.Group, nil
}

// groupPointers is all that leads to a group; nothing leads to a deleted one.
func groupPointers(id string, g Group) ([]table.Item, error) {
	if g.Deleted {
		return nil, nil
	}
	return pointTo(id,
		lead{g.DisplayName, table.Key{Part: groupNamePart(g.DisplayName), Sort: id}},
		lead{g.ExternalID, table.Key{Part: externalIDPart(g.ExternalID), Sort: groupPrefix + id}})
}
