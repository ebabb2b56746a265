package mark

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

// Kind is the sort of work.
type Kind string

// The kinds. A worker does what is due in the order of Order, whatever the order of the marks.
const (
	Settle  Kind = "settle"  // subject: a batch id; find out what became of it
	Grants  Kind = "grants"  // subject: SubjectAll, SubjectBook or SubjectGroup; give what the wishes ask for; or SubjectNext
	Later   Kind = "later"   // the same, from a moment on that lies ahead; apart, so that it never puts off what is due
	Retire  Kind = "retire"  // subject: SubjectAll; retire the readers for whom that was ordered
	Readers Kind = "readers" // subject: SubjectAll, or an event id to look at
	Plan    Kind = "plan"    // subject: the id of a plan of many people, to be computed
	Sync    Kind = "sync"    // subject: why, one of the Sync… below
)

// Subjects of marks.
const (
	SubjectAll   = "all"
	SubjectNext  = "next"     // of grants: nothing new is asked for; give what was found before and has had to wait its turn
	SyncSchedule = "schedule" // twice a day
	SyncUpload   = "upload"   // a token has come
	SyncOrder    = "order"    // somebody wants it now
	SyncFull     = "full"     // somebody wants everything to be read, now
	SyncSpent    = "spent"    // licenses were given: the counts have changed
)

// SubjectBook is the subject of a grants mark for one book.
func SubjectBook(bookID string) string { return "book:" + bookID }

// SubjectGroup is the subject of a grants mark for all books that are wished for one group.
func SubjectGroup(groupID string) string { return "group:" + groupID }

// Order is the rank in which kinds are worked off: what was spent is settled before more is spent, and a sync, the
// longest, comes last.
func (k Kind) Order() int {
	return slices.Index([]Kind{Settle, Grants, Later, Retire, Readers, Plan, Sync}, k)
}

// Mark is one item.
type Mark struct {
	Location string
	Kind     Kind
	Subject  string
	Due      time.Time
	version  string
}

type body struct {
	Due time.Time `json:"due"`
}

func key(location string, kind Kind, subject string) table.Key {
	return table.Key{Part: part(location), Sort: string(kind) + "#" + subject}
}

// part is where a location's marks are: few items, written with every change that makes work for the location.
func part(location string) string { return "marks#" + location }

// New is the op that puts a mark, or puts an existing one off or forward to due. It belongs into the Commit that makes
// the work.
func New(location string, kind Kind, subject string, due time.Time) table.Op {
	data := `{"due":"` + due.UTC().Format(time.RFC3339Nano) + `"}`
	return table.Put(table.Item{Key: key(location, kind, subject), Body: []byte(data)}, table.Any())
}

// Done is the op that removes the mark if it is still the one that was read.
func (m Mark) Done() table.Op {
	return table.Delete(key(m.Location, m.Kind, m.Subject), table.At(m.version))
}

// Read returns all marks of a location, in no particular order.
func Read(ctx context.Context, store *table.ReadStore, location string) ([]Mark, error) {
	var marks []Mark
	for doc, err := range table.Docs[body](store.Each(ctx, table.Range{Part: part(location)})) {
		if err != nil {
			return nil, fmt.Errorf("reading the marks of location %s: %w", location, err)
		}
		kind, subject, _ := strings.Cut(doc.Key.Sort, "#")
		marks = append(marks, Mark{location, Kind(kind), subject, doc.Value.Due, doc.Version})
	}
	return marks, nil
}

// Next is the earliest time at which a mark of the list is due; zero for an empty list.
func Next(marks []Mark) time.Time {
	var next time.Time
	for _, m := range marks {
		if next.IsZero() || m.Due.Before(next) {
			next = m.Due
		}
	}
	return next
}
