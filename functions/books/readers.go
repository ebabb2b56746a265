package books

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/token"
)

// showedReader is a person as Apple knows them in a location.
type showedReader struct {
	who
	Email        string        `json:"email"`
	Status       reader.Status `json:"status"`
	Location     string        `json:"locationId"`
	LocationName string        `json:"locationName"`
	ClientUserID string        `json:"clientUserId"`
	Generation   int           `json:"generation"` // rises when the reader is restored after a retirement
	Account      string        `json:"managedAppleAccount,omitempty"`
	Since        time.Time     `json:"sinceDateTime"`
	// InvitationURL is where the person links an Apple Account; null unless invited, or while Apple can't be asked.
	InvitationURL *string  `json:"invitationUrl"`
	Refusal       *refusal `json:"refusal"`
	// Retirement is the order to retire this reader, null without one.
	Retirement *retirement `json:"retirement"`
}

// retirement is an order to retire a reader, and how far it is.
type retirement struct {
	State    reader.RetirementState `json:"state"`
	By       string                 `json:"orderedBy"`
	Reason   string                 `json:"reason"`
	Ordered  time.Time              `json:"orderedDateTime"`
	Ended    *time.Time             `json:"endedDateTime"`
	Restored *time.Time             `json:"restoredDateTime"`
	Text     string                 `json:"text"`
	Next     string                 `json:"next"`
}

// refusal is Apple's word against a reader.
type refusal struct {
	Number  int       `json:"number"`
	Account string    `json:"managedAppleAccount,omitempty"`
	At      time.Time `json:"dateTime"`
	Next    string    `json:"next"`
}

// note stands in every list of readers, so that nobody waits for mails that nobody sends.
const note = "Bookplate doesn't mail invitations yet. Send each person their own invitationUrl; " +
	"this list as $format=csv fits a mail merge."

// readers lists the people of a location as Apple knows them.
func (s server) readers(w http.ResponseWriter, r *http.Request) error {
	status, err := readStatus(r)
	if err != nil {
		return err
	}
	location, record, err := s.place(r)
	if err != nil {
		return err
	}
	name := location
	if record != nil {
		name = record.LocationName
	}
	read := func(limit int, cursor string) ([]showedReader, string, error) {
		return s.readerPage(r.Context(), location, name, status, limit, cursor)
	}
	plain, f, ok, err := wantsFile(r, csvFormat())
	if err != nil {
		return err
	}
	if ok {
		return answerFile(w, r, plain, f, mailMerge(), read)
	}
	q, err := asked(r)
	if err != nil {
		return err
	}
	shown, next, err := gather(q.Size(), q, read)
	if err != nil {
		return err
	}
	graph.WriteEntity(w, r, http.StatusOK, "bookplate/readers", struct {
		NextLink string         `json:"@odata.nextLink,omitempty"`
		Note     string         `json:"note"`
		Value    []showedReader `json:"value"`
	}{graph.NextLink(r, next), note, append([]showedReader{}, shown...)})
	return nil
}

// mailMerge is how readers look in a file.
func mailMerge() sheet[showedReader] {
	return sheet[showedReader]{
		name: "readers", header: []string{"name", "userName", "email", "location", "invitationUrl", "invitedSince"},
		cells: func(one showedReader) []string {
			link := ""
			if one.InvitationURL != nil {
				link = *one.InvitationURL
			}
			return []string{
				one.DisplayName, one.UserName, one.Email, one.LocationName, link, one.Since.UTC().Format(time.RFC3339),
			}
		},
	}
}

func readStatus(r *http.Request) (reader.Status, error) {
	status := reader.Status(strings.ToLower(r.URL.Query().Get("status")))
	all := []reader.Status{reader.New, reader.Invited, reader.Associated, reader.Retired}
	if status != "" && !slices.Contains(all, status) {
		return "", problem.New(problem.Invalid, "", "A reader's status is new, invited, associated or retired.").At("status")
	}
	return status, nil
}

func (s server) readerPage(
	ctx context.Context, location, locationName string, status reader.Status, limit int, cursor string,
) ([]showedReader, string, error) {
	page, next, err := reader.PageOf(ctx, s.Store, location, limit, cursor)
	if err != nil {
		return nil, "", err
	}
	page = slices.DeleteFunc(page, func(one reader.Reader) bool { return status != "" && one.Status != status })
	shown, err := s.showReaders(ctx, location, locationName, page)
	return shown, next, err
}

