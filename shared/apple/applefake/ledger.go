package applefake

import (
	"errors"
	"fmt"
	"iter"
	"time"
)

// License is one license as the fake's own books have it.
type License struct {
	UID string // the location
	AssetKey
	ClientUserID string // as the holder was called when it was given; empty for a device
	SerialNumber string
	IDHash       string // of the account linked to the holder today; empty if none is
	Status       string // of the holder today
	At           time.Time
	EventID      string // the event that gave it; empty if someone else gave it
	By           string // mdmInfo.id of the manager at that moment, or "someone else"
	Gone         string // why it is no longer held: "taken back" (apps), "refunded"; empty: it is held
	GoneAt       time.Time
}

// Book is the count of one asset as the fake's own books have it.
type Book struct {
	AssetKey
	Total, Assigned, Available int
	Given                      int // ever, generated ones included
	Refunded                   int // licenses that were refunded, held or not
}

func (l *Location) license(h *holding) License {
	out := License{
		UID: l.uid, AssetKey: h.key, SerialNumber: h.serial, At: h.at, EventID: h.event, By: h.by, Gone: h.gone, GoneAt: h.goneAt,
	}
	if h.user != nil {
		user := l.userRow(h.user.now())
		out.ClientUserID, out.IDHash, out.Status = h.user.clientUserID, user.IDHash, user.Status
	}
	return out
}

// Books counts every asset. Events that are due have ended before; so it is with all of the fake's books.
func (l *Location) Books() []Book {
	defer l.open()()
	books := make([]Book, len(l.assets))
	for i, a := range l.assets {
		books[i] = Book{a.AssetKey, a.total, a.assigned, a.available(), a.given, a.refunded}
	}
	return books
}

// Ledger lists every license that was ever given while the fake ran, those that are gone first; not the generated ones.
func (l *Location) Ledger() []License {
	defer l.open()()
	all := make([]License, 0, len(l.past)+len(l.held))
	for _, h := range append(append([]*holding(nil), l.past...), l.held...) {
		all = append(all, l.license(h))
	}
	return all
}

// Licenses goes through every license that is held, generated ones included. The fake is locked meanwhile.
func (l *Location) Licenses() iter.Seq[License] {
	return func(yield func(License) bool) {
		defer l.open()()
		for h := range l.all().each() {
			if !yield(l.license(h)) {
				return
			}
		}
	}
}

// open locks the fake and ends what is due; the result unlocks it.
func (l *Location) open() (unlock func()) {
	l.server.mu.Lock()
	l.settle(l.server.options.Clock.Now())
	return l.server.mu.Unlock
}

// Invariants checks what must hold of the fake's own books whatever was done to it:
//   - assigned counts the licenses that are held, row by row;
//   - total is what was bought less what was refunded, and available + assigned = total;
//   - available is below zero only after a refund;
//   - no book was ever taken back except by a refund;
//   - no user holds one asset twice.
func (l *Location) Invariants() error {
	defer l.open()()
	rows := map[AssetKey]int{}
	for h := range l.all().each() {
		rows[h.key]++
	}
	var all []error
	wrong := func(key AssetKey, what string) {
		all = append(all, fmt.Errorf("location %s, asset %s %s: %s", l.uid, key.AdamID, key.PricingParam, what))
	}
	for _, a := range l.assets {
		if a.assigned != rows[a.AssetKey] || a.assigned != a.given-a.takenBack-a.refundedHeld {
			wrong(a.AssetKey, fmt.Sprintf("assigned is %d, but %d are held", a.assigned, rows[a.AssetKey]))
		}
		if a.total != a.bought-a.refunded {
			wrong(a.AssetKey, fmt.Sprintf("total is %d, but %d were bought and %d refunded", a.total, a.bought, a.refunded))
		}
		if a.available() < 0 && a.refunded == 0 {
			wrong(a.AssetKey, "more licenses are assigned than there are")
		}
		if !a.revocable() && a.takenBack > 0 {
			wrong(a.AssetKey, "a book was taken back")
		}
	}
	type grip struct {
		user *record
		key  AssetKey
	}
	seen := map[grip]bool{}
	for _, h := range l.held {
		g := grip{h.user, h.key}
		if h.user == nil {
			continue
		}
		if _, generated := l.generatedRow(h.user, h.key); generated || seen[g] {
			wrong(h.key, "the user "+h.user.clientUserID+" holds it twice")
		}
		seen[g] = true
	}
	return errors.Join(all...)
}
