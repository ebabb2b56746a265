package table_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

type book struct{ Title string }

func mustCommit(t *testing.T, s *scene, op table.Op, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	version, err := s.Commit(t.Context(), op)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func TestADocumentIsLoadedAsItWasSaved(t *testing.T) {
	s := newScene()
	doc := table.NewDoc(key("a"), book{"Momo"})
	doc.Expires = start.Add(time.Hour)
	doc.Index[0] = table.IndexKey{Part: "x", Sort: "1"}
	op, err := doc.Save()
	version := mustCommit(t, s, op, err)

	got, err := table.Load[book](t.Context(), s, key("a"))
	if err != nil || got.Value != doc.Value || got.Version != version || got.Index != doc.Index ||
		!got.Expires.Equal(doc.Expires) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestASavedDocumentMustBeAsItWasRead(t *testing.T) {
	for _, stored := range []bool{false, true} {
		for name, opOf := range map[string]func(table.Doc[book]) (table.Op, error){
			"save":      table.Doc[book].Save,
			"remove":    func(d table.Doc[book]) (table.Op, error) { return d.Remove(), nil },
			"unchanged": func(d table.Doc[book]) (table.Op, error) { return d.Unchanged(), nil },
		} {
			s := newScene()
			write := func(title string) {
				op, err := table.NewDoc(key("a"), book{title}).SaveIf(table.Any())
				mustCommit(t, s, op, err)
			}
			if stored {
				write("first")
			}
			doc, err := table.LoadOrZero[book](t.Context(), s, key("a"))
			if err != nil {
				t.Fatal(err)
			}
			op, err := opOf(doc)
			if err != nil {
				t.Fatal(err)
			}
			write("faster")
			if _, err := s.Commit(t.Context(), op); !errors.Is(err, table.ErrCondition) {
				t.Errorf("%s, stored %v: %v", name, stored, err)
			}
		}
	}
}

func TestAnUnchangedDocumentCanBeSavedAndRemoved(t *testing.T) {
	s := newScene()
	for _, title := range []string{"first", "second"} {
		doc, err := table.LoadOrZero[book](t.Context(), s, key("a"))
		if err != nil {
			t.Fatal(err)
		}
		mustCommit(t, s, doc.Unchanged(), nil)
		doc.Value.Title = title
		op, err := doc.Save()
		mustCommit(t, s, op, err)
	}
	doc, err := table.Load[book](t.Context(), s, key("a"))
	if err != nil || doc.Value.Title != "second" {
		t.Fatalf("got %+v, %v", doc, err)
	}
	mustCommit(t, s, doc.Remove(), nil)
	if _, err := table.Load[book](t.Context(), s, key("a")); !errors.Is(err, table.ErrAbsent) {
		t.Errorf("got %v", err)
	}
}

func TestLoadOrZeroHidesOnlyAbsence(t *testing.T) {
	s := newScene()
	doc, err := table.LoadOrZero[book](t.Context(), s, key("a"))
	if err != nil || doc.Key != key("a") || doc.Version != "" || doc.Value != (book{}) {
		t.Errorf("got %+v, %v", doc, err)
	}
	s.fail("Get", false, errLine)
	if _, err := table.LoadOrZero[book](t.Context(), s, key("a")); !errors.Is(err, errLine) {
		t.Errorf("got %v", err)
	}
}

func TestLoadManyAndDocsDecodeAll(t *testing.T) {
	s := newScene()
	for _, sort := range []string{"a", "b"} {
		op, err := table.NewDoc(key(sort), book{sort}).Save()
		mustCommit(t, s, op, err)
	}
	docs, err := table.LoadMany[book](t.Context(), s.ReadStore, []table.Key{key("b"), key("none"), key("a")})
	if err != nil || len(docs) != 2 || docs[key("b")].Value.Title != "b" {
		t.Errorf("got %+v, %v", docs, err)
	}
	var titles string
	for doc, err := range table.Docs[book](s.Each(t.Context(), table.Range{Part: "p"})) {
		if err != nil {
			t.Fatal(err)
		}
		titles += doc.Value.Title
	}
	if titles != "ab" {
		t.Errorf("titles %q", titles)
	}
}

func TestABodyThatDoesNotDecodeNamesItsKey(t *testing.T) {
	s := newScene()
	bad := table.Item{Key: key("a"), Body: []byte(`[]`)}
	mustCommit(t, s, table.Put(bad, table.Any()), nil)
	_, load := table.Load[book](t.Context(), s, key("a"))
	_, many := table.LoadMany[book](t.Context(), s.ReadStore, []table.Key{key("a")})
	_, encode := table.Encode(key("a"), func() {})
	_, save := table.NewDoc(key("a"), func() {}).Save()
	errs := []error{load, many, encode, save}
	for _, err := range table.Docs[book](s.Each(t.Context(), table.Range{Part: "p"})) {
		errs = append(errs, err)
	}
	if len(errs) != 5 {
		t.Errorf("%d errors", len(errs))
	}
	for i, err := range errs {
		if err == nil || !strings.Contains(err.Error(), "p/a") {
			t.Errorf("error %d: %v", i, err)
		}
	}
}
