package applefake

import (
	"fmt"
	"slices"
	"time"
)

// runDisassociate takes single apps back. Books don't get here: they are refused before (9706).
func (l *Location) runDisassociate(e *event) {
	var back []*holding
	for _, key := range e.op.Assets.Assets {
		for _, t := range l.targets(e.op.Assets) {
			outcome := assetOutcome{row: assignmentRow{AssetKey: key, ClientUserID: t.id, SerialNumber: t.serial}}
			if t.id != "" && t.user == nil {
				outcome.number = 9609
				e.fail(9609, t.info())
			} else {
				e.completed++
				back = append(back, slices.DeleteFunc(l.revocable(t), func(h *holding) bool { return h.key != key })...)
			}
			e.assets = append(e.assets, outcome)
		}
	}
	e.tidy()
	l.takeBack(e.due, back)
}

// runRevoke takes all apps of its targets back and leaves their books where they are.
func (l *Location) runRevoke(e *event) {
	var back []*holding
	for _, t := range l.targets(e.op.Assets) {
		if t.id != "" && t.user == nil {
			e.fail(9609, t.info())
			continue
		}
		e.completed++
		for _, h := range l.revocable(t) {
			back = append(back, h)
			e.assets = append(e.assets, assetOutcome{row: l.assignmentRow(h)})
		}
	}
	e.tidy()
	l.takeBack(e.due, back)
}

// revocable lists what can be taken back from a target.
func (l *Location) revocable(t target) []*holding {
	held := l.devices[t.serial]
	if t.user != nil {
		held = t.user.held
	}
	var apps []*holding
	for _, h := range held {
		if l.assetOf[h.key].revocable() {
			apps = append(apps, h)
		}
	}
	return apps
}

func (l *Location) takeBack(at time.Time, back []*holding) {
	for _, h := range back {
		a := l.assetOf[h.key]
		a.assigned--
		a.takenBack++
		h.gone = "taken back"
		h.goneAt = at
	}
	l.forget(at, back)
}

// forget removes licenses that are gone from the listings. Deltas don't show it, but it makes a new version.
func (l *Location) forget(at time.Time, gone []*holding) {
	if len(gone) == 0 {
		return
	}
	isGone := func(h *holding) bool { return h.gone != "" }
	l.held = slices.DeleteFunc(l.held, isGone)
	for _, h := range gone {
		l.heldOf[h.key] = slices.DeleteFunc(l.heldOf[h.key], isGone)
		if h.user == nil {
			l.devices[h.serial] = slices.DeleteFunc(l.devices[h.serial], isGone)
			continue
		}
		h.user.held = slices.DeleteFunc(h.user.held, isGone)
	}
	l.past = append(l.past, gone...)
	l.assetVersion.touch(at)
	l.assignVersion.touch(at)
}

// RefundFrom takes a license back from its holder, as only Apple can: the purchase is refunded and the license is gone
// from the listing. It is the only way in which a book's assigned count falls.
func (l *Location) RefundFrom(adamID, pricing, clientUserID string) error {
	key := AssetKey{adamID, pricing}
	_, err := l.actIf(op{Kind: opRefundFrom, Key: key, Text: clientUserID}, func() error {
		for _, r := range l.withID(clientUserID) {
			if l.holds(r, key) {
				return nil
			}
		}
		return fmt.Errorf("%s holds no license of %s %s", clientUserID, adamID, pricing)
	})
	return err
}

func (l *Location) refundFrom(at time.Time, key AssetKey, clientUserID string) {
	a := l.assetOf[key]
	a.assigned--
	a.refundedHeld++
	if !a.unlimited {
		a.total--
		a.refunded++
	}
	defer l.notifyCount(at, key, -1)
	for _, r := range l.withID(clientUserID) {
		for _, h := range r.held {
			if h.key == key {
				h.gone, h.goneAt = "refunded", at
				l.forget(at, []*holding{h})
				return
			}
		}
		if row, ok := l.generatedRow(r, key); ok {
			i, _ := slices.BinarySearch(l.gone, row)
			l.gone = slices.Insert(l.gone, i, row)
			h := l.generatedHolding(row)
			h.gone, h.goneAt = "refunded", at
			l.past = append(l.past, h)
			l.assetVersion.touch(at)
			l.assignVersion.touch(at)
			return
		}
	}
}
