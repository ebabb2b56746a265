package books

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
)

// entry is a line of the ledger: a title that a person was given, once and for all.
type entry struct {
	Given time.Time `json:"givenDateTime"` // when Apple was first seen to list it
	who
	Title    string        `json:"bookName"`
	BookID   string        `json:"bookId"`
	AdamID   string        `json:"adamId"`
	Pricing  string        `json:"pricingParam"`
	Location string        `json:"locationId"`
	State    license.State `json:"state"`
	Lost     *time.Time    `json:"lostDateTime,omitempty"` // when Apple was seen to list it no more
	Origin   string        `json:"origin"`
	// Licenses is how many Apple lists for the person and title: a second quality, or a former identity, has one more.
	Licenses int        `json:"licenses"`
	Asked    *time.Time `json:"askedDateTime"`
	BatchID  string     `json:"batchId,omitempty"`
	EventID  string     `json:"eventId,omitempty"` // Apple's
	Cause    *cause     `json:"cause"`
}

// ledger lists what was given: to whom, when, why and on whose order. By person or title the list is whole; otherwise it
// is read day by day.
func (s server) ledger(w http.ResponseWriter, r *http.Request) error {
	about, err := s.ledgerFilter(r)
	if err != nil {
		return err
	}
	read := func(limit int, cursor string) ([]entry, string, error) {
		return s.ledgerPage(r.Context(), about, limit, cursor)
	}
	plain, f, ok, err := wantsFile(r, csvFormat(), linesFormat())
	if err != nil {
		return err
	}
	if ok {
		return answerFile(w, r, plain, f, ledgerSheet(), read)
	}
	return answer(w, r, "bookplate/ledger", read)
}

// ledgerFilter is what a request wants of the ledger. Exactly one of person, title and days leads to the licenses.
type ledgerFilter struct {
	person, adamID, bookID, group string
	location                      string // its uId; empty means all
	from, to                      time.Time
	days                          []time.Time // newest first
	locations                     []string
}

// mostDays is how long a period may be that is read day by day.
const mostDays = 366

func (s server) ledgerFilter(r *http.Request) (ledgerFilter, error) {
	values := r.URL.Query()
	var f ledgerFilter
	var err error
	if f.from, f.to, err = period(values, s.World.Now()); err != nil {
		return f, err
	}
	if f.group, err = s.group(r.Context(), values.Get("group")); err != nil {
		return f, err
	}
	if values.Get("location") != "" || values.Get("tokenId") != "" {
		if f.location, _, err = s.place(r); err != nil {
			return f, err
		}
	}
	if text := values.Get("person"); text != "" {
		p, err := s.Directory.FindPerson(r.Context(), text)
		if err != nil {
			return f, err
		}
		f.person = p.ID
	}
	if text := values.Get("title"); text != "" {
		if f.adamID, f.bookID, err = s.title(r.Context(), text); err != nil {
			return f, err
		}
	}
	if f.person != "" || f.adamID != "" {
		return f, nil
	}
	err = s.byDay(r.Context(), values, &f)
	return f, err
}

// group is the id of the group that a text names, which may have been deleted since; empty for none.
func (s server) group(ctx context.Context, text string) (string, error) {
	if text == "" || text == assign.Everybody {
		return text, nil
	}
	g, err := s.Directory.GroupEvenDeleted(ctx, door.ID(text))
	return g.ID, at(err, "group")
}

// byDay has the ledger read day by day.
func (s server) byDay(ctx context.Context, values url.Values, f *ledgerFilter) error {
	if values.Get("from") == "" {
		return problem.New(problem.Invalid, "", "Say of which person (person=<personId, userName or externalId>), of which title "+
			"(title=<adamId or book id>), or from when on (from=2030-09-01).").At("from")
	}
	for day := f.to.Add(-1).Truncate(24 * time.Hour); !day.Before(f.from.Truncate(24 * time.Hour)); day = day.AddDate(0, 0, -1) {
		if f.days = append(f.days, day); len(f.days) > mostDays {
			return problem.New(problem.Invalid, "", "The period is longer than %d days. Ask for it in parts, or for one person or "+
				"title.", mostDays).At("from")
		}
	}
	if f.locations = []string{f.location}; f.location != "" {
		return nil
	}
	var err error
	f.locations, err = token.Locations(ctx, s.Store)
	return err
}

// period reads from and to: moments, or days (UTC) of which the last is included. Without to, it is until now.
func period(values url.Values, now time.Time) (from, to time.Time, err error) {
	if from, err = moments(values, "from", 0); err != nil {
		return from, to, err
	}
	if to, err = moments(values, "to", 24*time.Hour); err != nil {
		return from, to, err
	}
	if to.IsZero() {
		if to = now.Add(time.Second); !from.Before(to) {
			return from, to, problem.New(problem.Invalid, "", "The period hasn't begun: without to, it ends now. Let it begin "+
				"earlier.").At("from")
		}
	}
	if !from.Before(to) {
		return from, to, problem.New(problem.Invalid, "", "The period ends before it begins. Exchange from and to.").At("from")
	}
	return from, to, nil
}

func moments(values url.Values, name string, day time.Duration) (time.Time, error) {
	text := strings.ReplaceAll(strings.TrimSpace(values.Get(name)), " ", "+") // an unescaped plus of a zone
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at.Add(day), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, problem.New(problem.Invalid, "",
			"The time can't be read. Write it like 2030-09-01 or 2030-09-01T08:00:00Z.").At(name)
	}
	return at.UTC(), nil
}

