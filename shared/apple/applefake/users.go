package applefake

import (
	"net/mail"
	"slices"
	"time"
)

// listUsers is GET /users.
func listUsers(c *call) (any, *refusal) {
	l := c.location
	active, retired := c.set("activeOnly"), c.set("retiredOnly")
	if active && retired {
		return nil, refuse(9602)
	}
	all, r := usersSince(c)
	if r != nil {
		return nil, r
	}
	if active || retired {
		all.keep = func(r *record) bool { return active && r.active() || retired && r.status == Retired }
	}
	records, paging, r := cut(c, all, l.userVersion.id())
	if r != nil {
		return nil, r
	}
	rows := make([]userRow, len(records))
	for i, record := range records {
		rows[i] = l.userRow(record)
	}
	return usersAnswer{rows, paging, c.common(false)}, nil
}

// usersSince lists the users that the query asks for, without regard to their state.
func usersSince(c *call) (listing[*record], *refusal) {
	l, id := c.location, c.query.Get("clientUserId")
	if since := c.query.Get("sinceVersionId"); since != "" {
		version, ok := l.userVersion.open(since, c.now, l.server.options.VersionTTL)
		if !ok {
			return listing[*record]{}, refuse(9721)
		}
		return listed(slices.DeleteFunc(l.userVersion.since(version), func(r *record) bool {
			return id != "" && r.clientUserID != id
		})), nil
	}
	if id != "" {
		return listed(l.withID(id)), nil
	}
	return l.everybody(), nil
}

// everybody lists all users: generated ones first.
func (l *Location) everybody() listing[*record] {
	return listing[*record]{count: l.gen.Readers, at: l.reader}.then(listed(l.records))
}

func createUsers(c *call) (any, *refusal) { return manage(c, opCreate) }
func updateUsers(c *call) (any, *refusal) { return manage(c, opUpdate) }
func retireUsers(c *call) (any, *refusal) { return manage(c, opRetire) }

// manage checks POST /users/create, update and retire, in the order: JSON, required, limits, duplicates, addresses.
func manage(c *call, kind opKind) (any, *refusal) {
	var body manageUsers
	if r := c.decode(&body); r != nil {
		return nil, r
	}
	if len(body.Users) == 0 {
		return nil, refuse(9720)
	}
	ids := make([]string, len(body.Users))
	for i, u := range body.Users {
		ids[i] = u.ClientUserID
	}
	if slices.Contains(ids, "") {
		return nil, refuse(9602)
	}
	if len(ids) > c.server.limits.MaxUsers {
		return nil, refuse(9714)
	}
	if twice := duplicates(ids); len(twice) > 0 {
		return nil, refuse(9715).about(errorInfo{ClientUserIDs: twice})
	}
	for _, u := range body.Users {
		if address, err := mail.ParseAddress(u.Email); u.Email != "" && (err != nil || address.Address != u.Email) {
			return nil, refuse(9717).about(errorInfo{ClientUserIDs: []string{u.ClientUserID}})
		}
	}
	if kind != opCreate {
		if r := c.unknownUsers(ids); r != nil {
			return nil, r
		}
	}
	return c.submit(op{Kind: kind, Users: body.Users})
}

// unknownUsers refuses a request at once for its unknown users, if the switch says so.
func (c *call) unknownUsers(ids []string) *refusal {
	if c.server.options.UnknownUser != UnknownUserSync {
		return nil
	}
	var unknown []string
	for _, id := range ids {
		if c.location.active(id) == nil {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return refuse(9609).about(errorInfo{ClientUserIDs: unknown})
}

// runUsers does the work of a users event.
func (l *Location) runUsers(e *event) {
	var changed []*record
	for i, u := range e.op.Users {
		r, more, number := l.runUser(e.op.Kind, u, e.n<<8|uint64(i), e.due)
		changed = append(changed, more...)
		row := userRow{ClientUserID: u.ClientUserID, Email: u.Email}
		if r != nil {
			row = l.userRow(r)
		}
		e.users = append(e.users, userOutcome{row, number})
		if number == 0 {
			e.completed++
			continue
		}
		e.fail(number, errorInfo{ClientUserIDs: []string{u.ClientUserID}})
	}
	l.touchUsers(e.due, changed...)
}

// runUser does one task of a users event. It returns the user, what changed, and the number of the failure or 0.
func (l *Location) runUser(kind opKind, u requestUser, n uint64, at time.Time) (*record, []*record, int) {
	r := l.active(u.ClientUserID)
	refused := 0
	if u.ManagedAppleID != "" {
		refused = l.linkError(u.ClientUserID, u.ManagedAppleID)
	}
	switch kind {
	case opCreate:
		if r != nil {
			return r, nil, 9716
		}
		if refused != 0 && !l.server.options.RegisterOnLinkFailure {
			return nil, nil, refused
		}
		r = l.register(u.ClientUserID, u.Email, n)
		if refused != 0 || u.ManagedAppleID == "" {
			return r, []*record{r}, refused
		}
		r.invite = "" // the account is linked without an invitation
		return r, l.link(r, u.ManagedAppleID), 0
	case opUpdate:
		if r == nil {
			return nil, nil, 9609
		}
		return l.update(r, u, refused)
	default:
		if r == nil {
			return nil, nil, 9609
		}
		l.own(r)
		r.status = Retired
		l.takeBack(at, slices.DeleteFunc(slices.Clone(r.held), func(h *holding) bool { return !l.assetOf[h.key].revocable() }))
		return r, []*record{r}, 0
	}
}

// update changes a user; what the request leaves out stays. An account that is linked stays linked.
func (l *Location) update(r *record, u requestUser, refused int) (*record, []*record, int) {
	if u.ManagedAppleID != "" && r.account != "" && refused == 0 && !sameAccount(r, u.ManagedAppleID) {
		refused = 9635
	}
	if refused != 0 {
		return r, nil, refused
	}
	l.own(r)
	if u.Email != "" {
		r.email = u.Email
	}
	if u.ManagedAppleID == "" || r.account != "" {
		return r, []*record{r}, 0
	}
	return r, l.link(r, u.ManagedAppleID), 0
}
