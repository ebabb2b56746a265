package license

import (
	"fmt"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
)

// The transitions of a license are pure: they take what was read and return what is to be saved, under the condition
// that it is still what was read. A transition that the rules forbid is an error of the caller's code.

// Ask notes that a wish covers the pair, and why it isn't given: the state is Waiting or Refused, or Wanted if it is next. The
// cause stays that of a sending whose outcome is unknown: if Apple turns out to have given the title, that wish has spent it.
func (l License) Ask(at Place, cause Cause, state State, reason Reason, detail string, now time.Time) (License, error) {
	if l.Has() || l.State == Reserved {
		return l, fmt.Errorf("title %s for person %s is %s and can't be asked for", l.AdamID, l.PersonID, l.State)
	}
	l = l.begin()
	if l.Asked.IsZero() {
		l.Asked = now
	}
	if l.State != state || l.Reason != reason {
		l.Since = now
	}
	l.State, l.Reason, l.Detail = state, reason, detail
	l.Location, l.Pricing, l.Batch = at.Location, at.Asset.PricingParam, ""
	if l.Bound == "" || l.Cause == nil {
		l.Cause = &cause
	}
	return l, nil
}

// Lapse notes that no wish covers a waiting pair any more. It stays bound where it was. Its place in the line is given up: who
// comes back stands behind those who have waited meanwhile.
func (l License) Lapse(reason Reason, now time.Time) License {
	l.State, l.Reason, l.Detail, l.Since, l.Asked = Refused, reason, "", now, time.Time{}
	return l
}

// Place is a title in one quality as stocked by a location.
type Place struct {
	Location string
	Asset    apple.AssetKey
}

// Reserve gives the pair to a batch. Law 1: it must be nobody else's, not licensed anywhere, and not bound to another
// location or the other quality by a sending whose outcome was unknown.
func (l License) Reserve(b Batch, at Place, cause Cause, now time.Time) (License, error) {
	switch {
	case l.Has():
		return l, fmt.Errorf("title %s is already licensed to person %s", l.AdamID, l.PersonID)
	case l.State == Reserved && l.Batch != b.ID:
		return l, fmt.Errorf("title %s for person %s is reserved by batch %s", l.AdamID, l.PersonID, l.Batch)
	case l.BoundElsewhere(b.Location, at.Asset.PricingParam):
		return l, fmt.Errorf("title %s for person %s is bound to location %s as %s", l.AdamID, l.PersonID, l.Bound, l.BoundAs)
	}
	l = l.begin()
	l.State, l.Reason, l.Detail, l.Since = Reserved, "", "", now
	l.Location, l.Pricing, l.Cause, l.Batch = at.Location, at.Asset.PricingParam, &cause, b.ID
	if l.Asked.IsZero() {
		l.Asked = now
	}
	return l, nil
}

// Free takes the pair out of its batch, which must not be able to send it any more: it has ended, or is sending
// without it. The pair stays bound when that batch may have spent it and Apple's word on it is still missing.
func (l License) Free(bound bool, now time.Time) License {
	l.State, l.Reason, l.Detail, l.Since = Wanted, "", "", now
	l.Batch = ""
	if bound {
		l.Bound, l.BoundAs = l.Location, l.Pricing
	}
	return l
}

// Deny notes Apple's final word that the pair was not given by its batch. It stays bound if an earlier sending bound it:
// on that one Apple has still not spoken. With a State of Waiting it may be asked for again once the reason is gone.
func (l License) Deny(state State, reason Reason, detail string, now time.Time) License {
	l.State, l.Reason, l.Detail, l.Since = state, reason, detail, now
	return l
}

// Give notes that Apple lists the title for the person. The event, if known, is the one that gave it. If somebody else gave
// it first, the license stays bound to where a sending of ours is unsettled: what comes of that is ours when it is listed.
func (l License) Give(row Row, event string) License {
	if slices.ContainsFunc(l.Rows, row.is) {
		return l
	}
	if l.listedAgain(row) {
		l = l.resume()
	}
	l.Rows = append(slices.Clone(l.Rows), row)
	ours := l.awaits(row)
	had, back := l.State == Licensed, l.State == Gone && l.Location == row.Location && l.Pricing == row.Pricing
	if had && (!l.Found || !ours) {
		return l
	}
	if back { // it is the one that was there before, with its story
		l.State, l.Reason, l.Detail, l.Since, l.Lost = Licensed, "", "", row.Found, time.Time{}
		return l
	}
	l = l.begin()
	l.Lost = time.Time{}
	l.Found = !ours
	if !ours { // whoever gave it, it wasn't the batch that is named here
		l.Batch, l.Event = "", ""
	} else {
		l.Bound, l.BoundAs = "", ""
		if event != "" {
			l.Event = event
		}
	}
	l.State, l.Reason, l.Detail = Licensed, "", ""
	l.Location, l.Pricing = row.Location, row.Pricing
	if !had {
		l.Since, l.Given = row.Found, row.Found
	}
	return l
}

// awaits says that a sending of ours can have given the row.
func (l License) awaits(row Row) bool {
	bound := l.Bound == row.Location && l.BoundAs == row.Pricing
	return bound || l.State == Reserved && l.Location == row.Location && l.Pricing == row.Pricing
}

// Lose notes that Apple no longer lists the row. The last one lost leaves a tombstone.
func (l License) Lose(row Row, now time.Time) License {
	l.Rows = slices.DeleteFunc(slices.Clone(l.Rows), row.is)
	if len(l.Rows) == 0 && l.State == Licensed {
		l.State, l.Reason, l.Since, l.Lost = Gone, Refunded, now, now
	}
	return l
}
