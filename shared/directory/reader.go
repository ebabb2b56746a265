package directory

import (
	"context"
	"errors"
	"iter"

	"github.com/bookplate/bookplate/shared/table"
)

// Reader is the reading half of the directory. All reads are strongly consistent except GroupsOf.
type Reader struct{ table table.Reader }

// NewReader reads from t.
func NewReader(t table.Reader) *Reader { return &Reader{t} }

// Person returns somebody who isn't deleted; otherwise a problem of kind NotFound.
func (r *Reader) Person(ctx context.Context, id string) (Person, error) {
	return Person{}, errors.ErrUnsupported
}

// PersonEvenDeleted returns somebody who is or once was in the directory; otherwise a problem of kind NotFound.
func (r *Reader) PersonEvenDeleted(ctx context.Context, id string) (Person, error) {
	return Person{}, errors.ErrUnsupported
}

// People returns those of the ids that are or once were in the directory, by id, deleted ones included: look at Active
// before you give them anything. Ids may repeat and may be any number.
func (r *Reader) People(ctx context.Context, ids []string) (map[string]Person, error) {
	return nil, errors.ErrUnsupported
}

// Group returns a group that isn't deleted; otherwise a problem of kind NotFound.
func (r *Reader) Group(ctx context.Context, id string) (Group, error) {
	return Group{}, errors.ErrUnsupported
}

// GroupEvenDeleted returns a group that is or once was in the directory; otherwise a problem of kind NotFound.
func (r *Reader) GroupEvenDeleted(ctx context.Context, id string) (Group, error) {
	return Group{}, errors.ErrUnsupported
}

// MembersOf yields the ids of the people in a group, in a stable order that isn't alphabetical. Some may be unknown
// (the provider named them before it created them), inactive or deleted: ask People. It doesn't look whether the
// group exists. After an error the walk ends.
func (r *Reader) MembersOf(ctx context.Context, groupID string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield("", errors.ErrUnsupported) }
}

// AreMembers says which of the ids are in the group; ids that aren't, aren't in the map. Ids may repeat and may be any
// number. It looks neither whether the group exists nor whether the people are active: membership alone is no right
// (law 3 asks for Person.Active too).
func (r *Reader) AreMembers(ctx context.Context, groupID string, ids []string) (map[string]bool, error) {
	return nil, errors.ErrUnsupported
}

// Outsiders is what a group holds besides people.
type Outsiders struct {
	// Count is how many there are, up to a bound of 1,000; More says that the bound was reached.
	Count int
	More  bool
	// Types counts the ones looked at by type, e.g. "Device": 3.
	Types map[string]int
}

// Others says what a group holds that isn't people: devices, groups in groups. They never get a book.
func (r *Reader) Others(ctx context.Context, groupID string) (Outsiders, error) {
	return Outsiders{}, errors.ErrUnsupported
}

// GroupsOf returns the ids of the groups that a person is in, by an index: a change of the last moments may be missing,
// and a group may be deleted. Never decide a spend by it; ask AreMembers.
func (r *Reader) GroupsOf(ctx context.Context, personID string) ([]string, error) {
	return nil, errors.ErrUnsupported
}
