package applefake

import (
	"iter"
	"time"
)

// User is one user as the fake's own books have it. Several may share a ClientUserID; at most one of them is active.
type User struct {
	ClientUserID string
	Email        string
	Status       string // Registered, Associated, Retired, Deleted
	Account      string // the linked account, which Apple names only by its IDHash
	IDHash       string
	InviteCode   string
}

// Users goes through all users, generated ones included, in the order of the listing. The fake is locked meanwhile.
func (l *Location) Users() iter.Seq[User] {
	return func(yield func(User) bool) {
		defer l.open()()
		for r := range l.everybody().each() {
			if !yield(l.user(r)) {
				return
			}
		}
	}
}

// User is the one active user with this id, if there is one.
func (l *Location) User(clientUserID string) (User, bool) {
	defer l.open()()
	r := l.active(clientUserID)
	if r == nil {
		return User{}, false
	}
	return l.user(r), true
}

func (l *Location) user(r *record) User {
	row := l.userRow(r)
	return User{row.ClientUserID, row.Email, row.Status, r.account, row.IDHash, row.InviteCode}
}

// NextDue is when the next event ends or the next notification is due, whichever is first, for those who move the clock
// themselves. It is false when nothing is under way.
func (s *Server) NextDue() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var next time.Time
	earlier := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for _, l := range s.locations {
		if len(l.pending) > 0 {
			earlier(l.pending[0].due)
		}
	}
	for _, p := range s.posts {
		earlier(p.due)
	}
	return next, !next.IsZero()
}
