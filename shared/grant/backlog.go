package grant

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// backlog is what looks at the wishes have found to give and no batch has taken yet, turn by turn. A look costs as much as
// everybody whom the wishes cover; so one is had when something has changed, and a batch that ends well is followed by the
// next turns. A turn is never believed: when it comes, each of its pairs is decided anew (renew). Where that is no longer
// what the look found, there is another look; so what is out of date costs reads, never a license.
type backlog struct {
	// Look names the items of the turns. What a slower worker stores has another name, and nobody reads it.
	Look  string    `json:"look"`
	Since time.Time `json:"since"` // when the oldest look began that found a turn
	Next  int       `json:"next"`  // the turn that comes next
	Turns int       `json:"turns"`
	// Short are books of which there seemed to be too few licenses while batches with them were under way: those are taken
	// off the stock although Apple may have counted them already (law 5). When they have ended, the books are looked at.
	Short []apple.AssetKey `json:"short,omitempty"`
}

// backlogFor is how old a backlog may become. What renewing doesn't see (assign.Surveyor.Renew) is minded otherwise but for one
// thing: a person of ours whose Apple Account is another one's too, and who gets the title by another location meanwhile.
const backlogFor = 5 * time.Minute

// keepTurns is how long turns are kept that a worker has stored and not come to remove.
const keepTurns = 7 * 24 * time.Hour

func (b backlog) left() int { return b.Turns - b.Next }

// due are the subjects of looks that the backlog is due for: everything if it is old, otherwise the books that seemed short.
func (b backlog) due(site assign.Site, now time.Time) (subjects []string) {
	if b.left() > 0 && now.Sub(b.Since) > backlogFor {
		return []string{mark.SubjectAll}
	}
	for _, asset := range b.Short {
		if !holding(site.Batches, asset) {
			subjects = append(subjects, mark.SubjectBook(book.ID(site.Token.Location, asset)))
		}
	}
	return subjects
}

// holding says that one of the batches is for the book.
func holding(batches []license.BatchDoc, asset apple.AssetKey) bool {
	return slices.ContainsFunc(batches, func(doc license.BatchDoc) bool { return slices.Contains(doc.Value.Titles, asset) })
}

type backlogDoc = table.Doc[backlog]

func backlogPart(location string) string { return "backlog#" + location }

func backlogKey(location string) table.Key {
	return table.Key{Part: backlogPart(location), Sort: "head"}
}

func (g Granter) turnKey(b backlog, n int) table.Key {
	return table.Key{Part: backlogPart(g.Record.Location), Sort: fmt.Sprintf("%s#%06d", b.Look, n)}
}

func (g Granter) backlog(ctx context.Context) (backlogDoc, error) {
	doc, err := table.LoadOrZero[backlog](ctx, g.Store, backlogKey(g.Record.Location))
	if err != nil {
		return doc, fmt.Errorf("reading the backlog of location %s: %w", g.Record.Location, err)
	}
	return doc, nil
}

// turns are the next turns of a backlog, at most so many. One that is absent is empty: it says of its pairs nothing at all.
func (g Granter) turns(ctx context.Context, b backlog, most int) ([]turn, error) {
	keys := make([]table.Key, min(most, b.left()))
	for i := range keys {
		keys[i] = g.turnKey(b, b.Next+i)
	}
	found, err := table.LoadMany[turn](ctx, g.Store.ReadStore, keys)
	if err != nil {
		return nil, fmt.Errorf("reading the backlog of location %s: %w", g.Record.Location, err)
	}
	turns := make([]turn, len(keys))
	for i, key := range keys {
		turns[i] = found[key].Value
	}
	return turns, nil
}

