package applefake

import (
	"iter"
	"sort"
)

// someoneElse is who gave the licenses that no event of ours has given.
const someoneElse = "someone else"

// listAssignments is GET /assignments. The order of rows is: generated ones by title, then as they were given.
func listAssignments(c *call) (any, *refusal) {
	l := c.location
	all, r := assignmentsAsked(c)
	if r != nil {
		return nil, r
	}
	held, paging, r := cut(c, all, l.assignVersion.id())
	if r != nil {
		return nil, r
	}
	state := c.set("includeUserState")
	rows := make([]assignmentRow, len(held))
	for i, h := range held {
		rows[i] = l.assignmentRow(h)
		if state && h.user != nil {
			user := l.userRow(h.user.now())
			rows[i].UserStatus, rows[i].IDHash = user.Status, user.IDHash
		}
	}
	return assignmentsAnswer{rows, paging, c.common(false)}, nil
}

// assignmentQuery is what a listing of assignments is asked for.
type assignmentQuery struct {
	AssetKey
	id, serial, since string
	active            bool
}

func (q assignmentQuery) everything() bool { return q == assignmentQuery{since: q.since} }

func (q assignmentQuery) keep(h *holding) bool {
	id, active := "", true
	if h.user != nil {
		id, active = h.user.clientUserID, !q.active || h.user.now().active()
	}
	return active && asked(q.AdamID, h.key.AdamID) && asked(q.PricingParam, h.key.PricingParam) &&
		asked(q.id, id) && asked(q.serial, h.serial)
}

// assignmentsAsked lists the licenses that the query asks for, starting from the smallest list that has them all.
func assignmentsAsked(c *call) (listing[*holding], *refusal) {
	l, values := c.location, c.query
	q := assignmentQuery{
		AssetKey: AssetKey{values.Get("adamId"), values.Get("pricingParam")}, id: values.Get("clientUserId"),
		serial: values.Get("serialNumber"), since: values.Get("sinceVersionId"), active: c.set("excludeInactiveUsers"),
	}
	all := l.all()
	switch {
	case q.since != "":
		version, ok := l.assignVersion.open(q.since, c.now, l.server.options.VersionTTL)
		if !ok {
			return all, refuse(9721)
		}
		all = listed(l.assignVersion.since(version))
	case q.serial != "":
		all = listed(l.devices[q.serial])
	case q.id != "":
		all = listed(l.heldBy(q.id))
	case q.AdamID != "":
		all = l.ofTitle(q.AdamID)
	}
	if !q.everything() {
		all.keep = q.keep
	}
	return all, nil
}

// all lists all licenses: the generated ones that haven't gone, and the stored ones.
func (l *Location) all() listing[*holding] {
	return listing[*holding]{count: l.gen.Licenses - len(l.gone), at: l.generatedAt}.then(listed(l.held))
}

// generatedAt is the i-th generated license of those that haven't gone.
func (l *Location) generatedAt(i int) *holding {
	gone := sort.Search(len(l.gone), func(j int) bool { return l.gone[j]-j > i })
	return l.generatedHolding(i + gone)
}

func (l *Location) generatedHolding(row int) *holding {
	title, reader := l.gen.row(row)
	return &holding{key: l.gen.key(title), user: l.reader(reader), by: someoneElse}
}

// ofTitle lists the licenses of a title in both qualities.
func (l *Location) ofTitle(adamID string) listing[*holding] {
	stored := listed(l.heldOf[AssetKey{adamID, STDQ}]).then(listed(l.heldOf[AssetKey{adamID, PLUS}]))
	t, ok := l.gen.titleOf(adamID)
	if !ok {
		return stored
	}
	before := func(row int) int { return row - sort.SearchInts(l.gone, row) } // how many that haven't gone
	first := before(l.gen.starts[t])
	count := before(l.gen.starts[t+1]) - first
	return listing[*holding]{count: count, at: func(i int) *holding { return l.generatedAt(first + i) }}.then(stored)
}

// heldBy lists the licenses of all records of a client user id.
func (l *Location) heldBy(clientUserID string) []*holding {
	var all []*holding
	for _, r := range l.withID(clientUserID) {
		if r.gen != notGenerated {
			for t := range l.gen.Titles {
				if row, ok := l.generatedRow(r, l.gen.key(t)); ok {
					all = append(all, l.generatedHolding(row))
				}
			}
		}
		all = append(all, r.held...)
	}
	return all
}

// each goes through a listing in its order.
func (l listing[T]) each() iter.Seq[T] {
	return func(yield func(T) bool) {
		for i := range l.count {
			if !yield(l.at(i)) {
				return
			}
		}
	}
}
