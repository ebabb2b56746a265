package books

import (
	"context"
	"net/http"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/standing"
	"github.com/bookplate/bookplate/shared/table"
)

// Where a license comes from.
const (
	byAssignment = "assignment"  // Bookplate gave it; the cause says on whose order
	foundAtSync  = "foundAtSync" // Apple listed it for one of our readers, and nobody here had ordered it
	foreignMade  = "foreign"     // held by a reader that Bookplate didn't make
)

// held is one license at Apple.
type held struct {
	*who                   // nil for a foreign reader
	Foreign      bool      `json:"foreign"`
	Origin       string    `json:"origin"`
	BookID       string    `json:"bookId"`
	BookName     string    `json:"bookName,omitempty"`
	AdamID       string    `json:"adamId"`
	Pricing      string    `json:"pricingParam"`
	Location     string    `json:"locationId"`
	ClientUserID string    `json:"clientUserId"`
	Since        time.Time `json:"sinceDateTime"` // when Bookplate first saw it
	EventID      string    `json:"eventId,omitempty"`
	Cause        *cause    `json:"cause"`
}

// licenses lists who has a book, or what a person has, and why.
func (s server) licenses(w http.ResponseWriter, r *http.Request) error {
	values := r.URL.Query()
	byBook, byPerson := values.Get("book") != "", values.Get("person") != ""
	if byBook == byPerson {
		return problem.New(problem.Invalid, "",
			"Say either of which book (book=<id>) or of which person (person=<personId, userName "+
				"or externalId>).").At("book")
	}
	if byPerson {
		return s.licensesOfPerson(w, r, values.Get("person"))
	}
	b, err := s.bookOf(r, values)
	if err != nil {
		return err
	}
	return answer(w, r, "bookplate/licenses", func(limit int, cursor string) ([]held, string, error) {
		docs, foreign, next, err := license.HolderPage(r.Context(), s.Store, b.Location, b.Asset.AdamID, limit, cursor)
		if err != nil {
			return nil, "", err
		}
		names, err := s.names(r.Context(), docs)
		if err != nil {
			return nil, "", err
		}
		var shown []held
		for _, doc := range docs {
			for _, row := range doc.Value.Rows {
				if standing.In(row, b) {
					shown = append(shown, showHeld(doc.Value, row, b.Name(), names))
				}
			}
		}
		for _, h := range foreign {
			if h.Pricing == b.Asset.PricingParam {
				shown = append(shown, held{
					Foreign: true, Origin: foreignMade, BookID: b.ID, BookName: b.Name(), AdamID: h.AdamID, Pricing: h.Pricing,
					Location: h.Location, ClientUserID: h.ClientUserID, Since: h.Found,
				})
			}
		}
		return shown, next, nil
	})
}

func showHeld(l license.License, row license.Row, bookName string, names directoryNames) held {
	person, asset := names.who(l.PersonID), apple.AssetKey{AdamID: l.AdamID, PricingParam: row.Pricing}
	h := held{
		who: &person, Origin: foundAtSync, BookID: book.ID(row.Location, asset),
		BookName: bookName, AdamID: l.AdamID, Pricing: row.Pricing, Location: row.Location,
		ClientUserID: row.ClientUserID, Since: row.Found,
	}
	// What was ordered is the license itself; further rows of the same title were found.
	if !l.Found && row.Location == l.Location && row.Pricing == l.Pricing {
		h.Origin, h.EventID, h.Cause = byAssignment, l.Event, names.cause(l.Cause)
	}
	return h
}

// licensesOfPerson lists what one person has; the index that leads to it lags by moments.
func (s server) licensesOfPerson(w http.ResponseWriter, r *http.Request, text string) error {
	person, err := s.Directory.FindPerson(r.Context(), text)
	if err != nil {
		return err
	}
	return answer(w, r, "bookplate/licenses", func(limit int, cursor string) ([]held, string, error) {
		docs, next, err := license.PersonPage(r.Context(), s.Store, person.ID, limit, cursor)
		if err != nil {
			return nil, "", err
		}
		names, err := s.names(r.Context(), docs)
		if err != nil {
			return nil, "", err
		}
		titles, err := s.titles(r.Context(), docs)
		if err != nil {
			return nil, "", err
		}
		var shown []held
		for _, doc := range docs {
			for _, row := range doc.Value.Rows {
				shown = append(shown, showHeld(doc.Value, row, titles[keyOf(doc.Value, row)].Value.Name(), names))
			}
		}
		return shown, next, nil
	})
}

func keyOf(l license.License, row license.Row) table.Key {
	return book.Key(row.Location, apple.AssetKey{AdamID: l.AdamID, PricingParam: row.Pricing})
}

// titles are the books of licenses, by the key of each.
func (s server) titles(ctx context.Context, docs []license.Doc) (map[table.Key]book.Doc, error) {
	var keys []table.Key
	for _, doc := range docs {
		for _, row := range doc.Value.Rows {
			keys = append(keys, keyOf(doc.Value, row))
		}
	}
	return table.LoadMany[book.Book](ctx, s.Store, keys)
}
