package assign

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/table"
)

// Intent is what a wish is for, as Graph names it (installIntent).
type Intent string

// The intents that books can have.
const (
	Required  Intent = "required"  // every member gets the title
	Available Intent = "available" // a member may ask for it; nothing is spent until then
)

// MaxWishes is how many groups a book can be assigned to: all its wishes are one item.
const MaxWishes = 200

// Wish is a book for a group. Graph: managedEBookAssignment.
type Wish struct {
	ID      string
	GroupID string // or Everybody
	Intent  Intent
	Created time.Time
	// HoldUntil is until when a required wish spends nothing: removing it before costs nothing.
	HoldUntil time.Time
	Requester string
	Approver  string
	Approval  Approval
	// Limit is how many licenses the wish may come to spend on the word that it has: the threshold of when it was made, or
	// what was approved since. Groups grow; what goes beyond it waits for approval. 0 means any number.
	Limit int
}

// OnHold says that the wish spends nothing yet. An available one has no hold: nothing is spent before somebody asks.
func (w Wish) OnHold(now time.Time) bool { return w.Intent != Available && now.Before(w.HoldUntil) }

// askedBy says that the wish is somebody's own. Who writes their name in another letter case is no second person.
func (w Wish) askedBy(who string) bool { return strings.EqualFold(w.Requester, who) }

// Wishes are all wishes for one book.
type Wishes struct {
	BookID   string
	Location string
	Asset    apple.AssetKey
	List     []Wish
}

// WishesDoc are a book's wishes with their place in the table.
type WishesDoc = table.Doc[Wishes]

func wishesPart(location string) string { return "wishes#" + location }

func wishesKey(b book.Book) table.Key {
	return table.Key{Part: wishesPart(b.Location), Sort: b.Asset.AdamID + "#" + b.Asset.PricingParam}
}

// Load returns the wishes for a book, an empty list when there are none.
func Load(ctx context.Context, store *table.ReadStore, b book.Book) (WishesDoc, error) {
	doc, err := table.LoadOrZero[Wishes](ctx, store, wishesKey(b))
	if err != nil {
		return WishesDoc{}, fmt.Errorf("reading the assignments of book %s: %w", b.ID, err)
	}
	doc.Value.BookID, doc.Value.Location, doc.Value.Asset = b.ID, b.Location, b.Asset
	return doc, nil
}

// OfLocation walks the wishes for all books of a location, those without any left included.
func OfLocation(ctx context.Context, store *table.ReadStore, location string) iter.Seq2[WishesDoc, error] {
	return table.Docs[Wishes](store.Each(ctx, table.Range{Part: wishesPart(location)}))
}

// Names says that a wish of the book names the group.
func (w Wishes) Names(groupID string) bool {
	return slices.ContainsFunc(w.List, func(one Wish) bool { return one.GroupID == groupID })
}

// offers says that members of some group have to ask for the book.
func (w Wishes) offers() bool {
	return slices.ContainsFunc(w.List, func(one Wish) bool { return one.Intent == Available })
}

// rank is when the wish spends: at once, when its hold has ended, or when somebody has approved it.
func (w Wish) rank(now time.Time) int {
	switch {
	case w.Approval.Pending:
		return 2
	case w.OnHold(now):
		return 1
	}
	return 0
}

// Ordered are the wishes in the order in which stock is given out: those on hold after the others, those that wait for
// approval last, otherwise oldest first.
func (w Wishes) Ordered(now time.Time) []Wish {
	list := slices.Clone(w.List)
	slices.SortStableFunc(list, func(a, b Wish) int {
		return cmp.Or(a.rank(now)-b.rank(now), a.Created.Compare(b.Created))
	})
	return list
}

// Due is from when on the wishes have work for the location: now, unless all that could spend are on hold.
func (w Wishes) Due(now time.Time) time.Time {
	ordered := w.Ordered(now)
	waits := slices.ContainsFunc(ordered, func(one Wish) bool { return one.Approval.Pending })
	if len(ordered) == 0 || !ordered[0].OnHold(now) || waits { // who waits for approval is told so at once
		return now
	}
	return ordered[0].HoldUntil
}

// Where a group is wished for: one item a location. The directory marks by these when a group changes.
func groupPart(groupID string) string { return "group#" + groupID }

type groupPlace struct{}

// LocationsOf returns the locations in which a group has been wished for, also those where it no longer is.
func LocationsOf(ctx context.Context, store *table.ReadStore, groupID string) ([]string, error) {
	var locations []string
	for item, err := range store.Each(ctx, table.Range{Part: groupPart(groupID)}) {
		if err != nil {
			return nil, fmt.Errorf("reading where group %s is wished for: %w", groupID, err)
		}
		locations = append(locations, item.Key.Sort)
	}
	return locations, nil
}
