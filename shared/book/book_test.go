package book_test

import (
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
	if err := book.Put(t.Context(), store, doc); err != nil {
		t.Fatal(err)
	}
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
	store := newStore()
	want := bookOf("1000", asset("1", apple.PricingSTDQ))
	want.Title.Name, want.Total, want.Created = "Momo", 7, start
	put(t, store, book.Doc{Value: want})
	doc, err := book.Load(t.Context(), store.ReadStore, want.ID)
	if err != nil || doc.Value.ID != want.ID || doc.Value.Title.Name != "Momo" || doc.Value.Total != 7 {
		t.Fatalf("loaded %+v with error %v, want %+v", doc.Value, err, want)
	}
	doc.Value.Total = 8
	put(t, store, doc)
	if doc, err = book.Load(t.Context(), store.ReadStore, want.ID); err != nil || doc.Value.Total != 8 {
		t.Errorf("loaded total %d with error %v, want 8", doc.Value.Total, err)
	}
}

// Writes in bulk are left undone one by one, in whatever order: whoever lists a book must be able to open it all the same.
func TestABookThatIsListedIsFoundWhereverItsWriterDied(t *testing.T) {
	for seed := range uint64(50) {
		v := world.NewVirtual(seed, start)
		m := mem.New(v)
		store := table.NewStore(m, v.World())
		docs := []book.Doc{}
		for _, id := range []string{"1", "2", "3"} {
			docs = append(docs, book.Doc{Value: bookOf("1000", asset(id, apple.PricingSTDQ))})
		}
		n := 0
		m.SetFaults(mem.Faults{Chance: v.IntN, LeaveOneIn: 2, Before: func(mem.Call) error {
			if n++; n > v.IntN(4) {
				return mem.ErrCrashed
			}
			return nil
		}})
		_ = book.Put(t.Context(), store, docs...) // the writer dies in most seeds
		m.SetFaults(mem.Faults{})
		for doc, err := range book.OfLocation(t.Context(), store.ReadStore, "1000") {
			if err != nil {
				t.Fatal(err)
			}
			if _, err := book.Load(t.Context(), store.ReadStore, doc.Value.ID); err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
		}
	}
}

func TestABookThatIsNotThereIsTheCallersProblem(t *testing.T) {
	b := bookOf("1000", asset("1", apple.PricingSTDQ))
	v := world.NewVirtual(1, start)
	m := mem.New(v)
	half := table.NewStore(m, v.World())
	died, _ := mem.Crash(1, true) // between the pointer and the book
	m.SetFaults(died)
	if err := book.Put(t.Context(), half, book.Doc{Value: b}); err == nil {
		t.Fatal("the writer lived")
	}
	m.SetFaults(mem.Faults{})
	for name, in := range map[string]*table.Store{"unknown": newStore(), "only its pointer is stored": half} {
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
