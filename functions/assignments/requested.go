package assignments

import (
	"context"
	"time"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/standing"
)

// request is a request for a book as clients read it, with how it stands.
type request struct {
	BookID      string         `json:"bookId"`
	BookName    string         `json:"bookName"`
	PersonID    string         `json:"personId"`
	DisplayName string         `json:"displayName"`
	UserName    string         `json:"userName"`
	Requester   string         `json:"requester"`
	Requested   time.Time      `json:"requestedDateTime"`
	State       license.State  `json:"state"`
	Reason      license.Reason `json:"reason,omitempty"`
	Text        string         `json:"text,omitempty"` // what is the matter
	Next        string         `json:"next,omitempty"` // what to do about it
	Detail      string         `json:"detail,omitempty"`
	// PlaceInLine is from 1 on, for who waits because all licenses are given.
	PlaceInLine int `json:"placeInLine,omitempty"`
}

// showRequests shows requests in their order. What those for one book, or in one location, have in common is read once.
func (s server) showRequests(ctx context.Context, requests []assign.Request) ([]request, error) {
	byBook := make(map[string][]int) // their places
	var books, people []string
	for i, one := range requests {
		if byBook[one.BookID] == nil {
			books = append(books, one.BookID)
		}
		byBook[one.BookID] = append(byBook[one.BookID], i)
		people = append(people, one.PersonID)
	}
	names, err := s.Directory.People(ctx, people)
	if err != nil {
		return nil, err
	}
	shown := make([]request, len(requests))
	places := make(map[string]*standing.Place)
	for _, id := range books {
		doc, err := book.Load(ctx, s.Store.ReadStore, id)
		if err != nil {
			return nil, err
		}
		of := make([]string, len(byBook[id]))
		for n, i := range byBook[id] {
			of[n] = requests[i].PersonID
		}
		pairs, err := s.pairs(ctx, places, doc.Value, of)
		if err != nil {
			return nil, err
		}
		for n, i := range byBook[id] {
			shown[i] = showRequest(requests[i], doc.Value, names[of[n]], pairs[n])
		}
	}
	return shown, nil
}

// pairs say how some people stand with a book. Places are those that have been read.
func (s server) pairs(ctx context.Context, places map[string]*standing.Place, b book.Book, people []string) (
	pairs []standing.Pair, err error,
) {
	if places[b.Location] == nil {
		from := standing.Source{Store: s.Store.ReadStore, Directory: s.Directory, World: s.World}
		if places[b.Location], err = from.At(ctx, b.Location); err != nil {
			return nil, err
		}
	}
	docs, err := license.LoadMany(ctx, s.Store.ReadStore, b.Asset.AdamID, people)
	if err != nil {
		return nil, err
	}
	licenses := make([]license.License, len(people))
	for i, id := range people {
		licenses[i] = docs[id].Value
	}
	view := places[b.Location].Of(b)
	if licenses, err = view.Current(ctx, licenses); err != nil {
		return nil, err
	}
	pairs = make([]standing.Pair, len(people))
	for i, l := range licenses {
		if pairs[i], err = view.Show(ctx, l); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

func showRequest(r assign.Request, b book.Book, p directory.Person, how standing.Pair) request {
	return request{
		BookID: b.ID, BookName: b.Name(), PersonID: r.PersonID, DisplayName: p.Name(), UserName: p.UserName,
		Requester: r.By, Requested: r.At, State: how.State, Reason: how.Reason, Text: how.Text, Next: how.Next,
		Detail: how.Detail, PlaceInLine: how.PlaceInLine,
	}
}
