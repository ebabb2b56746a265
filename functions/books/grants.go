package books

import (
	"context"
	"net/http"
	"time"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/problem"
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
	open, err := s.openBatches(r.Context(), b.Location)
	if err != nil {
		return err
	}
	return answer(w, r, "bookplate/grants", func(limit int, cursor string) ([]grant, string, error) {
		page, next, err := license.TitlePage(r.Context(), s.Store, b.Asset.AdamID, limit, cursor)
		if err != nil {
			return nil, "", err
		}
		var docs []license.Doc
		for _, doc := range page {
			if concerns(doc.Value, b) {
				docs = append(docs, doc)
			}
		}
		names, err := s.names(r.Context(), docs)
		if err != nil {
			return nil, "", err
		}
		shown := make([]grant, len(docs))
		for i, doc := range docs {
			shown[i] = showGrant(doc.Value, open, names)
		}
		return shown, next, nil
	})
}

// concerns says that a license was wanted from, or is held in, the book's stock.
func concerns(l license.License, b book.Book) bool {
	if l.Location == b.Location && l.Pricing == b.Asset.PricingParam {
		return true
	}
	for _, row := range l.Rows {
		if in(row, b) {
			return true
		}
	}
	return false
}

func in(row license.Row, b book.Book) bool {
	return row.Location == b.Location && row.Pricing == b.Asset.PricingParam
}

func (s server) openBatches(ctx context.Context, location string) (map[string]license.BatchState, error) {
	docs, err := license.OpenBatches(ctx, s.Store, location)
	if err != nil {
		return nil, err
	}
	open := make(map[string]license.BatchState, len(docs))
	for _, doc := range docs {
		open[doc.Value.ID] = doc.Value.State
	}
	return open, nil
}

func showGrant(l license.License, open map[string]license.BatchState, names directoryNames) grant {
	g := grant{
		who: names.who(l.PersonID), State: string(l.State), Reason: l.Reason, Detail: l.Detail, Found: l.Found,
		Since: l.Since, Asked: moment(l.Asked), Given: moment(l.Given), BatchID: l.Batch, EventID: l.Event,
		Cause: names.cause(l.Cause),
	}
	if state, ok := open[l.Batch]; ok && l.State == license.Reserved {
		g.State = string(state)
	}
	why := assign.Standing(l)
	g.Text, g.Next = why.Text, why.Next
	return g
}
