package grant

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/syncrun"
)

// stock is what may still be spent of each book, as of one reading of Apple's counts. Law 5: available then, less our
// pairs that were open when the reading began, less what was taken since.
type stock struct {
	free map[apple.AssetKey]int
	read time.Time
}

// count reads the counts of books anew: title by title, or the whole listing when that is shorter.
func (g Granter) count(ctx context.Context, site assign.Site, books []apple.AssetKey) (*stock, error) {
	wanted := make(map[apple.AssetKey]bool)
	var titles []string
	for _, b := range books {
		if !wanted[b] {
			wanted[b] = true
			titles = append(titles, b.AdamID)
		}
	}
	slices.Sort(titles)
	titles = slices.Compact(titles)
	queries := []apple.AssetQuery{{ProductType: apple.ProductBook}}
	if len(titles) < max(g.State.AssetPages, 1) {
		queries = nil
		for _, adamID := range titles {
			queries = append(queries, apple.AssetQuery{ProductType: apple.ProductBook, AdamID: adamID})
		}
	}
	s := &stock{free: make(map[apple.AssetKey]int), read: g.World.Now()}
	for _, q := range queries {
		err := g.Apple.AssetPages(ctx, q, 0, func(_ apple.Page, rows []apple.Asset) error {
			for _, row := range rows {
				if wanted[row.AssetKey] {
					if err := g.counted(ctx, site, row, s); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading the stock of %d titles: %w", len(titles), err)
		}
	}
	return s, g.unlisted(ctx, books, s)
}

// unlisted notes that books which Apple doesn't list have nothing to give, and has a sync find out whether they are gone:
// they may have slipped between two pages. Otherwise they would be found to be given again and again.
func (g Granter) unlisted(ctx context.Context, books []apple.AssetKey, s *stock) error {
	for _, asset := range books {
		if _, listed := s.free[asset]; listed {
			continue
		}
		s.free[asset] = 0
		doc, err := book.Load(ctx, g.Store.ReadStore, book.ID(g.Record.Location, asset))
		if err != nil {
			return err
		}
		doc.Value.Total, doc.Value.Available, doc.Value.Counted = 0, 0, g.World.Now()
		if err := book.Store(ctx, g.Store, doc); err != nil {
			return err
		}
		op := mark.New(g.Record.Location, mark.Sync, mark.SyncSpent, g.World.Now())
		if _, err := g.Store.Commit(ctx, op); err != nil {
			return fmt.Errorf("marking a sync of location %s: %w", g.Record.Location, err)
		}
	}
	return nil
}

// fresh is the stock for the turns that are left, counted anew if there is none or it would become too old while another
// batch is reserved: that batch would then have been prepared in vain.
func (g Granter) fresh(ctx context.Context, s *stock, turns []turn) (*stock, error) {
	if s != nil && g.World.Now().Sub(s.read) < freshFor/2 {
		return s, nil
	}
	var books []apple.AssetKey
	for _, t := range turns {
		books = append(books, t.Titles...)
	}
	site, err := g.surveyor().LoadSite(ctx, g.Record) // law 5: all batches that are open now, before the stock is counted
	if err != nil {
		return nil, err
	}
	return g.count(ctx, site, books)
}

// counted takes one row of Apple's counts into the stock and into the book.
func (g Granter) counted(ctx context.Context, site assign.Site, row apple.Asset, s *stock) error {
	doc, err := book.Load(ctx, g.Store.ReadStore, book.ID(g.Record.Location, row.AssetKey))
	if err != nil {
		return err
	}
	before := doc.Value
	doc, changed := syncrun.Counted(doc, g.Record.Location, row, g.World.Now())
	s.free[row.AssetKey] = site.Free(doc.Value)
	if !changed {
		return nil
	}
	if doc.Value.Total > before.Total || doc.Value.Available > before.Available { // there is more for those who wait
		if err := g.markGrants(ctx, mark.SubjectBook(doc.Value.ID), g.World.Now()); err != nil {
			return err
		}
	}
	return book.Store(ctx, g.Store, doc)
}

// room is for how many people all the titles suffice.
func (s *stock) room(titles []apple.AssetKey) int {
	room := math.MaxInt
	for _, t := range titles {
		room = min(room, s.free[t])
	}
	return max(room, 0)
}

func (s *stock) take(titles []apple.AssetKey, people int) {
	for _, t := range titles {
		if s.free[t] != math.MaxInt {
			s.free[t] -= people
		}
	}
}
