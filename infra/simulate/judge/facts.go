package judge

import "time"

// fact is something that the script says of the product's inputs. While a change is under way, nobody knows whether it
// has happened: then both is allowed.
type fact struct {
	possible, certain bool
	last              time.Time // when it was last possible, if it isn't
}

// Facts are the script: who is active, who is in which group, which group wishes which book.
type Facts struct {
	now   func() time.Time
	facts map[string]*fact
}

func newFacts(now func() time.Time) *Facts { return &Facts{now, map[string]*fact{}} }

func (f *Facts) of(key string) *fact {
	if f.facts[key] == nil {
		f.facts[key] = &fact{}
	}
	return f.facts[key]
}

// Begin says that a change to the value begins, whose success isn't known yet.
func (f *Facts) Begin(key string, value bool) {
	one := f.of(key)
	one.certain = false
	if value {
		one.possible = true
	}
}

// Done says that the change to the value has happened.
func (f *Facts) Done(key string, value bool) {
	one := f.of(key)
	if one.possible && !value {
		one.last = f.now()
	}
	one.possible, one.certain = value, value
}

// Is says that it is certainly so.
func (f *Facts) Is(key string) bool { return f.facts[key] != nil && f.facts[key].certain }

// within says that it may have been so at a moment since.
func (f *Facts) within(key string, since time.Time) bool {
	one := f.facts[key]
	return one != nil && (one.possible || !one.last.Before(since) && !one.last.IsZero())
}

// Active is the key of: the person is active.
func Active(person string) string { return "active " + person }

// Member is the key of: the person is in the group.
func Member(group, person string) string { return "member " + group + " " + person }

// Wish is the key of: the book is required for the group.
func Wish(b Book, group string) string {
	return "wish " + b.UID + " " + b.AdamID + " " + b.Pricing + " " + group
}

// Book is a title in one quality at one location.
type Book struct{ UID, AdamID, Pricing string }
