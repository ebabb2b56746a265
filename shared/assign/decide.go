package assign

import (
	"fmt"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/token"
)

// Verdict is what is decided for a person and a title.
type Verdict string

// The verdicts.
const (
	Give   Verdict = "give"
	Wait   Verdict = "wait"
	Refuse Verdict = "refuse"
)

// Decision is a verdict with its reason.
type Decision struct {
	Verdict Verdict
	Reason  license.Reason // empty for Give
	Detail  string
}

// Facts are all that a decision rests on.
type Facts struct {
	Now      time.Time
	Location string // uId of the location that would give
	Pricing  string // the quality in which it would
	Wish     Wish
	Person   directory.Person // the zero value when the directory doesn't know the person
	Member   bool             // of the wish's group
	License  license.License
	// InBatch says that the batch which the license names can still send the pair.
	InBatch bool
	Reader  *reader.Reader // nil: Apple doesn't know the person in this location
	// Alias says that somebody else with the same Apple Account has the title or is being given it, in whatever location.
	Alias  bool
	Beyond bool        // the wish has spent all that was approved (Wish.Limit)
	Synced bool        // the location's first full sync has ended (law 5)
	Usable bool        // the location's token works and nobody else owns it (law 4)
	State  token.State // the token's, which says why it isn't usable
	Listed bool        // Apple's listing has the book
	Free   int         // licenses left for this person, after all who come before
}

// Decide says what is to happen. It is pure, and the only place where that is decided.
func Decide(f Facts) Decision {
	for _, rule := range []func(Facts) (Decision, bool){owns, belongs, ready, known} {
		if d, decided := rule(f); decided {
			return d
		}
	}
	if f.Beyond {
		return Decision{Wait, WaitingForApproval, f.Wish.allSpent()}
	}
	if f.Free <= 0 {
		return Decision{Wait, NoStock, ""}
	}
	return Decision{Verdict: Give}
}

// owns: law 1. One right a title a person, over all locations.
func owns(f Facts) (Decision, bool) {
	l := f.License
	switch {
	case l.Has():
		row := l.Rows[0]
		detail := fmt.Sprintf("in location %s since %s", row.Location, row.Found.Format(time.DateOnly))
		return Decision{Refuse, Owned, detail}, true
	case f.Alias:
		return Decision{Refuse, OwnedAsOther, ""}, true
	case l.State == license.Reserved && f.InBatch:
		return Decision{Wait, Underway, "batch " + l.Batch}, true
	case l.BoundElsewhere(f.Location, f.Pricing):
		return Decision{Wait, Elsewhere, "location " + l.Bound + " as " + l.BoundAs}, true
	case closed(l, f.Wish) && !l.Lost.IsZero():
		return Decision{Refuse, Refunded, "since " + l.Lost.UTC().Format(time.DateOnly)}, true
	case closed(l, f.Wish):
		return Decision{Refuse, AppleRefused, l.Detail}, true
	}
	return Decision{}, false
}

// closed says that the pair's story had ended when the wish was made, or has since: Apple took the license back, or refused
// it for good. Nothing begins it anew but an order of somebody who can have known that.
func closed(l license.License, w Wish) bool {
	refused := l.State == license.Refused && l.Reason == AppleRefused
	return !l.Lost.IsZero() && !w.Created.After(l.Lost) || refused && !w.Created.After(l.Since)
}

// belongs: law 3. Active, and a member of the group.
func belongs(f Facts) (Decision, bool) {
	switch {
	case !f.Person.Active || f.Person.Deleted:
		return Decision{Refuse, Inactive, ""}, true
	case !f.Member:
		return Decision{Refuse, Left, ""}, true
	}
	return Decision{}, false
}

// ready: the location may spend at all, and the wish too.
func ready(f Facts) (Decision, bool) {
	switch {
	case !f.Usable:
		return Decision{Wait, Stopped, string(f.State)}, true
	case !f.Synced:
		return Decision{Wait, NotSynced, ""}, true
	case !f.Listed:
		return Decision{Wait, NotListed, ""}, true
	case f.Wish.Approval.Pending:
		return Decision{Wait, WaitingForApproval, f.Wish.Approval.String()}, true
	case f.Wish.OnHold(f.Now):
		return Decision{Wait, OnHold, "until " + f.Wish.HoldUntil.UTC().Format(time.RFC3339)}, true
	}
	return Decision{}, false
}

// known: law 3. Associated at Apple: otherwise the first account that accepts the invitation would own the book.
func known(f Facts) (Decision, bool) {
	r := f.Reader
	if r == nil {
		return Decision{Wait, NotAtApple, ""}, true
	}
	if r.Status == reader.Associated {
		return Decision{}, false
	}
	if r.Refusal != nil {
		return Decision{Wait, refusalReason(r.Refusal.Number), fmt.Sprintf("Apple's error %d", r.Refusal.Number)}, true
	}
	switch r.Status {
	case reader.Invited:
		return Decision{Wait, Invitation, "since " + r.Changed.UTC().Format(time.DateOnly)}, true
	case reader.Retired:
		return Decision{Wait, RetiredAtApple, ""}, true
	default:
		return Decision{Wait, NotAtApple, ""}, true
	}
}

func refusalReason(number int) license.Reason {
	switch number {
	case apple.NumberForeignUser:
		return ForeignID
	case apple.NumberLinkedUser:
		return LinkedID
	default:
		return ReaderError
	}
}
