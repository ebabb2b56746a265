package assign

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

// Surveyor looks at everybody whom the wishes for a book cover and decides for each.
type Surveyor struct {
	Store     *table.ReadStore
	Directory *directory.Reader
	World     world.World
	// Federated are the domains whose userNames are Managed Apple Accounts; a plan needs them to foresee who will be
	// known to Apple.
	Federated []string
}

// Site is a location as a survey sees it.
type Site struct {
	Token   token.Record
	Synced  bool               // the first full sync has ended
	Batches []license.BatchDoc // the location's open ones, read before the stock was counted
	ids     reader.Identity
	known   *acquaintances
	// foresee has people whom Apple doesn't know yet counted as what they will be once it does, and wishes as what they
	// will be when their holds have ended and they have been approved.
	foresee bool
}

// LoadSite reads what a survey needs of a location. Read it before the stock is counted (law 5).
func (s Surveyor) LoadSite(ctx context.Context, record token.Record) (Site, error) {
	state, err := token.LoadLocation(ctx, s.Store, record.Location)
	if err != nil {
		return Site{}, fmt.Errorf("reading the state of location %s: %w", record.Location, err)
	}
	open, err := license.OpenBatches(ctx, s.Store, record.Location)
	if err != nil {
		return Site{}, err
	}
	return Site{
		Token: record, Synced: !state.Value.Sync.FirstDone.IsZero(), Batches: open,
		ids:   reader.Identity{Location: record.Location, MDMID: record.MDMID},
		known: newAcquaintances(),
	}, nil
}

// Free is how many licenses of a book may still be promised: law 5. What Apple says is available, less the pairs that
// were open when that count was read: Apple may or may not have counted them.
func (s Site) Free(b book.Book) int {
	if b.Unlimited() {
		return math.MaxInt
	}
	free := b.Available
	for _, batch := range s.Batches {
		for _, t := range batch.Value.Titles {
			if t == b.Asset {
				free -= len(batch.Value.People)
			}
		}
	}
	return max(free, 0)
}

// Line is what is decided for one person.
type Line struct {
	Person   directory.Person
	Wish     Wish
	Request  *Request // what an available wish answers
	License  license.Doc
	Reader   *reader.Reader
	Decision Decision
}

// Cause is why the person is to get the book. On an available wish it is whoever asked who gives the order.
func (l Line) Cause(bookID string) license.Cause {
	c := license.Cause{
		BookID: bookID, AssignmentID: l.Wish.ID, GroupID: l.Wish.GroupID, Intent: string(l.Wish.Intent),
		Requester: l.Wish.Requester, Approver: l.Wish.Approver,
	}
	if l.Request != nil {
		c.Requester = l.Request.By
	}
	return c
}

// Survey decides for everybody whom the wishes cover, in the order in which stock is given out: oldest wish
// first, wishes on hold last, within a wish by asked-for time, then by personId. A person covered by several wishes
// appears once, under the first; or, when that has spent all that was approved, under the next that has not.
//
// Lapsed are pairs of this location that wait although no wish covers them any more.
func (s Surveyor) Survey(ctx context.Context, site Site, b book.Book, wishes Wishes) (lines, lapsed []Line, err error) {
	lines, lapsed, _, err = s.survey(ctx, site, b, wishes)
	return lines, lapsed, err
}

// survey also returns how many licenses each wish has spent.
func (s Surveyor) survey(ctx context.Context, site Site, b book.Book, wishes Wishes) (
	lines, lapsed []Line, spent map[string]int, err error,
) {
	licenses := make(map[string]license.Doc)
	for doc, err := range license.OfTitle(ctx, s.Store, b.Asset.AdamID) {
		if err != nil {
			return nil, nil, nil, fmt.Errorf("reading the licenses of title %s: %w", b.Asset.AdamID, err)
		}
		licenses[doc.Value.PersonID] = doc
	}
	asked, err := s.requests(ctx, wishes)
	if err != nil {
		return nil, nil, nil, err
	}
	placeInLine(licenses, asked)
	covered, err := s.cover(ctx, site, wishes.Ordered(s.World.Now()), asked, licenses)
	if err != nil {
		return nil, nil, nil, err
	}
	lines, err = s.facts(ctx, site, b, covered, licenses, site.Free(b))
	if err != nil {
		return nil, nil, nil, err
	}
	answer(lines, asked)
	lapsed, err = s.lapses(ctx, b, licenses, covered.first)
	return lines, lapsed, spentBy(licenses), err
}

