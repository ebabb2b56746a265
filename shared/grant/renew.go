package grant

import (
	"context"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
)

// renew decides anew for every pair of a turn, and returns what is to be given of it. If anything has come between but our own
// giving of the turn, everything is looked at: others may get what these don't need, or are told why they wait.
func (g Granter) renew(ctx context.Context, site assign.Site, t turn) ([]draft, error) {
	reasons := make(causes)
	var pairs []pair
	stale := len(t.Titles) == 0
	for i, asset := range t.Titles {
		b, err := book.Load(ctx, g.Store.ReadStore, book.ID(g.Record.Location, asset))
		if err != nil {
			return nil, err
		}
		wishes, err := assign.Load(ctx, g.Store.ReadStore, b.Value)
		if err != nil {
			return nil, err
		}
		if wishes.Version != t.Wishes[i] {
			stale = true
			continue
		}
		lines, err := g.surveyor().Renew(ctx, site, b.Value, wishes.Value, t.People, t.groups(i))
		if err != nil {
			return nil, err
		}
		stale = stale || len(lines) < len(t.People)
		for _, line := range lines {
			switch {
			case line.Decision.Verdict == assign.Give:
				pairs = append(pairs, pair{asset, line.Person.ID, reasons.shared(line.Cause(b.Value.ID)), line.License})
			case !g.gave(line):
				stale = true
			}
		}
	}
	if stale {
		if err := g.again(ctx); err != nil {
			return nil, err
		}
	}
	if err := g.relist(ctx, pairs); err != nil {
		return nil, err
	}
	return g.group(pairs), nil
}

// gave says that the pair is, or was, given here under the very wish: of this turn, by a worker that died before it noted that
// the turn was over.
func (g Granter) gave(line assign.Line) bool {
	l := line.License.Value
	had := line.Decision.Reason == assign.Owned || line.Decision.Reason == assign.Underway
	return had && !l.Found && l.Location == g.Record.Location && l.Cause != nil && l.Cause.AssignmentID == line.Wish.ID
}

// causes are shared by the pairs that are given for one reason.
type causes map[license.Cause]*license.Cause

func (c causes) shared(cause license.Cause) *license.Cause {
	if c[cause] == nil {
		c[cause] = &cause
	}
	return c[cause]
}

// draft is a batch to be: each title for each person.
type draft struct {
	titles []apple.AssetKey
	people []string
	pairs  map[[2]string]pair // by adamId and person
}

// found are some pairs of a draft as the look has found them that made the turn.
func (d draft) found(t turn, people []string, titles []apple.AssetKey) (pairs []found) {
	wishes := make(map[apple.AssetKey]string, len(t.Titles))
	for i, asset := range t.Titles {
		wishes[asset] = t.Wishes[i]
	}
	for _, id := range people {
		for _, asset := range titles {
			cause := d.pairs[[2]string{asset.AdamID, id}].cause
			pairs = append(pairs, found{id, &order{asset, wishes[asset], cause.GroupID}})
		}
	}
	return pairs
}

// group makes as few batches of pairs as Apple's present limits allow.
func (g Granter) group(pairs []pair) []draft {
	var drafts []draft
	for _, b := range bundles(g.Limits, pairs) {
		d := draft{titles: b.titles, people: b.people, pairs: make(map[[2]string]pair)}
		for _, set := range b.pairs {
			for _, p := range set {
				d.pairs[[2]string{p.asset.AdamID, p.to}] = p
			}
		}
		drafts = append(drafts, d)
	}
	return drafts
}
