package standing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
)

// View shows how people stand with one book.
type View struct {
	*Place
	book book.Book
	line map[string]int // place in the line by personId; nil while nobody has asked
	// joining wait for stock by a decision that was made here: the table's line doesn't have them yet.
	joining []license.License
}

// Pair is how one person stands with the book, in the product's words.
type Pair struct {
	State  license.State
	Reason license.Reason
	Text   string // what is the matter
	Next   string // what to do about it
	Detail string
	// PlaceInLine is from 1 on, for who waits because all licenses are given.
	PlaceInLine int
}

// In says that an assignment at Apple is of the book's stock.
func In(row license.Row, b book.Book) bool {
	return row.Location == b.Location && row.Pricing == b.Asset.PricingParam
}

// concerns says that a license was wanted from, or is held in, the book's stock.
func concerns(l license.License, b book.Book) bool {
	return l.Location == b.Location && l.Pricing == b.Asset.PricingParam ||
		slices.ContainsFunc(l.Rows, func(row license.Row) bool { return In(row, b) })
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

// Concerned leaves those of a title's licenses that the book has to do with: its own, and those of people whom its wishes
// cover and who have the title from elsewhere.
func (v *View) Concerned(ctx context.Context, page []license.Doc) (docs []license.Doc, err error) {
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

// Show says how a person stands by their license, as Current gives it.
func (v *View) Show(ctx context.Context, l license.License) (Pair, error) {
	if d, is := elsewhere(l, v.book); is {
		return shown(license.License{State: stateBy(d), Reason: d.Reason, Detail: d.Detail}), nil
	}
	p := shown(l)
	switch here := l.Location == v.book.Location; {
	case here && v.stopped != "":
		v.stop(&p)
	case here && l.Reason == assign.NoStock && l.State == license.Waiting:
		if err := v.lineUp(ctx); err != nil {
			return p, err
		}
		if p.PlaceInLine = v.line[l.PersonID]; p.PlaceInLine > 0 {
			p.Text = fmt.Sprintf("%s Place %d in the line.", p.Text, p.PlaceInLine)
		}
	}
	return p, nil
}

func shown(l license.License) Pair {
	why := assign.Standing(l)
	return Pair{State: l.State, Reason: l.Reason, Detail: l.Detail, Text: why.Text, Next: why.Next}
}

// stateBy is the state to which a decision leads.
func stateBy(d assign.Decision) license.State {
	return map[assign.Verdict]license.State{
		assign.Give: license.Wanted, assign.Wait: license.Waiting, assign.Refuse: license.Refused,
	}[d.Verdict]
}

// stop shows a pair that isn't settled at a location that has stopped: its worker looks at nothing there, so what is
// stored of it is what was so before.
func (v *View) stop(p *Pair) {
	why := assign.Explain(assign.Stopped)
	why.Text = strings.TrimSuffix(why.Text, ".") + " (" + v.stopped + ")."
	switch p.State {
	case license.Waiting, license.Wanted:
		p.State, p.Reason, p.Detail, p.Text = license.Waiting, assign.Stopped, v.stopped, why.Text
	case license.Reserved: // also then its batch alone may send it
		p.Text += " " + why.Text
	default:
		return
	}
	p.Next = cmp.Or(v.remedy, why.Next)
}

// lineUp puts those who wait for stock into the order in which it is given out: by the wishes, then by how long they wait.
func (v *View) lineUp(ctx context.Context) error {
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
	line = append(line, v.joining...)
	slices.SortStableFunc(line, func(a, b license.License) int {
		return cmp.Or(rank[a.Cause.AssignmentID]-rank[b.Cause.AssignmentID], bySeniority(a, b))
	})
	v.line = make(map[string]int, len(line))
	for i, l := range line {
		v.line[l.PersonID] = i + 1
	}
	return nil
}

// bySeniority orders people by since when they wait; those for whom nobody has noted that yet come last.
func bySeniority(a, b license.License) int {
	switch {
	case a.Asked.IsZero() == b.Asked.IsZero():
		return cmp.Or(a.Asked.Compare(b.Asked), strings.Compare(a.PersonID, b.PersonID))
	case a.Asked.IsZero():
		return 1
	}
	return -1
}