// keep puts what a look has found into the backlog, in place of what earlier ones found for the same books. A look at
// everything begins it anew: what it had no time for is marked, and looked at next. It says false when another worker has
// changed the backlog since it was read.
func (g Granter) keep(ctx context.Context, doc *backlogDoc, a *asking, everything bool) (bool, error) {
	before := doc.Value
	var rest []turn
	var short []apple.AssetKey
	if !everything {
		var err error
		if rest, err = g.turns(ctx, before, before.left()); err != nil {
			return false, err
		}
		short = slices.DeleteFunc(slices.Clone(before.Short), func(b apple.AssetKey) bool { return a.looked[b] })
	}
	turns, err := g.turnsOf(a.pairs, a.began)
	if err != nil {
		return false, err
	}
	short = append(short, a.short...)
	changed := everything && before.left() > 0 || slices.ContainsFunc(rest, func(t turn) bool { return t.has(a.looked) })
	if len(turns) == 0 && !changed && slices.Equal(short, before.Short) {
		return true, nil
	}
	return g.replace(ctx, doc, slices.Concat(without(rest, a.looked), turns), short)
}

// requeue ends the next turn, and puts what could not be given of it before the others. Short are further books that seemed
// short. It says false when another worker has changed the backlog since it was read.
func (g Granter) requeue(ctx context.Context, doc *backlogDoc, left []turn, short []apple.AssetKey) (bool, error) {
	rest := doc.Value
	rest.Next++
	turns, err := g.turns(ctx, rest, rest.left())
	if err != nil {
		return false, err
	}
	for _, asset := range rest.Short {
		if !slices.Contains(short, asset) {
			short = append(short, asset)
		}
	}
	return g.replace(ctx, doc, slices.Concat(left, turns), short)
}

// replace makes a new backlog of turns, unless another worker has changed it since it was read.
func (g Granter) replace(ctx context.Context, doc *backlogDoc, turns []turn, short []apple.AssetKey) (bool, error) {
	before := doc.Value
	doc.Value = backlog{Look: world.NewID(g.World), Short: short}
	if err := g.storeTurns(ctx, &doc.Value, turns); err != nil {
		return false, err
	}
	if ok, err := g.saveBacklog(ctx, doc); err != nil || !ok {
		return false, err
	}
	return true, g.removeTurns(ctx, before, before.Next, before.Turns)
}

// without are the turns without the books that were looked at; those of which nothing is left are left out.
func without(turns []turn, looked map[apple.AssetKey]bool) []turn {
	var kept []turn
	for _, t := range turns {
		if t = t.without(looked); len(t.Titles) > 0 {
			kept = append(kept, t)
		}
	}
	return kept
}

func (g Granter) storeTurns(ctx context.Context, b *backlog, turns []turn) error {
	now := g.World.Now()
	b.Since, b.Turns = now, len(turns)
	items := make([]table.Item, len(turns))
	for i, t := range turns {
		if t.Looked.Before(b.Since) {
			b.Since = t.Looked
		}
		item, err := table.Encode(g.turnKey(*b, i), t)
		if err != nil {
			return err
		}
		item.Expires = now.Add(keepTurns)
		items[i] = item
	}
	if err := g.Store.PutAll(ctx, items...); err != nil {
		return fmt.Errorf("storing the backlog of location %s: %w", g.Record.Location, err)
	}
	return nil
}

// saveBacklog stores where the backlog is. It says false when another worker was faster.
func (g Granter) saveBacklog(ctx context.Context, doc *backlogDoc) (bool, error) {
	op, err := doc.Save()
	if err != nil {
		return false, err
	}
	version, err := g.Store.Commit(ctx, op)
	if license.IsConflict(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("storing the backlog of location %s: %w", g.Record.Location, err)
	}
	doc.Version = version
	return true, nil
}

// over notes that the next turn is over, and removes it. It says false when another worker was faster.
func (g Granter) over(ctx context.Context, doc *backlogDoc) (bool, error) {
	before := doc.Value
	doc.Value.Next++
	if ok, err := g.saveBacklog(ctx, doc); err != nil || !ok {
		return false, err
	}
	return true, g.removeTurns(ctx, before, before.Next, before.Next+1)
}

func (g Granter) removeTurns(ctx context.Context, b backlog, from, to int) error {
	var keys []table.Key
	for n := from; n < to; n++ {
		keys = append(keys, g.turnKey(b, n))
	}
	if err := g.Store.DeleteAll(ctx, keys...); err != nil {
		return fmt.Errorf("removing from the backlog of location %s: %w", g.Record.Location, err)
	}
	return nil
}