// title is the title that a text names: by its adamId, or as a book, which is one quality of it in one location.
func (s server) title(ctx context.Context, text string) (adamID, bookID string, err error) {
	if strings.Trim(text, "0123456789") == "" && len(text) <= 20 {
		return text, "", nil
	}
	doc, err := book.Load(ctx, s.Store, door.ID(text))
	return doc.Value.Asset.AdamID, doc.Value.ID, at(err, "title")
}

func (s server) ledgerPage(ctx context.Context, f ledgerFilter, limit int, cursor string) ([]entry, string, error) {
	docs, next, err := s.ledgerDocs(ctx, f, limit, cursor)
	if err != nil {
		return nil, "", err
	}
	var given []license.Doc
	for _, doc := range docs {
		for _, one := range gifts(doc) {
			if f.wants(one.Value) {
				given = append(given, one)
			}
		}
	}
	names, err := s.names(ctx, given)
	if err != nil {
		return nil, "", err
	}
	var keys []table.Key
	for _, doc := range given {
		keys = append(keys, book.Key(doc.Value.Location, assetOf(doc.Value)))
	}
	books, err := table.LoadMany[book.Book](ctx, s.Store, keys)
	if err != nil {
		return nil, "", err
	}
	shown := make([]entry, len(given))
	for i, doc := range given {
		shown[i] = showEntry(doc.Value, books[keys[i]].Value, names)
	}
	return shown, next, nil
}

func (s server) ledgerDocs(ctx context.Context, f ledgerFilter, limit int, cursor string) ([]license.Doc, string, error) {
	switch {
	case f.person != "":
		return license.PersonPage(ctx, s.Store, f.person, limit, cursor)
	case f.adamID != "":
		return license.TitlePage(ctx, s.Store, f.adamID, limit, cursor)
	default:
		return license.DayPage(ctx, s.Store, f.locations, f.days, limit, cursor)
	}
}

// gifts are a license as each that was spent on the pair, oldest first: what Apple has taken back was spent all the same.
func gifts(doc license.Doc) []license.Doc {
	rows := doc.Value.Rows
	var all []license.Doc
	for _, g := range doc.Value.Gifts() {
		l := &doc.Value
		l.State, l.Location, l.Pricing, l.Found, l.Rows = license.Licensed, g.Location, g.Pricing, g.Found, rows
		l.Batch, l.Event, l.Cause, l.Asked, l.Given, l.Lost = g.Batch, g.Event, g.Cause, g.Asked, g.Given, g.Lost
		if !g.Lost.IsZero() {
			l.State, l.Rows = license.Gone, nil
		}
		all = append(all, doc)
	}
	return all
}

// wants says that a license is one of those that are asked for.
func (f ledgerFilter) wants(l license.License) bool {
	switch {
	case l.Given.Before(f.from), !l.Given.Before(f.to):
		return false
	case f.adamID != "" && l.AdamID != f.adamID:
		return false
	case f.bookID != "" && book.ID(l.Location, assetOf(l)) != f.bookID:
		return false
	case f.group != "" && (l.Cause == nil || l.Found || l.Cause.GroupID != f.group):
		return false
	}
	return f.location == "" || l.Location == f.location
}

func assetOf(l license.License) apple.AssetKey {
	return apple.AssetKey{AdamID: l.AdamID, PricingParam: l.Pricing}
}

func showEntry(l license.License, b book.Book, names directoryNames) entry {
	b.Asset = assetOf(l) // also of a book that isn't stored any more
	e := entry{
		Given: l.Given, who: names.who(l.PersonID), Title: b.Name(), BookID: book.ID(l.Location, b.Asset),
		AdamID: l.AdamID, Pricing: l.Pricing, Location: l.Location, State: l.State, Origin: foundAtSync,
		Licenses: len(l.Rows), Asked: moment(l.Asked), Lost: moment(l.Lost),
	}
	if !l.Found { // what a wish asked for in vain isn't why it was given
		e.Origin, e.BatchID, e.EventID, e.Cause = byAssignment, l.Batch, l.Event, names.cause(l.Cause)
	}
	return e
}

// ledgerSheet is how the ledger looks in a file.
func ledgerSheet() sheet[entry] {
	return sheet[entry]{
		name: "ledger",
		header: []string{
			"given", "name", "userName", "personId", "title", "adamId", "pricingParam", "bookId", "locationId", "state",
			"licenses", "origin", "asked", "group", "groupId", "assignmentId", "intent", "requester", "approver", "batchId", "eventId",
			"lost",
		},
		cells: func(e entry) []string {
			c := cause{}
			if e.Cause != nil {
				c = *e.Cause
			}
			return []string{
				e.Given.UTC().Format(time.RFC3339), e.DisplayName, e.UserName, e.PersonID, e.Title, e.AdamID, e.Pricing, e.BookID,
				e.Location, string(e.State), strconv.Itoa(e.Licenses), e.Origin, when(e.Asked), c.GroupName, c.GroupID, c.AssignmentID,
				c.Intent, c.Requester, c.Approver, e.BatchID, e.EventID, when(e.Lost),
			}
		},
	}
}

func when(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
