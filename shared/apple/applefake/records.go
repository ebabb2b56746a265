package applefake

import (
	"slices"
	"strings"
	"time"
)

// record is one row of users. Several may have the same client user id; at most one of them is active.
type record struct {
	clientUserID string
	email        string
	account      string // the linked account, lower case; it stays when the user retires
	status       string
	invite       string
	gen          int // number of a generated reader, or notGenerated
	version      int // of the users in which it last changed
	held         []*holding
	into         *record // the newer record that this one's account has moved to (Deleted)
}

const notGenerated = -1

func (r *record) inDelta(version int) bool { return r.version == version }

func (r *record) active() bool { return r.status == Registered || r.status == Associated }

// now is the record that stands for r's licenses today.
func (r *record) now() *record {
	for r.into != nil {
		r = r.into
	}
	return r
}

func (l *Location) userRow(r *record) userRow {
	row := userRow{ClientUserID: r.clientUserID, Email: r.email, InviteCode: r.invite, Status: r.status}
	if r.account != "" {
		row.IDHash = idHash(l.server.options.Seed, r.account)
	}
	return row
}

// reader is a generated reader as they are now.
func (l *Location) reader(i int) *record {
	if r := l.changed[i]; r != nil {
		return r
	}
	return l.gen.reader(i)
}

// withID lists all records of a client user id, the oldest first.
func (l *Location) withID(clientUserID string) []*record {
	all := l.recordsOf[clientUserID]
	if i, ok := l.gen.byID(clientUserID); ok && l.changed[i] == nil {
		return append([]*record{l.gen.reader(i)}, all...)
	}
	return all
}

// active is the one active record of a client user id, or nil.
func (l *Location) active(clientUserID string) *record {
	for _, r := range l.withID(clientUserID) {
		if r.active() {
			return r
		}
	}
	return nil
}

// withAccount lists all records that an account is or was linked to.
func (l *Location) withAccount(account string) []*record {
	all := l.byAccount[account]
	if i, ok := l.gen.byAccount(account); ok && l.changed[i] == nil {
		return append([]*record{l.gen.reader(i)}, all...)
	}
	return all
}

// own makes a record ours to change: a generated reader is stored from then on.
func (l *Location) own(r *record) {
	if r.gen == notGenerated || l.changed[r.gen] != nil {
		return
	}
	l.changed[r.gen] = r
	l.recordsOf[r.clientUserID] = append([]*record{r}, l.recordsOf[r.clientUserID]...)
	if r.account != "" {
		l.byAccount[r.account] = append([]*record{r}, l.byAccount[r.account]...)
	}
	if r.invite != "" {
		l.byInvite[r.invite] = r
	}
}

// touchUsers makes a new version of the users with these records changed.
func (l *Location) touchUsers(at time.Time, records ...*record) {
	if len(records) == 0 {
		return
	}
	next := l.userVersion.current() + 1
	records = slices.Clone(records)
	slices.Reverse(records) // a record that changed twice shows once, as it is at the end
	var rows []*record
	for _, r := range records {
		if r.version != next {
			r.version = next
			rows = append(rows, r)
		}
	}
	slices.Reverse(rows)
	l.userVersion.touch(at, rows...)
}

// register makes a user Registered: anew, or the last retired record of the same id if no account was ever linked to it.
// (Old API: "same record if never linked".)
func (l *Location) register(clientUserID, email string, n uint64) *record {
	for _, r := range slices.Backward(l.withID(clientUserID)) {
		if r.status == Retired && r.account == "" {
			l.own(r)
			r.status = Registered
			if email != "" {
				r.email = email
			}
			return r
		}
	}
	r := &record{
		clientUserID: clientUserID, email: email, gen: notGenerated, status: Registered,
		invite: l.ids.code(kindInvite, n),
	}
	for _, older := range l.withID(clientUserID) {
		l.own(older) // so that the order of the records is the order of their making
	}
	l.records = append(l.records, r)
	l.recordsOf[clientUserID] = append(l.recordsOf[clientUserID], r)
	l.byInvite[r.invite] = r
	return r
}

// linkError is the number with which linking a managed account to a user is refused, or 0.
func (l *Location) linkError(clientUserID, address string) int {
	account := strings.ToLower(address)
	_, domain, _ := strings.Cut(account, "@")
	managed := l.accounts[account] || slices.ContainsFunc(l.spec.Domains, func(d string) bool {
		return strings.EqualFold(d, domain)
	})
	if !managed {
		return 9635
	}
	if l.taken[account] {
		return 9641
	}
	for _, r := range l.withAccount(account) {
		if r.active() && r.clientUserID != clientUserID {
			return 9641
		}
	}
	return 0
}

// link links an account. Older records of the same id whose account it was move into this one with their books.
// It returns all records that changed.
func (l *Location) link(r *record, address string) []*record {
	l.own(r)
	account := strings.ToLower(address)
	changed := []*record{r}
	for _, older := range l.withAccount(account) {
		if older != r && older.clientUserID == r.clientUserID && older.status == Retired {
			l.own(older)
			older.status, older.into = Deleted, r
			changed = append(changed, older)
		}
	}
	r.account, r.status = account, Associated
	l.byAccount[account] = append(l.byAccount[account], r)
	return changed
}
