package books

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/reader"
)

// showedReader is a person as Apple knows them in a location.
type showedReader struct {
	who
	Email        string        `json:"email"`
	Status       reader.Status `json:"status"`
	Location     string        `json:"locationId"`
	LocationName string        `json:"locationName"`
	ClientUserID string        `json:"clientUserId"`
	Account      string        `json:"managedAppleAccount,omitempty"`
	Since        time.Time     `json:"sinceDateTime"`
	// InvitationURL is where the person links an Apple Account; null unless invited, or while Apple can't be asked.
	InvitationURL *string  `json:"invitationUrl"`
	Refusal       *refusal `json:"refusal"`
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
	if plain, f, ok := wantsFile(r, csvFormat()); ok {
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
	ids := make([]string, len(page))
	for i, one := range page {
		ids[i] = one.PersonID
	}
	people, err := s.Directory.People(ctx, ids)
	if err != nil {
		return nil, "", err
	}
	shown := make([]showedReader, len(page))
	for i, one := range page {
		p := people[one.PersonID]
		shown[i] = showedReader{
			who: named(one.PersonID, p), Email: p.Email(), Status: one.Status, Location: location,
			LocationName: locationName, ClientUserID: one.ClientUserID, Account: one.Account, Since: one.Changed,
			InvitationURL: s.invitation(ctx, one),
		}
		if one.Refusal != nil {
			shown[i].Refusal = &refusal{
				one.Refusal.Number, one.Refusal.Account, one.Refusal.At, (&apple.Error{Number: one.Refusal.Number}).Remedy(),
			}
		}
	}
	return shown, next, nil
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
