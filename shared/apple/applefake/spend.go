package applefake

import (
	"slices"
	"strings"
	"time"
)

// holding is one stored license: an asset held by a user or a device.
type holding struct {
	key    AssetKey
	user   *record // nil for a device
	serial string
	at     time.Time
	event  string // the event that gave it; empty when someone else did
	by     string // id of the manager who gave it, or of its own words
	goneAt time.Time
	gone   string // how it went: an app taken back, a refund
}

func (h *holding) inDelta(int) bool { return h.gone == "" }

func (l *Location) assignmentRow(h *holding) assignmentRow {
	row := assignmentRow{AssetKey: h.key, SerialNumber: h.serial}
	if h.user != nil {
		row.ClientUserID = h.user.clientUserID
	}
	return row
}

func sameAccount(r *record, address string) bool { return strings.EqualFold(r.account, address) }

// owns tells whether a user, or any record of the account linked to them, holds the asset.
func (l *Location) owns(r *record, key AssetKey) bool {
	if l.holds(r, key) {
		return true
	}
	return r.account != "" && slices.ContainsFunc(l.withAccount(r.account), func(o *record) bool { return l.holds(o, key) })
}

func (l *Location) holds(r *record, key AssetKey) bool {
	for _, h := range r.held {
		if h.key == key {
			return true
		}
	}
	_, ok := l.generatedRow(r, key)
	return ok
}

// generatedRow is the generated license by which a generated reader holds an asset.
func (l *Location) generatedRow(r *record, key AssetKey) (int, bool) {
	t, ok := l.gen.titleOf(key.AdamID)
	if !ok || r.gen == notGenerated || key.PricingParam != STDQ {
		return 0, false
	}
	row, ok := l.gen.rowOf(t, r.gen)
	if _, gone := slices.BinarySearch(l.gone, row); gone {
		return 0, false
	}
	return row, ok
}

// target is one user or device of a request.
type target struct {
	user   *record // nil for a device, and for an unknown user
	id     string
	serial string
}

func (t target) info(keys ...AssetKey) errorInfo {
	if t.serial != "" {
		return errorInfo{Assets: keys, SerialNumbers: []string{t.serial}}
	}
	return errorInfo{Assets: keys, ClientUserIDs: []string{t.id}}
}

func (l *Location) targets(body *manageAssets) []target {
	var all []target
	for _, id := range body.ClientUserIDs {
		all = append(all, target{user: l.active(id), id: id})
	}
	for _, serial := range body.SerialNumbers {
		all = append(all, target{serial: serial})
	}
	return all
}

func (l *Location) has(t target, key AssetKey) bool {
	if t.user != nil {
		return l.owns(t.user, key)
	}
	return slices.ContainsFunc(l.devices[t.serial], func(h *holding) bool { return h.key == key })
}

// runAssociate does the work of an association: what fails leaves the rest done.
func (l *Location) runAssociate(e *event) {
	targets := l.targets(e.op.Assets)
	short := l.shortages(e.op.Assets.Assets, targets)
	var given []*holding
	for _, key := range e.op.Assets.Assets {
		for _, t := range targets {
			h, number := (*holding)(nil), e.op.Fail
			if number == 0 || len(e.assets)%2 == 0 {
				h, number = l.give(e, t, key, short[key])
			}
			if h != nil {
				given = append(given, h)
			}
			e.assets = append(e.assets, assetOutcome{
				assignmentRow{AssetKey: key, ClientUserID: t.id, SerialNumber: t.serial}, number,
			})
			switch number {
			case 0:
				e.completed++
			case 9609:
				e.fail(number, t.info())
			default:
				e.fail(number, t.info(key))
			}
		}
	}
	e.tidy()
	l.touchHeld(e.due, given)
}

// shortages tells which assets are given to nobody because they don't suffice.
func (l *Location) shortages(keys []AssetKey, targets []target) map[AssetKey]bool {
	short := map[AssetKey]bool{}
	if l.server.options.Shortage == ShortageFirstCome {
		return short
	}
	for _, key := range keys {
		accounts, need := map[string]bool{}, 0
		for _, t := range targets {
			if t.id != "" && t.user == nil || l.has(t, key) {
				continue
			}
			// Two users of one account need one license.
			if t.user == nil || t.user.account == "" || !accounts[t.user.account] {
				need++
			}
			if t.user != nil {
				accounts[t.user.account] = true
			}
		}
		a := l.assetOf[key]
		short[key] = a == nil || need > 0 && need > a.available()
		if short[key] && l.server.options.Shortage == ShortageWholeRequest {
			for _, all := range keys {
				short[all] = true
			}
			return short
		}
	}
	return short
}

// give does one task of an association: a license for a target who hasn't got one.
func (l *Location) give(e *event, t target, key AssetKey, short bool) (*holding, int) {
	a := l.assetOf[key]
	switch {
	case t.id != "" && t.user == nil:
		return nil, 9609
	case a != nil && l.has(t, key):
		if l.server.options.DuplicateAssign == DuplicateFail {
			return nil, 9616
		}
		return nil, 0
	case short || a == nil || a.available() <= 0:
		return nil, 9709
	}
	return l.hold(&holding{key: key, user: t.user, serial: t.serial, at: e.due, event: e.id, by: e.op.By}), 0
}

// hold puts a license into its holder's hands.
func (l *Location) hold(h *holding) *holding {
	a := l.assetOf[h.key]
	a.assigned++
	a.given++
	l.held = append(l.held, h)
	l.heldOf[h.key] = append(l.heldOf[h.key], h)
	if h.user == nil {
		l.devices[h.serial] = append(l.devices[h.serial], h)
		return h
	}
	l.own(h.user)
	h.user.held = append(h.user.held, h)
	return h
}

func (l *Location) touchHeld(at time.Time, given []*holding) {
	if len(given) > 0 {
		l.assetVersion.touch(at)
		l.assignVersion.touch(at, given...)
	}
}
