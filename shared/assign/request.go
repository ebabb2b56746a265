package assign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
)

// Request is a person's word that they want a book that is available to them. There is one for a book and a person, for
// ever: asking again changes nothing. It spends only while a wish covers the person.
type Request struct {
	BookID   string    `json:"bookId"`
	PersonID string    `json:"personId"`
	By       string    `json:"by"` // auth.Caller.Subject: the person themselves, or who asked on their behalf
	At       time.Time `json:"at"`
}

func requestsPart(bookID string) string { return "requests#" + bookID }

func requestKey(bookID, personID string) table.Key {
	return table.Key{Part: requestsPart(bookID), Sort: personID}
}

// requestedPart is the partition of Index1 that lists a person's requests, by book id.
func requestedPart(personID string) string { return "requested#" + personID }

// Request notes that a person wants a book, and marks the work. It refuses a person whom no wish covers. It says false
// for a request that was there before.
func (a Assigner) Request(ctx context.Context, b book.Book, p directory.Person, by string) (Request, bool, error) {
	if err := a.offered(ctx, b, p); err != nil {
		return Request{}, false, err
	}
	now := a.World.Now()
	r := Request{BookID: b.ID, PersonID: p.ID, By: by, At: now}
	doc := table.NewDoc(requestKey(b.ID, p.ID), r)
	doc.Index[table.Index1] = table.IndexKey{Part: requestedPart(p.ID), Sort: b.ID}
	save, err := doc.Save()
	if err != nil {
		return Request{}, false, err
	}
	_, err = a.Store.Commit(
		ctx, save,
		mark.New(b.Location, mark.Grants, mark.SubjectBook(b.ID), now),
		mark.New(b.Location, mark.Readers, mark.SubjectAll, now),
	)
	if errors.Is(err, table.ErrCondition) {
		there, err := table.Load[Request](ctx, a.Store.ReadStore, doc.Key)
		return there.Value, false, err
	}
	if err != nil {
		return Request{}, false, fmt.Errorf("storing the request of person %s for book %s: %w", p.ID, b.ID, err)
	}
	return r, true, nil
}

// offered returns a problem unless the person is active and in a group that has a wish for the book.
func (a Assigner) offered(ctx context.Context, b book.Book, p directory.Person) error {
	if !p.Active || p.Deleted {
		return problem.New(problem.Conflict, "PersonInactive", "%s is disabled or deleted in the directory. "+
			"Enable the person in the identity provider first.", p.Name()).At("person")
	}
	wishes, err := Load(ctx, a.Store.ReadStore, b)
	if err != nil {
		return err
	}
	covers := false
	for _, w := range wishes.Value.List {
		members, err := membersAmong(ctx, a.Directory, w.GroupID, []string{p.ID})
		if err != nil {
			return err
		}
		covers = covers || len(members) > 0
	}
	if !covers {
		return problem.New(problem.Conflict, "NotOffered", "The book isn't offered to %s: it is assigned to no group that the "+
			"person is in. An administrator can assign it as available to such a group.", p.Name()).At("book")
	}
	return nil
}

// requested are the requests for a book, by personId.
func requested(ctx context.Context, store *table.ReadStore, bookID string) (map[string]Request, error) {
	all := make(map[string]Request)
	for doc, err := range table.Docs[Request](store.Each(ctx, table.Range{Part: requestsPart(bookID)})) {
		if err != nil {
			return nil, fmt.Errorf("reading the requests for book %s: %w", bookID, err)
		}
		all[doc.Value.PersonID] = doc.Value
	}
	return all, nil
}

// requestsOf are the requests of some people for a book, by personId.
func requestsOf(ctx context.Context, store *table.ReadStore, bookID string, people []string) (map[string]Request, error) {
	keys := make([]table.Key, len(people))
	for i, id := range people {
		keys[i] = requestKey(bookID, id)
	}
	found, err := table.LoadMany[Request](ctx, store, keys)
	if err != nil {
		return nil, fmt.Errorf("reading the requests for book %s: %w", bookID, err)
	}
	asked := make(map[string]Request, len(found))
	for _, doc := range found {
		asked[doc.Value.PersonID] = doc.Value
	}
	return asked, nil
}

// RequestsFor returns a page of the requests for a book, by personId, and the cursor of the next page.
func RequestsFor(ctx context.Context, store *table.ReadStore, bookID string, limit int, cursor string) (
	requests []Request, next string, err error,
) {
	page, err := store.PageParts(ctx, []string{requestsPart(bookID)}, table.Range{Limit: limit, Cursor: cursor})
	if err != nil {
		return nil, "", fmt.Errorf("reading the requests for book %s: %w", bookID, err)
	}
	for _, item := range page.Items {
		doc, err := table.Decode[Request](item)
		if err != nil {
			return nil, "", err
		}
		requests = append(requests, doc.Value)
	}
	return requests, page.Next, nil
}

// RequestsOf returns a page of a person's requests, by book id, and the cursor of the next page. The index that leads to
// them lags by moments after a new one.
func RequestsOf(ctx context.Context, store *table.ReadStore, personID string, limit int, cursor string) (
	requests []Request, next string, err error,
) {
	at := table.Range{Part: requestedPart(personID), Limit: limit, Cursor: cursor}
	page, err := store.PageEntries(ctx, table.Index1, at)
	if err != nil {
		return nil, "", fmt.Errorf("reading the requests of person %s: %w", personID, err)
	}
	keys := make([]table.Key, len(page.Entries))
	for i, entry := range page.Entries {
		keys[i] = entry.Key
	}
	found, err := table.LoadMany[Request](ctx, store, keys)
	if err != nil {
		return nil, "", fmt.Errorf("reading the requests of person %s: %w", personID, err)
	}
	for _, k := range keys {
		if doc, ok := found[k]; ok {
			requests = append(requests, doc.Value)
		}
	}
	return requests, page.Next, nil
}
