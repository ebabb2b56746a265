package books

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/token"
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
		docs, err := view.concerned(r.Context(), page)
		if err != nil {
			return nil, "", err
		}
		names, err := s.names(r.Context(), docs)
		if err != nil {
			return nil, "", err
		}
		invited, err := view.invited(r.Context(), docs)
		if err != nil {
			return nil, "", err
		}
		shown := make([]grant, len(docs))
		for i, doc := range docs {
			if shown[i], err = view.show(r.Context(), doc.Value, names); err != nil {
				return nil, "", err
			}
			if one, ok := invited[doc.Value.PersonID]; ok && shown[i].Reason == assign.Invitation {
				shown[i].Invited, shown[i].InvitationURL = moment(one.Changed), s.invitation(r.Context(), one)
			}
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

// elsewhere is what keeps a pair from being given here because of what it is, or may be, elsewhere: in another location, or
// in the other quality (law 1).
func elsewhere(l license.License, b book.Book) (assign.Decision, bool) {
	if concerns(l, b) {
		return assign.Decision{}, false
	}
	d := assign.Decide(assign.Facts{
		Location: b.Location, Pricing: b.Asset.PricingParam, License: l, InBatch: l.State == license.Reserved,
	})
	return d, d.Reason == assign.Owned || d.Reason == assign.Underway || d.Reason == assign.Elsewhere
}

// concerned leaves those of a title's licenses that the book has to do with: its own, and those of people whom its wishes
// cover and who have the title from elsewhere.
func (v *view) concerned(ctx context.Context, page []license.Doc) (docs []license.Doc, err error) {
	var others []string
	for _, doc := range page {
		if _, is := elsewhere(doc.Value, v.book); is {
			others = append(others, doc.Value.PersonID)
		}
	}
	var covered map[string]bool
	if len(others) > 0 {
		wishes, err := assign.Load(ctx, v.Store, v.book)
		if err != nil {
			return nil, err
		}
		if covered, err = assign.CoveredAmong(ctx, v.Store, v.Directory, wishes.Value, others); err != nil {
			return nil, err
		}
	}
	for _, doc := range page {
		if concerns(doc.Value, v.book) || covered[doc.Value.PersonID] {
			docs = append(docs, doc)
		}
	}
	return docs, nil
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

// view is what the grants of one book are shown with.
type view struct {
	server
	book    book.Book
	open    map[string]license.BatchState
	stopped string // why the location spends nothing at all; empty when it may
	remedy  string
	ids     reader.Identity
	line    map[string]int // place in the line by personId; nil while nobody has asked
}

func (s server) view(ctx context.Context, b book.Book) (*view, error) {
	open, err := s.openBatches(ctx, b.Location)
	if err != nil {
		return nil, err
	}
	v := &view{server: s, book: b, open: open}
	record, _, err := s.stock(ctx, b.Location)
	if err != nil {
		return nil, err
	}
	if record == nil {
		v.stopped, v.remedy = "its token was deleted", "Upload a token of the location to go on."
		return v, nil
	}
	v.ids = reader.Identity{Location: record.Location, MDMID: record.MDMID}
	if state, why := record.Standing(s.World.Now()); state != token.Valid {
		v.stopped, v.remedy = string(state), why
	}
	return v, nil
}

func (v *view) show(ctx context.Context, l license.License, names directoryNames) (grant, error) {
	g := grant{
		who: names.who(l.PersonID), State: string(l.State), Reason: l.Reason, Detail: l.Detail, Found: l.Found,
		Since: l.Since, Asked: moment(l.Asked), Given: moment(l.Given), BatchID: l.Batch, EventID: l.Event,
		Cause: names.cause(l.Cause),
	}
	if state, ok := v.open[l.Batch]; ok && l.State == license.Reserved {
		g.State = string(state)
	}
	why := assign.Standing(l)
	g.Text, g.Next = why.Text, why.Next
	if d, is := elsewhere(l, v.book); is {
		g.State, g.Reason, g.Detail = string(license.Waiting), d.Reason, d.Detail
		if d.Verdict == assign.Refuse {
			g.State = string(license.Refused)
		}
		why = assign.Explain(d.Reason)
		g.Text, g.Next = strings.TrimSuffix(why.Text, ".")+" ("+d.Detail+").", why.Next
		return g, nil
	}
	switch here := l.Location == v.book.Location; {
	case here && v.stopped != "":
		v.stop(&g, l)
	case here && l.Reason == assign.NoStock && l.State == license.Waiting:
		if err := v.lineUp(ctx); err != nil {
			return g, err
		}
		if g.PlaceInLine = v.line[l.PersonID]; g.PlaceInLine > 0 {
			g.Text = fmt.Sprintf("%s Place %d in the line.", g.Text, g.PlaceInLine)
		}
	}
	return g, nil
}

// invited are the readers of those whose invitation is waited for, by personId, as they are now.
func (v *view) invited(ctx context.Context, docs []license.Doc) (map[string]reader.Reader, error) {
	var people []string
	for _, doc := range docs {
		l := doc.Value
		if l.State == license.Waiting && l.Reason == assign.Invitation && l.Location == v.book.Location {
			people = append(people, l.PersonID)
		}
	}
	if len(people) == 0 || v.ids.MDMID == "" { // nobody, or the location has no token any more
		return nil, nil
	}
	found, err := reader.OfPeople(ctx, v.Store, v.ids, people)
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

// stop shows a license that isn't settled at a location that has stopped: its worker looks at nothing there, so what is
// stored of it is what was so before.
func (v *view) stop(g *grant, l license.License) {
	why := assign.Explain(assign.Stopped)
	why.Text = strings.TrimSuffix(why.Text, ".") + " (" + v.stopped + ")."
	switch l.State {
	case license.Waiting, license.Wanted:
		g.State, g.Reason, g.Detail, g.Text = string(license.Waiting), assign.Stopped, v.stopped, why.Text
	case license.Reserved: // also then its batch alone may send it
		g.Text += " " + why.Text
	default:
		return
	}
	g.Next = cmp.Or(v.remedy, why.Next)
}

// lineUp puts those who wait for stock into the order in which it is given out: by the wishes, then by how long they wait.
func (v *view) lineUp(ctx context.Context) error {
	if v.line != nil {
		return nil
	}
	wishes, err := assign.Load(ctx, v.Store, v.book)
	if err != nil {
		return err
	}
	rank := make(map[string]int)
	for i, w := range wishes.Value.Ordered(v.World.Now()) {
		rank[w.ID] = i
	}
	line, err := license.Line(ctx, v.Store, v.book.Location, v.book.Asset.AdamID)
	if err != nil {
		return err
	}
	line = slices.DeleteFunc(line, func(l license.License) bool {
		return l.Reason != assign.NoStock || l.Pricing != v.book.Asset.PricingParam || l.Cause == nil
	})
	slices.SortStableFunc(line, func(a, b license.License) int {
		return cmp.Or(rank[a.Cause.AssignmentID]-rank[b.Cause.AssignmentID], a.Asked.Compare(b.Asked),
			strings.Compare(a.PersonID, b.PersonID))
	})
	v.line = make(map[string]int, len(line))
	for i, l := range line {
		v.line[l.PersonID] = i + 1
	}
	return nil
}
