package syncrun

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/book"
)

// assets reads all books with their counts. It is short (a page has several hundred books), so it isn't resumed in the
// middle but begun anew.
func (s *Syncer) assets(ctx context.Context) error {
	known, err := s.books(ctx)
	if err != nil {
		return err
	}
	seen := make(map[apple.AssetKey]bool)
	versions := make(map[string]bool)
	pages := 0
	began := s.World.Now()
	err = s.Apple.AssetPages(ctx, apple.AssetQuery{ProductType: apple.ProductBook}, 0,
		func(p apple.Page, rows []apple.Asset) error {
			versions[p.VersionID] = true
			pages++
			return s.storeAssets(ctx, rows, known, seen)
		})
	if err != nil {
		return fmt.Errorf("reading the books of location %s: %w", s.Record.Location, err)
	}
	if len(versions) == 1 { // otherwise a book may have slipped between pages
		if err := s.markMissing(ctx, known, seen); err != nil {
			return err
		}
	}
	s.run.Counts.Books = len(seen)
	s.State.Counted, s.State.AssetPages = began, pages
	all := len(seen)
	for asset := range known {
		if !seen[asset] {
			all++ // its licenses, and so its digest, stay
		}
	}
	if err := s.widen(ctx, all); err != nil {
		return err
	}
	s.enter(Titles)
	return nil
}

// widen gives the digests more buckets when the library has outgrown them. Which buckets hold is in the location's
// state: until that is stored, the old ones do.
func (s *Syncer) widen(ctx context.Context, books int) error {
	count := bucketsFor(books)
	if count <= s.digests.count {
		return nil
	}
	old := s.digests
	wider, err := old.spread(ctx, count)
	if err != nil {
		return err
	}
	s.State.Buckets, s.digests = count, wider
	s.sums = newDigests(s.Store, "sums", s.Record.Location, count) // none of this run are stored yet
	if err := s.checkpoint(ctx, true); err != nil {
		return err
	}
	return old.forget(ctx)
}

func (s *Syncer) books(ctx context.Context) (map[apple.AssetKey]book.Doc, error) {
	known := make(map[apple.AssetKey]book.Doc)
	for doc, err := range book.OfLocation(ctx, s.Store.ReadStore, s.Record.Location) {
		if err != nil {
			return nil, fmt.Errorf("reading the books of location %s: %w", s.Record.Location, err)
		}
		known[doc.Value.Asset] = doc
	}
	return known, nil
}

func (s *Syncer) storeAssets(
	ctx context.Context, rows []apple.Asset, known map[apple.AssetKey]book.Doc, seen map[apple.AssetKey]bool,
) error {
	var changes []book.Doc
	for _, row := range rows {
		if row.ProductType != apple.ProductBook || seen[row.AssetKey] {
			continue
		}
		seen[row.AssetKey] = true
		doc, changed := Counted(known[row.AssetKey], s.Record.Location, row, s.World.Now())
		if !changed {
			continue
		}
		changes = append(changes, doc)
		s.run.Counts.BooksChanged++
	}
	return book.Store(ctx, s.Store, changes...)
}

// Counted is a book with the counts that Apple lists, and whether that changes it.
func Counted(doc book.Doc, location string, row apple.Asset, now time.Time) (book.Doc, bool) {
	b := doc.Value
	b.Total, b.Assigned, b.Available, b.Retired = row.TotalCount, row.AssignedCount, row.AvailableCount, row.RetiredCount
	b.Missing = time.Time{}
	if doc.Version == "" {
		b.ID, b.Location, b.Asset = book.ID(location, row.AssetKey), location, row.AssetKey
		b.Created = now
	} else if sameCounts(b, doc.Value) {
		return doc, false
	}
	b.Counted, b.Modified = now, now
	doc.Value = b
	return doc, true
}

func sameCounts(a, b book.Book) bool {
	return a.Total == b.Total && a.Assigned == b.Assigned && a.Available == b.Available && a.Retired == b.Retired &&
		a.Missing.Equal(b.Missing)
}

func (s *Syncer) markMissing(
	ctx context.Context, known map[apple.AssetKey]book.Doc, seen map[apple.AssetKey]bool,
) error {
	var changes []book.Doc
	for asset, doc := range known {
		if seen[asset] || !doc.Value.Missing.IsZero() {
			continue
		}
		doc.Value.Missing, doc.Value.Modified = s.World.Now(), s.World.Now()
		doc.Value.Available = 0
		changes = append(changes, doc)
		s.run.Counts.BooksChanged++
	}
	slices.SortFunc(changes, func(a, b book.Doc) int { return a.Key.Compare(b.Key) })
	return book.Store(ctx, s.Store, changes...)
}

// How long the catalog's word is taken for, and how long its silence.
const (
	titleAge   = 30 * 24 * time.Hour
	silenceAge = 24 * time.Hour
	titleBatch = 150
)

// titles asks the catalog for the books that it hasn't been asked for lately. The catalog is another service, and only
// for people's eyes: its failure is noted and fails nothing.
func (s *Syncer) titles(ctx context.Context) error {
	known, err := s.books(ctx)
	if err != nil {
		return err
	}
	byID := make(map[string][]book.Doc)
	for _, doc := range known {
		if s.stale(doc.Value) {
			byID[doc.Value.Asset.AdamID] = append(byID[doc.Value.Asset.AdamID], doc)
		}
	}
	ids := make([]string, 0, len(byID))
	for id := range byID {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for chunk := range slices.Chunk(ids, titleBatch) {
		q := apple.TitleQuery{Platform: s.platform(), Country: s.Record.Country}
		found, err := s.Apple.Titles(ctx, q, chunk)
		if err != nil {
			s.run.Note = "the titles of new books could not be read: " + err.Error()
			s.Log.WarnContext(ctx, "titles not read", "location", s.Record.Location, "error", err)
			break
		}
		if err := s.storeTitles(ctx, chunk, found, byID); err != nil {
			return err
		}
		if err := s.tick(ctx); err != nil {
			return err
		}
	}
	s.enter(Users)
	return nil
}

func (s *Syncer) stale(b book.Book) bool {
	age := s.World.Now().Sub(b.TitleAt)
	return age > titleAge || b.Title.Name == "" && age > silenceAge
}

func (s *Syncer) platform() string {
	if s.Record.AccountType == "education" {
		return apple.PlatformEducation
	}
	return apple.PlatformBusiness
}

func (s *Syncer) storeTitles(
	ctx context.Context, ids []string, found map[string]apple.Title, byID map[string][]book.Doc,
) error {
	var changes []book.Doc
	for _, id := range ids {
		for _, doc := range byID[id] {
			doc.Value.TitleAt = s.World.Now()
			if t, ok := found[id]; ok {
				doc.Value.Title, doc.Value.Modified = t, s.World.Now()
			}
			changes = append(changes, doc)
		}
	}
	return book.Store(ctx, s.Store, changes...)
}
