package book_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/world"
)

var start = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)

func newStore() *table.Store {
	v := world.NewVirtual(1, start)
	return table.NewStore(mem.New(v), v.World())
}

func asset(adamID, pricing string) apple.AssetKey {
	return apple.AssetKey{AdamID: adamID, PricingParam: pricing}
}

func bookOf(location string, a apple.AssetKey) book.Book {
	return book.Book{ID: book.ID(location, a), Location: location, Asset: a}
}

func put(t *testing.T, store *table.Store, doc book.Doc) {
	t.Helper()
	if err := book.Store(t.Context(), store, doc); err != nil {
		t.Fatal(err)
	}
}

// bulks is a table that notes the bulk writes, and breaks down at one of them.
type bulks struct {
	*mem.Table
	writes [][]table.Key
	breaks int // at which write; 0: none
}

func (b *bulks) PutMany(ctx context.Context, token string, items ...table.Item) ([]table.Item, table.Units, error) {
	if len(b.writes)+1 == b.breaks {
		return nil, table.Units{}, errors.New("made-up death")
	}
	keys := make([]table.Key, len(items))
	for i, item := range items {
		keys[i] = item.Key
	}
	b.writes = append(b.writes, keys)
	return b.Table.PutMany(ctx, token, items...)
}

func newBulks() (*bulks, *table.Store) {
	v := world.NewVirtual(1, start)
	b := &bulks{Table: mem.New(v)}
	return b, table.NewStore(b, v.World())
}

// Administrators' scripts keep these ids: this test may never be changed to make it pass.
func TestABooksIDNeverChanges(t *testing.T) {
	for want, b := range map[string]book.Book{
		"b5adfa48-f2dd-5130-9da1-cd24388c3a2b": bookOf("1000000000000001", asset("900000001", apple.PricingSTDQ)),
		"ffacbdaf-b571-5d0f-a90b-f767679a8a99": bookOf("1000000000000001", asset("900000001", apple.PricingPLUS)),
		"79c47d82-9cac-548b-af08-56daed71900f": bookOf("1000000000000002", asset("900000001", apple.PricingSTDQ)),
	} {
		if b.ID != want {
			t.Errorf("%s of location %s: id %s, want %s", b.Asset, b.Location, b.ID, want)
		}
	}
}

func TestABookIsFoundByItsID(t *testing.T) {
	engine, store := newBulks()
	want := bookOf("1000", asset("1", apple.PricingSTDQ))
	want.Title.Name, want.Total, want.Created = "Momo", 7, start
	put(t, store, book.Doc{Value: want})
	doc, err := book.Load(t.Context(), store.ReadStore, want.ID)
	if err != nil || doc.Value.ID != want.ID || doc.Value.Title.Name != "Momo" || doc.Value.Total != 7 {
		t.Fatalf("loaded %+v with error %v, want %+v", doc.Value, err, want)
	}
	doc.Value.Total = 8
	engine.writes = nil
	put(t, store, doc)
	if len(engine.writes) != 1 || len(engine.writes[0]) != 1 {
		t.Errorf("a known book is %v, want itself only", engine.writes)
	}
	if doc, err = book.Load(t.Context(), store.ReadStore, want.ID); err != nil || doc.Value.Total != 8 {
		t.Errorf("loaded total %d with error %v, want 8", doc.Value.Total, err)
	}
}

// A bulk write may do its items in any order, and half of them.
func TestNoBookIsWrittenTogetherWithThePointersToBooks(t *testing.T) {
	a, b := bookOf("1000", asset("1", apple.PricingSTDQ)), bookOf("1000", asset("2", apple.PricingSTDQ))
	engine, store := newBulks()
	if err := book.Store(t.Context(), store, book.Doc{Value: a}, book.Doc{Value: b}); err != nil {
		t.Fatal(err)
	}
	isBook := func(k table.Key) bool {
		return k == book.Key(a.Location, a.Asset) || k == book.Key(b.Location, b.Asset)
	}
	if w := engine.writes; len(w) != 2 || slices.ContainsFunc(w[0], isBook) || len(w[0]) != 2 || !isBook(w[1][0]) || !isBook(w[1][1]) {
		t.Errorf("writes %v, want the pointers, then the books", w)
	}
}

func TestABookThatIsNotThereIsTheCallersProblem(t *testing.T) {
	_, store := newBulks()
	b := bookOf("1000", asset("1", apple.PricingSTDQ))
	engine, half := newBulks()
	engine.breaks = 2 // between the pointer and the book
	if err := book.Store(t.Context(), half, book.Doc{Value: b}); err == nil {
		t.Fatal("it didn't break")
	}
	for name, in := range map[string]*table.Store{"unknown": store, "only its pointer is stored": half} {
		if _, err := book.Load(t.Context(), in.ReadStore, b.ID); problem.KindOf(err) != problem.NotFound {
			t.Errorf("%s: error %v, want a problem of kind NotFound", name, err)
		}
	}
}

func TestALocationListsItsOwnBooksByTitle(t *testing.T) {
	store := newStore()
	for _, b := range []book.Book{
		bookOf("1000", asset("2", apple.PricingSTDQ)), bookOf("1000", asset("1", apple.PricingSTDQ)),
		bookOf("1000", asset("1", apple.PricingPLUS)), bookOf("10000", asset("3", apple.PricingSTDQ)),
	} {
		put(t, store, book.Doc{Value: b})
	}
	var got string
	for doc, err := range book.OfLocation(t.Context(), store.ReadStore, "1000") {
		if err != nil {
			t.Fatal(err)
		}
		got += doc.Value.Asset.AdamID + doc.Value.Asset.PricingParam + " "
	}
	if want := "1PLUS 1STDQ 2STDQ "; got != want {
		t.Errorf("listed %q, want %q", got, want)
	}
}

func TestABookIsCalledByItsTitleOrItsNumber(t *testing.T) {
	b := bookOf("1000", asset("42", apple.PricingSTDQ))
	if got := b.Name(); got != "Title 42" {
		t.Errorf("without a title it is called %q", got)
	}
	b.Title.Name = "Momo"
	if got := b.Name(); got != "Momo" {
		t.Errorf("with a title it is called %q", got)
	}
}

func TestOnlyApplesLargestCountMeansUnlimited(t *testing.T) {
	for total, want := range map[int]bool{0: false, apple.Unlimited - 1: false, apple.Unlimited: true} {
		if got := (book.Book{Total: total}).Unlimited(); got != want {
			t.Errorf("a total of %d is unlimited: %v, want %v", total, got, want)
		}
	}
}
