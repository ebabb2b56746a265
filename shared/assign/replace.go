package assign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// Ask is one wish as somebody asks for it.
type Ask struct {
	GroupID string
	Intent  Intent
	Field   string // where it stands in the request, for messages: "managedEBookAssignments[0]"
}

// repeats says that the wish is what is asked for.
func (a Ask) repeats(w Wish) bool { return w.GroupID == a.GroupID && w.Intent == a.Intent }

// Assigner changes wishes.
type Assigner struct {
	Store     *table.Store
	Directory *directory.Reader
	World     world.World
	Hold      time.Duration // how long a new required wish spends nothing
	// ApprovalAbove is how many licenses new wishes, and each of them later, may come to spend without waiting for approval;
	// 0 means any number.
	// Wishes for Everybody always wait.
	ApprovalAbove int
	// PlanInline is of how many people a plan is computed while its caller waits; 0 means DefaultPlanInline.
	PlanInline int
	// SelfApproval lets whoever asked for an assignment approve it too.
	SelfApproval bool
	// Federated are the domains whose userNames are Managed Apple Accounts, as a Surveyor has them.
	Federated []string
}

// draft is the wishes for a book as they would be after asking, before any approval, what they were before, and the ids of
// the new ones: a repeated wish keeps its id, age, hold and approval.
func (a Assigner) draft(ctx context.Context, b book.Book, asks []Ask, requester string) (
	doc WishesDoc, before []Wish, fresh map[string]bool, err error,
) {
	if doc, err = Load(ctx, a.Store.ReadStore, b); err != nil {
		return WishesDoc{}, nil, nil, err
	}
	if err := a.check(ctx, asks, doc.Value); err != nil {
		return WishesDoc{}, nil, nil, err
	}
	before = doc.Value.List
	fresh = make(map[string]bool)
	var list []Wish
	for _, ask := range asks {
		i := slices.IndexFunc(doc.Value.List, ask.repeats)
		if i >= 0 {
			list = append(list, doc.Value.List[i])
			continue
		}
		added := a.wish(ask, requester)
		list, fresh[added.ID] = append(list, added), true
	}
	doc.Value.List = list
	return doc, before, fresh, nil
}

// wish is a new wish.
func (a Assigner) wish(ask Ask, requester string) Wish {
	w := Wish{
		ID: world.NewID(a.World), GroupID: ask.GroupID, Intent: ask.Intent, Created: a.World.Now(), Requester: requester,
		Limit: a.ApprovalAbove,
	}
	if w.Intent == Required {
		w.HoldUntil = w.Created.Add(a.Hold)
	}
	return w
}

// Replace makes the asks the wishes for the book, and marks the work. It returns when the first of them may spend.
func (a Assigner) Replace(ctx context.Context, b book.Book, asks []Ask, requester string) (due time.Time, err error) {
	for {
		doc, before, fresh, err := a.draft(ctx, b, asks, requester)
		if err != nil {
			return time.Time{}, err
		}
		if err := a.await(ctx, b, &doc.Value, fresh); err != nil {
			return time.Time{}, err
		}
		if err := a.notePlaces(ctx, b, asks); err != nil {
			return time.Time{}, err
		}
		due := doc.Value.Due(a.World.Now())
		if err := a.store(ctx, b, doc, before, requester); !errors.Is(err, table.ErrCondition) {
			return due, err
		}
	}
}

// notePlaces stores, before the wishes, in which location the groups are wished for: a change of a group that comes in
// between finds nothing to do there, and one that comes after is marked.
func (a Assigner) notePlaces(ctx context.Context, b book.Book, asks []Ask) error {
	var items []table.Item
	for _, ask := range asks {
		item, err := table.Encode(table.Key{Part: groupPart(ask.GroupID), Sort: b.Location}, groupPlace{})
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	if err := a.Store.PutAll(ctx, items...); err != nil {
		return fmt.Errorf("storing where groups are wished for: %w", err)
	}
	return nil
}

// check refuses asks that can't be wishes, with the field at fault. The wishes that there are can always be asked for again,
// whatever has become of their groups: or one group that was deleted would keep everything else from being changed.
func (a Assigner) check(ctx context.Context, asks []Ask, stored Wishes) error {
	if len(asks) > MaxWishes {
		return problem.New(problem.Invalid, "TooManyAssignments",
			"A book can be assigned to at most %d groups; the request has %d. Put the people into fewer, larger groups.",
			MaxWishes, len(asks)).At("managedEBookAssignments")
	}
	seen := make(map[string]string, len(asks))
	for _, ask := range asks {
		if first, ok := seen[ask.GroupID]; ok {
			return problem.New(problem.Invalid, "DuplicateGroup",
				"The group %s is named twice, first in %s. Keep one of the two.", ask.GroupID, first).At(ask.Field + ".target.groupId")
		}
		seen[ask.GroupID] = ask.Field
		if slices.ContainsFunc(stored.List, ask.repeats) {
			continue
		}
		if err := a.checkGroup(ctx, ask, stored.Names(ask.GroupID)); err != nil {
			return err
		}
	}
	return nil
}

// checkGroup refuses a group that can't be given books. A deleted one covers nobody; it is let pass where it is named already.
func (a Assigner) checkGroup(ctx context.Context, ask Ask, named bool) error {
	if ask.GroupID == Everybody {
		return nil
	}
	field := ask.Field + ".target.groupId"
	group, err := a.Directory.GroupEvenDeleted(ctx, ask.GroupID)
	if p, ok := problem.As(err); ok && p.Kind == problem.NotFound {
		return problem.New(problem.Invalid, "UnknownGroup",
			"There is no group with the id %q. Groups come from the identity provider over SCIM; "+
				"GET /scim/v2/Groups lists those that have arrived.", ask.GroupID).At(field)
	} else if err != nil {
		return err
	}
	if group.Deleted && named {
		return nil
	}
	if group.Deleted {
		return problem.New(problem.Invalid, "UnknownGroup",
			"The group %q (%s) was deleted in the identity provider. Leave it out: it has no members any more.",
			group.DisplayName, ask.GroupID).At(field)
	}
	others, err := a.Directory.Others(ctx, ask.GroupID)
	if err != nil {
		return err
	}
	if group.Kind == directory.Devices || others.Count > 0 {
		return problem.New(problem.Invalid, "DeviceGroup",
			"The group %q has members that aren't people. Apple gives books to people only, never to devices: "+
				"assign the book to a group of the people who use the devices.", group.DisplayName).At(field)
	}
	return nil
}
