package book

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
)

// Book is one title in one quality as stocked by one location.
type Book struct {
	ID       string         `json:"id"`
	Location string         `json:"location"` // uId
	Asset    apple.AssetKey `json:"asset"`
	// Total, Assigned, Available and Retired are Apple's counts. Apple gives no formula that binds them. They are as old
	// as the location's last reading of all counts (token.Sync.Counted), or as Counted if that is younger: when these
	// were last read by themselves, or changed.
	Total     int       `json:"total"`
	Assigned  int       `json:"assigned"`
	Available int       `json:"available"`
	Retired   int       `json:"retired,omitempty"`
	Counted   time.Time `json:"counted"`
	// Missing says since when Apple's listing has lacked the book. It stays, because its licenses do.
	Missing time.Time `json:"missing,omitzero"`
	// Title is what the catalog says; TitleAt is when it was asked, zero while it has not been.
	Title    apple.Title `json:"title"`
	TitleAt  time.Time   `json:"titleAt,omitzero"`
	Created  time.Time   `json:"created"`
	Modified time.Time   `json:"modified"`
}

// Doc is a book with its place in the table.
type Doc = table.Doc[Book]

// Unlimited says that the stock never ends.
func (b Book) Unlimited() bool { return b.Total >= apple.Unlimited }

// Name is the title as people know it, or the store's number while the catalog hasn't told.
func (b Book) Name() string {
	if b.Title.Name == "" {
		return "Title " + b.Asset.AdamID
	}
	return b.Title.Name
}

// namespace is the UUID namespace of book ids. It must never change: administrators' scripts keep these ids.
const namespace = "9c0b1f8e-52f2-5d0c-9a37-1d1b8f7a6c41"

// ID is the id of a book: the same in every installation.
func ID(location string, asset apple.AssetKey) string {
	name := location + "/" + asset.AdamID + "/" + asset.PricingParam
	return uuid.NewSHA1(uuid.MustParse(namespace), []byte(name)).String()
}

// Key is where a book is. A location's books are one partition: written by its syncs alone, a page of the listing at a
// time.
func Key(location string, asset apple.AssetKey) table.Key {
	return table.Key{Part: "books#" + location, Sort: asset.AdamID + "#" + asset.PricingParam}
}

// pointer leads from a book's id to the book.
type pointer struct {
	Location string         `json:"location"`
	Asset    apple.AssetKey `json:"asset"`
}

// Store stores books, after the pointers to those that are new: whoever lists a book must be able to open it, and a bulk
// write may leave any of its items out when the process dies.
func Store(ctx context.Context, store *table.Store, docs ...Doc) error {
	var pointers, books []table.Item
	for _, doc := range docs {
		b := doc.Value
		doc.Key = Key(b.Location, b.Asset)
		item, err := doc.Encode()
		if err != nil {
			return err
		}
		books = append(books, item)
		if doc.Version != "" {
			continue
		}
		p, err := table.Encode(table.Key{Part: "book#" + b.ID, Sort: "at"}, pointer{b.Location, b.Asset})
		if err != nil {
			return err
		}
		pointers = append(pointers, p)
	}
	for _, items := range [][]table.Item{pointers, books} {
		if err := store.PutAll(ctx, items...); err != nil {
			return fmt.Errorf("storing %d books: %w", len(docs), err)
		}
	}
	return nil
}

// Load returns a book by its id, or a problem that names the id.
func Load(ctx context.Context, store *table.ReadStore, id string) (Doc, error) {
	var doc Doc
	p, err := table.Load[pointer](ctx, store, table.Key{Part: "book#" + id, Sort: "at"})
	if err == nil { // the pointer may be there before its book
		doc, err = table.Load[Book](ctx, store, Key(p.Value.Location, p.Value.Asset))
	}
	if errors.Is(err, table.ErrAbsent) {
		return Doc{}, problem.New(problem.NotFound, "ResourceNotFound",
			"There is no book with the id %q. GET /v1.0/deviceAppManagement/managedEBooks lists those that there are.", id)
	}
	if err != nil {
		return Doc{}, fmt.Errorf("reading book %s: %w", id, err)
	}
	return doc, nil
}

// OfLocation walks the books of a location.
func OfLocation(ctx context.Context, store *table.ReadStore, location string) iter.Seq2[Doc, error] {
	return table.Docs[Book](store.Each(ctx, table.Range{Part: "books#" + location}))
}
