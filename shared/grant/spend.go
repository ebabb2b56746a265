package grant

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/mark"
)

// Spend gives what the wishes of the subjects ask for (mark.SubjectAll, SubjectBook, SubjectGroup), as far as batches
// may be under way at once. For what is left over there is always a batch under way whose end marks all grants anew.
func (g Granter) Spend(ctx context.Context, subjects []string) error {
	site, err := g.surveyor().LoadSite(ctx, g.Record) // law 5: open batches are read before the stock is counted
	if err != nil {
		return err
	}
	if len(site.Batches) >= g.Pace.MaxOpen {
		return nil
	}
	pairs, missing, err := g.ask(ctx, site, subjects)
	if err != nil {
		return err
	}
	if missing {
		op := mark.New(g.Record.Location, mark.Readers, mark.SubjectAll, g.World.Now())
		if _, err := g.Store.Commit(ctx, op); err != nil {
			return fmt.Errorf("marking the missing readers: %w", err)
		}
	}
	if len(pairs) == 0 {
		return nil
	}
	// Law 3: who is associated is Apple's word of this very job.
	seen, err := g.Readers.Refresh(ctx, g.State.UsersSince())
	if err != nil {
		return err
	}
	if len(g.State.Run) == 0 { // a sync that is under way reads its pages since its own id
		g.State.UsersSeen = seen
	}
	if err := g.relist(ctx, pairs); err != nil {
		return err
	}
	drafts := g.group(pairs, g.Pace.MaxOpen-len(site.Batches))
	var stock *stock
	for i, d := range drafts {
		if !g.World.Now().Before(g.Until) {
			return g.again(ctx)
		}
		if stock, err = g.fresh(ctx, stock, site, drafts[i:]); err != nil {
			return err
		}
		if err := g.give(ctx, d, stock); err != nil {
			return err
		}
	}
	return nil
}

// draft is a batch to be: each title for each person.
type draft struct {
	titles []apple.AssetKey
	people []string
	pairs  map[[2]string]pair // by adamId and person
}

// group makes at most so many batches: people who lack the same set of titles share requests, as many titles and people
// each as Apple allows now.
func (g Granter) group(pairs []pair, most int) []draft {
	sets := make(map[string][]pair) // by person
	var order []string
	for _, p := range pairs {
		if _, ok := sets[p.person]; !ok {
			order = append(order, p.person)
		}
		sets[p.person] = append(sets[p.person], p)
	}
	shared := make(map[string][]string) // set of titles to people
	var names []string
	for _, person := range order {
		name := setName(sets[person])
		if _, ok := shared[name]; !ok {
			names = append(names, name)
		}
		shared[name] = append(shared[name], person)
	}
	var drafts []draft
	for _, name := range names {
		for people := range slices.Chunk(shared[name], max(g.Limits.MaxClientUserIDs, 1)) {
			for titles := range slices.Chunk(sets[people[0]], max(g.Limits.MaxAssets, 1)) {
				if len(drafts) == most {
					return drafts
				}
				drafts = append(drafts, newDraft(titles, people, sets))
			}
		}
	}
	return drafts
}

func setName(pairs []pair) string {
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.asset.AdamID, b.asset.AdamID) })
	var name strings.Builder
	for _, p := range pairs {
		name.WriteString(p.asset.AdamID + "#" + p.asset.PricingParam + " ")
	}
	return name.String()
}

func newDraft(titles []pair, people []string, sets map[string][]pair) draft {
	d := draft{people: people, pairs: make(map[[2]string]pair)}
	wanted := make(map[apple.AssetKey]bool)
	for _, t := range titles {
		d.titles = append(d.titles, t.asset)
		wanted[t.asset] = true
	}
	for _, person := range people {
		for _, p := range sets[person] {
			if wanted[p.asset] {
				d.pairs[[2]string{p.asset.AdamID, person}] = p
			}
		}
	}
	return d
}