// answer notes which requests available wishes answer.
func answer(lines []Line, asked map[string]Request) {
	for i := range lines {
		if r, ok := asked[lines[i].Person.ID]; ok && lines[i].Wish.Intent == Available {
			lines[i].Request = &r
		}
	}
}

// placeInLine has those who have asked stand in the line from when they did, not from when it was noted. Somebody without
// a license has only that time in it. Whose license has lapsed has asked before they left, and stands at the end.
func placeInLine(licenses map[string]license.Doc, asked map[string]Request) {
	for id, r := range asked {
		doc := licenses[id]
		if doc.Value.Asked.IsZero() && doc.Value.State == "" {
			doc.Value.Asked = r.At
			licenses[id] = doc
		}
	}
}

// requests are the requests for a book, by personId, if a wish could answer them.
func (s Surveyor) requests(ctx context.Context, wishes Wishes) (map[string]Request, error) {
	if !wishes.offers() {
		return nil, nil
	}
	return requested(ctx, s.Store, wishes.BookID)
}

// coverage says which wish each person comes under.
type coverage struct {
	first   map[string]Wish
	further map[string][]Wish // the others that cover somebody whose first has a limit
	order   []string          // of the people, as they are served
}

// serving is the wish that serves the person: the first, or when that has spent all that it may, the next that has not and
// spends at once.
func (c coverage) serving(id string, l license.License, spent map[string]int, now time.Time) Wish {
	first := c.first[id]
	if !first.isSpent(spent) {
		return first
	}
	for _, w := range c.further[id] {
		if w.rank(now) == 0 && !w.isSpent(spent) && !closed(l, w) {
			return w
		}
	}
	return first
}

// isSpent says that the wish has spent all that was approved, by how many licenses each wish has.
func (w Wish) isSpent(spent map[string]int) bool { return w.Limit > 0 && spent[w.ID] >= w.Limit }

// allSpent says that of a wish which isSpent.
func (w Wish) allSpent() string {
	if w.Approval.At.IsZero() {
		return fmt.Sprintf("%d licenses may be given without approval, and have been or are on their way", w.Limit)
	}
	return fmt.Sprintf("%d licenses were approved, and have been given or are on their way", w.Limit)
}

// cover says which wish each person comes under, and in which order they are served.
func (s Surveyor) cover(
	ctx context.Context, site Site, wishes []Wish, asked map[string]Request, licenses map[string]license.Doc,
) (coverage, error) {
	c := coverage{first: make(map[string]Wish), further: make(map[string][]Wish)}
	for _, w := range wishes {
		members, err := s.under(ctx, site, w, asked)
		if err != nil {
			return coverage{}, err
		}
		members = slices.DeleteFunc(members, func(id string) bool {
			first, earlier := c.first[id]
			switch l := licenses[id].Value; {
			case earlier && closed(l, first) && !closed(l, w):
				c.first[id] = w
			case earlier && first.Limit > 0:
				c.further[id] = append(c.further[id], w)
			}
			return earlier
		})
		for _, id := range members {
			c.first[id] = w
		}
		slices.SortFunc(members, func(x, y string) int { return bySeniority(licenses, x, y) })
		c.order = append(c.order, members...)
	}
	return c, nil
}

// under are the people who come under a wish: the members of its group, and of these, if it is an available one, those
// who have asked.
func (s Surveyor) under(ctx context.Context, site Site, w Wish, asked map[string]Request) ([]string, error) {
	if w.Intent == Available {
		return membersAmong(ctx, s.Directory, w.GroupID, slices.Sorted(maps.Keys(asked)))
	}
	return s.membersOf(ctx, site, w.GroupID)
}

