package assign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
)

// Add adds one wish to those for the book, and marks the work. Adding what is already wished for returns the wish that is
// there, so that a request whose answer was lost can be repeated.
func (a Assigner) Add(ctx context.Context, b book.Book, ask Ask, requester string) (Wish, error) {
	stored, err := Load(ctx, a.Store.ReadStore, b)
	if err != nil {
		return Wish{}, err
	}
	if err := a.check(ctx, []Ask{ask}, stored.Value); err != nil {
		if p, ok := problem.As(err); ok && ask.Field == "" { // the request is the assignment itself
			p.Target = strings.TrimPrefix(p.Target, ".")
		}
		return Wish{}, err
	}
	if err := a.notePlaces(ctx, b, []Ask{ask}); err != nil {
		return Wish{}, err
	}
	var id string
	doc, err := a.edit(ctx, b, requester, func(list []Wish) ([]Wish, error) {
		i := slices.IndexFunc(list, func(w Wish) bool { return w.GroupID == ask.GroupID })
		switch {
		case i >= 0 && list[i].Intent == ask.Intent:
			id = list[i].ID
			return list, nil
		case i >= 0:
			return nil, problem.New(problem.Conflict, "DuplicateGroup",
				"The book is already assigned to the group %s as %s, by the assignment %s. Remove that one first.",
				ask.GroupID, list[i].Intent, list[i].ID).At(strings.TrimPrefix(ask.Field+".target.groupId", "."))
		case len(list) >= MaxWishes:
			return nil, problem.New(problem.Invalid, "TooManyAssignments",
				"A book can be assigned to at most %d groups. Put the people into fewer, larger groups.", MaxWishes)
		}
		added := a.wish(ask, requester)
		id = added.ID
		return append(slices.Clone(list), added), nil
	})
	if err != nil {
		return Wish{}, err
	}
	i := slices.IndexFunc(doc.List, func(w Wish) bool { return w.ID == id })
	return doc.List[i], nil
}

// Remove takes one wish away, and marks the work. What it has already given stays given.
func (a Assigner) Remove(ctx context.Context, b book.Book, id, by string) error {
	_, err := a.edit(ctx, b, by, func(list []Wish) ([]Wish, error) {
		i := slices.IndexFunc(list, func(w Wish) bool { return w.ID == id })
		if i < 0 {
			return nil, NoWish(b, id)
		}
		return slices.Delete(slices.Clone(list), i, i+1), nil
	})
	return err
}

// NoWish is the problem that a book has no assignment of that id.
func NoWish(b book.Book, id string) error {
	return problem.New(problem.NotFound, "ResourceNotFound",
		"The book has no assignment with the id %q. GET /v1.0/deviceAppManagement/managedEBooks/%s/assignments lists "+
			"those that there are.", id, b.ID)
}

// edit stores what next makes of the wishes, again from the start when somebody else was faster, and returns what is
// stored then.
func (a Assigner) edit(
	ctx context.Context, b book.Book, by string, next func([]Wish) ([]Wish, error),
) (Wishes, error) {
	for {
		doc, err := Load(ctx, a.Store.ReadStore, b)
		if err != nil {
			return Wishes{}, err
		}
		before := doc.Value.List
		if doc.Value.List, err = next(before); err != nil {
			return Wishes{}, err
		}
		if slices.Equal(before, doc.Value.List) {
			return doc.Value, nil
		}
		if err := a.await(ctx, b, &doc.Value, added(before, doc.Value.List)); err != nil {
			return Wishes{}, err
		}
		if err := a.store(ctx, b, doc, before, by); !errors.Is(err, table.ErrCondition) {
			return doc.Value, err
		}
	}
}

// store stores the wishes with what they let the location do, and tells of those that are there no longer.
func (a Assigner) store(ctx context.Context, b book.Book, doc WishesDoc, before []Wish, by string) error {
	save, err := doc.Save()
	if err != nil {
		return err
	}
	now := a.World.Now()
	ops := []table.Op{
		save, spendMark(b, now, doc.Value.Due(now)),
		mark.New(b.Location, mark.Readers, mark.SubjectAll, now), // costs nothing, so needn't wait for the hold
	}
	if removed := without(before, doc.Value.List); len(removed) > 0 {
		what := "1 assignment of %q was removed: %s."
		if len(removed) > 1 {
			what = fmt.Sprint(len(removed)) + " assignments of %q were removed: %s."
		}
		told, err := act.New(a.World, by, act.AssignmentRemoved, b.ID, fmt.Sprintf(what, b.Name(), strings.Join(removed, ", ")))
		if err != nil {
			return err
		}
		ops = append(ops, told)
	}
	_, err = a.Store.Commit(ctx, ops...)
	return err
}

// without names the wishes that were there before and aren't after.
func without(before, after []Wish) (removed []string) {
	gone := added(after, before)
	for _, w := range before {
		if gone[w.ID] {
			removed = append(removed, fmt.Sprintf("%s for the group %s (%s)", w.Intent, w.GroupID, w.ID))
		}
	}
	return removed
}

// added are the ids of the wishes that weren't there before.
func added(before, after []Wish) map[string]bool {
	ids := make(map[string]bool)
	for _, w := range after {
		if !slices.ContainsFunc(before, func(old Wish) bool { return old.ID == w.ID }) {
			ids[w.ID] = true
		}
	}
	return ids
}

// spendMark has the book's wishes looked at when they are due. What lies ahead has a mark of its own kind, so that it
// doesn't put off a look that is due now.
func spendMark(b book.Book, now, due time.Time) table.Op {
	kind := mark.Grants
	if due.After(now) {
		kind = mark.Later
	}
	return mark.New(b.Location, kind, mark.SubjectBook(b.ID), due)
}