// reader shows one reader, by the clientUserId.
func (s server) reader(w http.ResponseWriter, r *http.Request) error {
	tokens, err := token.All(r.Context(), s.Store)
	if err != nil {
		return err
	}
	names := make(map[string]string, len(tokens))
	locations := make([]string, len(tokens))
	for i, doc := range tokens {
		locations[i], names[doc.Value.Location] = doc.Value.Location, doc.Value.LocationName
	}
	id := door.ID(r.PathValue("id"))
	doc, foreign, err := reader.Find(r.Context(), s.Store, locations, id)
	if err == nil && foreign {
		err = problem.New(problem.NotFound, "ForeignReader", "Bookplate didn't make the reader %.80q, and knows no person for it. "+
			"What such readers hold is in the licenses of each book.", id)
	}
	if err != nil {
		return err
	}
	shown, err := s.showReaders(r.Context(), doc.Value.Location, names[doc.Value.Location], []reader.Reader{doc.Value})
	if err != nil {
		return err
	}
	graph.WriteEntity(w, r, http.StatusOK, "bookplate/readers/$entity", shown[0])
	return nil
}

func (s server) showReaders(ctx context.Context, location, locationName string, page []reader.Reader) (
	[]showedReader, error,
) {
	ids := make([]string, len(page))
	for i, one := range page {
		ids[i] = one.PersonID
	}
	people, err := s.Directory.People(ctx, ids)
	if err != nil {
		return nil, err
	}
	retired, err := reader.Retirements(ctx, s.Store, location)
	if err != nil {
		return nil, err
	}
	shown := make([]showedReader, len(page))
	for i, one := range page {
		p := people[one.PersonID]
		shown[i] = showedReader{
			who: named(one.PersonID, p), Email: p.Email(), Status: one.Status, Location: location,
			LocationName: locationName, ClientUserID: one.ClientUserID, Generation: one.Generation, Account: one.Account, Since: one.Changed,
			InvitationURL: s.invitation(ctx, one),
		}
		if order := retired[one.PersonID].Value; order.Of(one) {
			if shown[i].Retirement, err = s.showRetirement(ctx, order); err != nil {
				return nil, err
			}
		}
		if one.Refusal != nil {
			shown[i].Refusal = &refusal{
				one.Refusal.Number, one.Refusal.Account, one.Refusal.At, (&apple.Error{Number: one.Refusal.Number}).Remedy(),
			}
		}
	}
	return shown, nil
}

func (s server) showRetirement(ctx context.Context, order reader.Retirement) (*retirement, error) {
	shown := &retirement{
		State: order.State, By: order.By, Reason: order.Why, Ordered: order.Ordered, Ended: moment(order.Ended),
		Restored: moment(order.Restored),
	}
	switch order.State {
	case reader.Restored:
		shown.Text = "Was retired; the person may be a reader again, as generation " + strconv.Itoa(order.Current()) + "."
	case reader.Done:
		shown.Text = "Is retired at Apple. The books stay with the person's Apple Account."
		shown.Next = "Restore the reader (POST …/restore) if the person is to get books here again."
	default:
		busy, err := reader.Busy(ctx, s.Store, order.Location)
		if err != nil {
			return nil, err
		}
		shown.Text, shown.Next = "Is to be retired; Apple has yet to do it.", "Wait: Apple takes up to some minutes."
		if batch := busy[order.PersonID]; batch != "" {
			shown.Text = "Waits until Apple's word on the batch " + batch + " is final, which may give the person a book."
			shown.Next = "Wait: that takes some minutes, or a good ten when Apple's answer was lost."
		}
	}
	return shown, nil
}

// invitation is the link of an invited reader. The list must be readable also while Apple isn't.
func (s server) invitation(ctx context.Context, one reader.Reader) *string {
	if one.Status != reader.Invited || one.InviteCode == "" {
		return nil
	}
	link, err := s.Invitation(ctx, one.InviteCode)
	if err != nil {
		s.Log.WarnContext(ctx, "no invitation link", "location", one.Location, "error", err)
		return nil
	}
	return &link
}