// bySeniority orders people by when they first asked for the title; those who haven't come last, by id.
func bySeniority(licenses map[string]license.Doc, x, y string) int {
	a, b := licenses[x].Value.InLine(), licenses[y].Value.InLine()
	switch {
	case a.Equal(b):
		return strings.Compare(x, y)
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

// facts decides for the people in their order, of whom as many may be given a license as are free.
func (s Surveyor) facts(
	ctx context.Context, site Site, b book.Book, covered coverage, licenses map[string]license.Doc, free int,
) ([]Line, error) {
	if err := s.meet(ctx, site, covered.order); err != nil {
		return nil, err
	}
	readers := site.known.readersOf(covered.order)
	held, err := s.accounts(ctx, site, b, readers, licenses)
	if err != nil {
		return nil, err
	}
	spent := spentBy(licenses)
	state, _ := site.Token.Standing(s.World.Now())
	now := s.World.Now()
	lines := make([]Line, 0, len(covered.order))
	for _, id := range covered.order {
		person, known := site.known.people[id]
		if !known {
			continue // the provider has named them and not sent them
		}
		line := Line{Person: person, Wish: covered.first[id], License: licenses[id]}
		if pending(line.License.Value) { // if it is given again, it is the same one
			spent[line.License.Value.Cause.AssignmentID]--
		}
		if !site.foresee {
			line.Wish = covered.serving(id, line.License.Value, spent, now)
		}
		if line.License.Version == "" {
			line.License.Key = license.Key(b.Asset.AdamID, id)
			line.License.Value.AdamID, line.License.Value.PersonID = b.Asset.AdamID, id
		}
		if doc, ok := readers[id]; ok {
			line.Reader = &doc.Value
		}
		beyond := line.Wish.isSpent(spent)
		if site.foresee {
			line.Reader, beyond = s.foreseen(line.Person, line.Reader), false
			line.Wish.HoldUntil, line.Wish.Approval = time.Time{}, Approval{}
		}
		line.Decision = Decide(Facts{
			Now: s.World.Now(), Location: b.Location, Pricing: b.Asset.PricingParam, Wish: line.Wish, Person: line.Person,
			Member:  true,
			License: line.License.Value, InBatch: site.holds(line.License.Value, b.Location), Reader: line.Reader,
			Alias: held.anothers(readers[id].Value.IDHash, id), Beyond: beyond, Synced: site.Synced, Usable: state == token.Valid, State: state,
			Listed: b.Missing.IsZero(), Free: free,
		})
		switch {
		case line.Decision.Verdict == Give:
			free--
			spent[line.Wish.ID]++
			held.take(readers[id].Value.IDHash, id)
		case pending(line.License.Value):
			spent[line.License.Value.Cause.AssignmentID]++
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// foreseen is the reader that a person will be when Apple has been told of them: linked, if they have a Managed Apple
// Account that Apple hasn't refused, otherwise invited.
func (s Surveyor) foreseen(p directory.Person, r *reader.Reader) *reader.Reader {
	if r == nil {
		r = &reader.Reader{Status: reader.New}
	}
	next := *r
	account, known := directory.ManagedAccount(p, s.Federated)
	refused := next.Refusal != nil && next.Refusal.Account == account
	switch {
	case next.Status == reader.Associated || next.Status == reader.Retired || refused:
	case known:
		next.Status, next.Refusal = reader.Associated, nil
	case next.Status == reader.New:
		next.Status, next.Changed = reader.Invited, s.World.Now()
	}
	return &next
}

// holds says that the batch which a license names can still send it. A batch of another location is believed to: its
// worker alone knows.
func (s Site) holds(l license.License, location string) bool {
	if l.State != license.Reserved {
		return false
	}
	if l.Location != location {
		return true
	}
	return slices.ContainsFunc(s.Batches, func(doc license.BatchDoc) bool {
		return doc.Value.ID == l.Batch && doc.Value.Holds(l.AdamID, l.PersonID)
	})
}
