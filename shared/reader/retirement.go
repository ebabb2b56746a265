package reader

import (
	"context"
	"fmt"
	"time"

	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// RetirementState is how far a retirement is.
type RetirementState string

// The states of a retirement.
const (
	Ordered RetirementState = "ordered" // the person gets nothing more; the worker has yet to tell Apple, or to hear that it is so
	Done    RetirementState = "done"    // Apple has retired the reader, or has none
	// Restored: the person may be a reader again, as another generation.
	Restored RetirementState = "restored"
)

// Retirement is an administrator's order that a person be no reader of a location any more. There is one for a location
// and a person, of their last retirement: earlier ones are in the acts. It is written by Commit only, and a person's
// generation follows from it alone.
type Retirement struct {
	Location     string          `json:"location"`
	PersonID     string          `json:"personId"`
	ClientUserID string          `json:"clientUserId"`
	Generation   int             `json:"generation"` // the one that retires
	State        RetirementState `json:"state"`
	By           string          `json:"by"` // auth.Caller.Subject
	Why          string          `json:"why"`
	Ordered      time.Time       `json:"ordered"`
	Asked        time.Time       `json:"asked,omitzero"` // when Apple was last asked
	Ended        time.Time       `json:"ended,omitzero"` // when it was done
	RestoredBy   string          `json:"restoredBy,omitempty"`
	Restored     time.Time       `json:"restored,omitzero"`
}

// RetirementDoc is a retirement with its place in the table.
type RetirementDoc = table.Doc[Retirement]

func retirementKey(location, personID string) table.Key {
	return table.Key{Part: "retirements#" + location, Sort: personID}
}

// Current is the person's generation now.
func (r Retirement) Current() int {
	if r.State == Restored {
		return r.Generation + 1
	}
	return r.Generation
}

// Of says that the retirement is the reader's, and not that of an earlier or later generation.
func (r Retirement) Of(one Reader) bool { return r.State != "" && r.Generation == one.Generation }

// again is the reader that a restored person will be, before Apple is asked for it.
func (r Retirement) again(clientUserID string) Reader {
	return Reader{
		Location: r.Location, ClientUserID: clientUserID, PersonID: r.PersonID, Generation: r.Current(), Status: New,
		Created: r.Restored, Changed: r.Restored,
	}
}

// Retirements are the retirements of a location, by personId. They are few, and one query.
func Retirements(ctx context.Context, store *table.ReadStore, location string) (map[string]RetirementDoc, error) {
	all := make(map[string]RetirementDoc)
	at := table.Range{Part: retirementKey(location, "").Part}
	for doc, err := range table.Docs[Retirement](store.Each(ctx, at)) {
		if err != nil {
			return nil, fmt.Errorf("reading who was retired in location %s: %w", location, err)
		}
		all[doc.Value.PersonID] = doc
	}
	return all, nil
}

// Desk takes orders to retire readers and to restore them. It stores the order and marks the work; the location's worker
// speaks with Apple.
type Desk struct {
	Store *table.Store
	World world.World
}

// Retire orders that the reader be retired, and returns the order. Ordering again changes nothing.
func (d Desk) Retire(ctx context.Context, one Reader, by, why string) (Retirement, error) {
	return d.change(ctx, one, func(r Retirement, present bool) (Retirement, act.Kind, string, error) {
		switch {
		case present && r.Generation == one.Generation && r.State != Restored:
			return r, "", "", nil
		case present && r.Current() != one.Generation:
			return r, "", "", former(one)
		}
		r = Retirement{
			Location: one.Location, PersonID: one.PersonID, ClientUserID: one.ClientUserID, Generation: one.Generation,
			State: Ordered, By: by, Why: why, Ordered: d.World.Now(),
		}
		return r, act.ReaderRetired, fmt.Sprintf("The reader of person %s in location %s is to be retired: %s",
			one.PersonID, one.Location, why), nil
	})
}

// Restore lets the person of a retired reader be a reader again, as a new generation, and returns the ended retirement.
// Restoring again changes nothing.
func (d Desk) Restore(ctx context.Context, one Reader, by, why string) (Retirement, error) {
	return d.change(ctx, one, func(r Retirement, present bool) (Retirement, act.Kind, string, error) {
		now := d.World.Now()
		switch {
		case present && r.Generation == one.Generation && r.State == Restored:
			return r, "", "", nil
		case present && r.Current() != one.Generation:
			return r, "", "", former(one)
		case present && r.State == Ordered:
			return r, "", "", problem.New(problem.Conflict, "RetirementUnderWay", "The reader is being retired, which can't be "+
				"stopped. Restore them when it is done: GET /v1.0/bookplate/readers/%s tells.", one.ClientUserID)
		case present && r.State == Done:
		case one.Status == Retired: // by others, at Apple
			r = Retirement{
				Location: one.Location, PersonID: one.PersonID, ClientUserID: one.ClientUserID, Generation: one.Generation,
				By: "somebody else, at Apple", Ordered: one.Changed, Ended: one.Changed,
			}
		default:
			return r, "", "", problem.New(problem.Conflict, "NotRetired", "The reader isn't retired but %s, so there is nothing to "+
				"restore.", one.Status)
		}
		r.State, r.RestoredBy, r.Restored = Restored, by, now
		return r, act.ReaderRestored, fmt.Sprintf("Person %s may be a reader of location %s again, as generation %d: %s",
			one.PersonID, one.Location, r.Current(), why), nil
	})
}

func former(one Reader) error {
	return problem.New(problem.Conflict, "FormerReader", "The reader was retired, and the person is another reader of the location "+
		"now. GET /v1.0/bookplate/readers?location=%s names that one.", one.Location)
}

// change stores what next makes of a retirement, with the act and the marks, again from the start when somebody else was
// faster. An empty kind means that nothing is to be stored.
func (d Desk) change(
	ctx context.Context, one Reader, next func(r Retirement, present bool) (Retirement, act.Kind, string, error),
) (Retirement, error) {
	for {
		doc, err := table.LoadOrZero[Retirement](ctx, d.Store.ReadStore, retirementKey(one.Location, one.PersonID))
		if err != nil {
			return Retirement{}, fmt.Errorf("reading the retirement of reader %s: %w", one.ClientUserID, err)
		}
		after, kind, text, err := next(doc.Value, doc.Version != "")
		if err != nil || kind == "" {
			return after, err
		}
		by := after.By
		if kind == act.ReaderRestored {
			by = after.RestoredBy
		}
		told, err := act.New(d.World, by, kind, one.ClientUserID, text)
		if err != nil {
			return Retirement{}, err
		}
		doc.Value = after
		save, err := doc.Save()
		if err != nil {
			return Retirement{}, err
		}
		now := d.World.Now()
		work := mark.Retire
		if kind == act.ReaderRestored {
			work = mark.Readers
		}
		_, err = d.Store.Commit(
			ctx, save, told,
			mark.New(one.Location, work, mark.SubjectAll, now),
			mark.New(one.Location, mark.Grants, mark.SubjectAll, now), // whoever waits is told why, or goes on
		)
		if err == nil {
			return after, nil
		}
		if !isConflict(err) {
			return Retirement{}, fmt.Errorf("storing the retirement of reader %s: %w", one.ClientUserID, err)
		}
	}
}
