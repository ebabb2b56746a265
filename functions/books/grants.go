package books

import (
	"context"
	"net/http"
	"time"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/standing"
)

// grant is how one person stands with one book.
type grant struct {
	who
	// State is license.State, but for a reserved pair the state of its batch: prepared, sending or sent.
	State   string         `json:"state"`
	Reason  license.Reason `json:"reason,omitempty"`
	Text    string         `json:"text,omitempty"` // what is the matter
	Next    string         `json:"next,omitempty"` // what to do about it
	Detail  string         `json:"detail,omitempty"`
	Found   bool           `json:"foundAtSync"` // given by somebody else than Bookplate
	Since   time.Time      `json:"sinceDateTime"`
	Asked   *time.Time     `json:"askedDateTime"`
	Given   *time.Time     `json:"givenDateTime"`
	BatchID string         `json:"batchId,omitempty"`
	EventID string         `json:"eventId,omitempty"` // Apple's
	Cause   *cause         `json:"cause"`
	// PlaceInLine is from 1 on, for who waits because all licenses are given.
	PlaceInLine int `json:"placeInLine,omitempty"`
	// Invited and InvitationURL are, for who waits because they haven't accepted, since when they are invited and where they
	// accept: a link for that person only, null while Apple can't be asked.
	Invited       *time.Time `json:"invitedDateTime"`
	InvitationURL *string    `json:"invitationUrl"`
}

// grants lists everybody whom the wishes for a book concern or concerned, and how they stand.
func (s server) grants(w http.ResponseWriter, r *http.Request) error {
	values := r.URL.Query()
	if values.Get("book") == "" {
		return problem.New(problem.Invalid, "", "Say of which book by its id: book=<id>.").At("book")
	}
	b, err := s.bookOf(r, values)
	if err != nil {
		return err
	}
	view, err := s.view(r.Context(), b)
	if err != nil {
		return err
	}
	return answer(w, r, "bookplate/grants", func(limit int, cursor string) ([]grant, string, error) {
		page, next, err := license.TitlePage(r.Context(), s.Store, b.Asset.AdamID, limit, cursor)
		if err != nil {
			return nil, "", err
		}
		shown, err := view.page(r.Context(), page)
		return shown, next, err
	})
}

// view is what the grants of one book are shown with.
type view struct {
	server
	book  book.Book
	place *standing.Place
	pairs *standing.View
}

func (s server) view(ctx context.Context, b book.Book) (*view, error) {
	place, err := standing.Source{Store: s.Store, Directory: s.Directory, World: s.World}.At(ctx, b.Location)
	if err != nil {
		return nil, err
	}
	return &view{s, b, place, place.Of(b)}, nil
}

// page shows those of a page of a title's licenses that the book has to do with.
func (v *view) page(ctx context.Context, page []license.Doc) ([]grant, error) {
	docs, err := v.pairs.Concerned(ctx, page)
	if err != nil {
		return nil, err
	}
	stored := make([]license.License, len(docs))
	for i, doc := range docs {
		stored[i] = doc.Value
	}
	current, err := v.pairs.Current(ctx, stored)
	if err != nil {
		return nil, err
	}
	for i := range docs {
		docs[i].Value = current[i]
	}
	names, err := v.names(ctx, docs)
	if err != nil {
		return nil, err
	}
	invited, err := v.invited(ctx, current)
	if err != nil {
		return nil, err
	}
	shown := make([]grant, len(docs))
	for i, l := range current {
		if shown[i], err = v.show(ctx, l, names); err != nil {
			return nil, err
		}
		if one, ok := invited[l.PersonID]; ok && shown[i].Reason == assign.Invitation {
			shown[i].Invited, shown[i].InvitationURL = moment(one.Changed), v.invitation(ctx, one)
		}
	}
	return shown, nil
}

func (v *view) show(ctx context.Context, l license.License, names directoryNames) (grant, error) {
	pair, err := v.pairs.Show(ctx, l)
	g := grant{
		who: names.who(l.PersonID), State: string(pair.State), Reason: pair.Reason, Text: pair.Text, Next: pair.Next,
		Detail: pair.Detail, Found: l.Found, Since: l.Since, Asked: moment(l.Asked), Given: moment(l.Given), BatchID: l.Batch,
		EventID: l.Event, Cause: names.cause(l.Cause), PlaceInLine: pair.PlaceInLine,
	}
	if state, ok := v.place.Batch(l.Batch); ok && pair.State == license.Reserved {
		g.State = string(state)
	}
	return g, err
}

// invited are the readers of those whose invitation is waited for, by personId, as they are now.
func (v *view) invited(ctx context.Context, page []license.License) (map[string]reader.Reader, error) {
	var people []string
	for _, l := range page {
		if l.State == license.Waiting && l.Reason == assign.Invitation && l.Location == v.book.Location {
			people = append(people, l.PersonID)
		}
	}
	token := v.place.Token
	if len(people) == 0 || token == nil { // without one, Apple can't be asked for a link
		return nil, nil
	}
	found, err := reader.OfPeople(ctx, v.Store, reader.Identity{Location: token.Location, MDMID: token.MDMID}, people)
	if err != nil {
		return nil, err
	}
	invited := make(map[string]reader.Reader)
	for person, doc := range found {
		if doc.Value.Status == reader.Invited {
			invited[person] = doc.Value
		}
	}
	return invited, nil
}
