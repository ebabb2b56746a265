package judge

import "time"

// fact is something that the script says of the product's inputs. While a change is under way, nobody knows whether it
// has happened: then both is allowed.
type fact struct {
	possible, certain bool
	since             time.Time // from when on it has been possible
	last              time.Time // when it was last possible, if it isn't
}

// Facts are the script: who is active, who is in which group, which group wishes which book, who has asked for one.
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
	if value && !one.possible {
		one.possible, one.since = true, f.now()
	}
}

// Done says that the change to the value has happened.
func (f *Facts) Done(key string, value bool) {
	one := f.of(key)
	if one.possible && !value {
		one.last = f.now()
	}
	if !one.possible && value {
		one.since = f.now()
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

// until says that it was so until some moment since, and then not, whatever it is now.
func (f *Facts) until(key string, since time.Time) bool {
	one := f.facts[key]
	return one != nil && !one.last.IsZero() && !one.last.Before(since)
}

// began says that it has been possible from a moment on, or earlier.
func (f *Facts) began(key string, by time.Time) bool {
	return f.facts[key] != nil && !f.facts[key].since.After(by)
}

// Active is the key of: the person is active.
func Active(person string) string { return "active " + person }

// Member is the key of: the person is in the group.
func Member(group, person string) string { return "member " + group + " " + person }

// Wish is the key of: the book is required for the group.
func Wish(b Book, group string) string {
	return "wish " + b.UID + " " + b.AdamID + " " + b.Pricing + " " + group
}

// Offer is the key of: the book is available to the group.
func Offer(b Book, group string) string {
	return "offer " + b.UID + " " + b.AdamID + " " + b.Pricing + " " + group
}

// Asked is the key of: the person has asked for the book, which holds for ever.
func Asked(b Book, person string) string {
	return "request " + b.UID + " " + b.AdamID + " " + b.Pricing + " " + person
}

// Approved is the key of: a second administrator has approved that the book goes to everybody.
func Approved(b Book) string { return "approved " + b.UID + " " + b.AdamID + " " + b.Pricing }

// Everybody is the group of all people.
const Everybody = "allUsers"

// Book is a title in one quality at one location.
type Book struct{ UID, AdamID, Pricing string }
