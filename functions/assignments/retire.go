package assignments

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/token"
)

// maxReason is how long the reason of an order may be, in characters.
const maxReason = 500

// retirement is an order to retire a reader, or to restore one, as clients read it.
type retirement struct {
	ClientUserID string                 `json:"clientUserId"`
	PersonID     string                 `json:"personId"`
	DisplayName  string                 `json:"displayName"`
	Location     string                 `json:"locationId"`
	Generation   int                    `json:"generation"`
	State        reader.RetirementState `json:"state"`
	OrderedBy    string                 `json:"orderedBy"`
	Ordered      time.Time              `json:"orderedDateTime"`
	Reason       string                 `json:"reason"`
	BooksKept    int                    `json:"booksKept"` // titles that the person has in this location, and keeps
	Note         string                 `json:"note"`
}

const (
	retireNote = "The books stay with the person's Apple Account for good: Apple takes none back, and they keep counting as " +
		"given. The reader is retired at Apple as soon as nothing is under way for them; GET the reader to see when that is " +
		"done. Until somebody restores the reader (POST …/restore), the person gets nothing more in this location, whatever is " +
		"assigned to their groups."
	restoreNote = "The person may be a reader of this location again, under a new clientUserId: if an assignment covers them, Apple " +
		"is asked to create it. Titles that they have aren't given to them again."
)

// retire orders that a reader be retired at Apple. The location's worker does it.
func (s server) retire(w http.ResponseWriter, r *http.Request) error {
	return s.orderReader(w, r, s.desk().Retire, retireNote)
}

// restore lets the person of a retired reader be a reader again.
func (s server) restore(w http.ResponseWriter, r *http.Request) error {
	return s.orderReader(w, r, s.desk().Restore, restoreNote)
}

func (s server) desk() reader.Desk { return reader.Desk{Store: s.Store, World: s.World} }

type readerOrder func(ctx context.Context, one reader.Reader, by, why string) (reader.Retirement, error)

func (s server) orderReader(w http.ResponseWriter, r *http.Request, order readerOrder, note string) error {
	var body struct {
		Reason string `json:"reason"`
	}
	if err := graph.ReadBody(w, r, maxBody, &body); err != nil {
		return err
	}
	why := strings.TrimSpace(body.Reason)
	if why == "" || utf8.RuneCountInString(why) > maxReason {
		return problem.New(problem.Invalid, "", "Say why, in at most %d characters: {\"reason\": \"…\"}. It is kept with the act.",
			maxReason).At("reason")
	}
	ctx := r.Context()
	one, err := s.reader(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	done, err := order(ctx, one, auth.From(ctx).Subject, why)
	if err != nil {
		return err
	}
	s.wake(ctx, one.Location)
	person, err := s.Directory.People(ctx, []string{one.PersonID})
	if err != nil {
		return err
	}
	kept, err := s.keeps(ctx, one)
	if err != nil {
		return err
	}
	graph.WriteEntity(w, r, http.StatusAccepted, "bookplate/readers/$entity", retirement{
		ClientUserID: one.ClientUserID, PersonID: one.PersonID, DisplayName: person[one.PersonID].Name(), Location: one.Location,
		Generation: done.Current(), State: done.State, OrderedBy: done.By, Ordered: done.Ordered, Reason: done.Why,
		BooksKept: kept, Note: note,
	})
	return nil
}

// reader is the reader with that clientUserId, in whichever location that has a token.
func (s server) reader(ctx context.Context, id string) (reader.Reader, error) {
	tokens, err := token.All(ctx, s.Store.ReadStore)
	if err != nil {
		return reader.Reader{}, err
	}
	locations := make([]string, len(tokens))
	for i, doc := range tokens {
		locations[i] = doc.Value.Location
	}
	doc, foreign, err := reader.Find(ctx, s.Store.ReadStore, locations, door.ID(id))
	if err == nil && foreign {
		err = problem.New(problem.Conflict, "ForeignReader", "Bookplate didn't make the reader %.80q: another product did, or "+
			"somebody in Apple's portal. Bookplate never retires, restores or changes such readers. Retire them where they were "+
			"made.", id)
	}
	return doc.Value, err
}

// keeps counts the titles that Apple lists for the person in the reader's location.
func (s server) keeps(ctx context.Context, one reader.Reader) (int, error) {
	docs, err := license.Of(ctx, s.Store.ReadStore, one.PersonID)
	n := 0
	for _, doc := range docs {
		if doc.Value.HasIn(one.Location) {
			n++
		}
	}
	return n, err
}
