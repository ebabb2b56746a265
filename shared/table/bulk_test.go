package table_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
)

func TestPutAllAndDeleteAllTakeAnyNumber(t *testing.T) {
	for _, n := range []int{0, 1, 25, 26, 261} {
		s := newScene()
		s.mem.SetFaults(mem.Faults{Chance: s.world.IntN, LeaveOneIn: 2})
		if err := s.PutAll(t.Context(), items(n)...); err != nil {
			t.Fatal(err)
		}
		if got := len(s.mem.Snapshot()); got != n {
			t.Errorf("%d stored of %d", got, n)
		}
		if err := s.DeleteAll(t.Context(), keys(items(n))...); err != nil {
			t.Fatal(err)
		}
		if got := len(s.mem.Snapshot()); got != 0 {
			t.Errorf("%d left of %d", got, n)
		}
	}
}

func TestPutAllSaysWhenItemsStayUnwritten(t *testing.T) {
	s := newScene()
	s.mem.SetFaults(mem.Faults{Chance: s.world.IntN, LeaveOneIn: 1})
	if err := s.PutAll(t.Context(), items(3)...); err == nil {
		t.Error("no error")
	}
	if err := s.DeleteAll(t.Context(), key("a")); err == nil {
		t.Error("no error")
	}
}

func TestPutAllRefusesTheWholeListForOneBadItem(t *testing.T) {
	large := item("large")
	large.Body = make([]byte, table.MaxBody+1)
	for name, bad := range map[string]table.Item{"too large": large, "twice": item("0000")} {
		s := newScene()
		if err := s.PutAll(t.Context(), append(items(60), bad)...); !errors.Is(err, table.ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
		if got := len(s.mem.Snapshot()); got != 0 {
			t.Errorf("%s: %d stored", name, got)
		}
	}
}

func TestPutAllRepeatsAnUnknownErrorTwice(t *testing.T) {
	for n, want := range map[int]error{2: nil, 3: errLine} {
		s := newScene()
		s.fail(mem.PutMany, true, repeated(errLine, n)...)
		if err := s.PutAll(t.Context(), items(3)...); !errors.Is(err, want) {
			t.Errorf("%d errors: %v", n, err)
		}
	}
}

func TestGetManyTakesAnyNumberAndReadsAKeyOnce(t *testing.T) {
	s := newScene()
	if err := s.PutAll(t.Context(), items(250)...); err != nil {
		t.Fatal(err)
	}
	before := s.Units()
	wanted := append(keys(items(260)), keys(items(250))...)
	found, err := s.GetMany(t.Context(), wanted)
	if err != nil || len(found) != 250 || string(found[key("0249")].Body) != "1" {
		t.Errorf("%d found, %v", len(found), err)
	}
	if read := s.Units().Read - before.Read; read != 260 {
		t.Errorf("%v units", read)
	}
	if none, err := s.GetMany(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("no keys: %v, %v", none, err)
	}
}

func TestEachWalksAllPages(t *testing.T) {
	s := newScene()
	if err := s.PutAll(t.Context(), items(30)...); err != nil {
		t.Fatal(err)
	}
	s.mem.SetFaults(mem.Faults{Chance: s.world.IntN, ShortPagesOneIn: 2})
	walk := s.Each(t.Context(), table.Range{Part: "p", Limit: 4})
	for range 2 { // a walk can be walked again
		var n int
		for got, err := range walk {
			if err != nil || got.Key != items(30)[n].Key {
				t.Fatalf("item %d is %v, %v", n, got.Key, err)
			}
			n++
		}
		if n != 30 {
			t.Errorf("%d items", n)
		}
	}
}

func TestEachReadsNoFurtherThanItsCallerGoes(t *testing.T) {
	s := newScene()
	if err := s.PutAll(t.Context(), items(9)...); err != nil {
		t.Fatal(err)
	}
	s.fail(mem.Query, false)
	var n int
	for _, err := range s.Each(t.Context(), table.Range{Part: "p", Limit: 3}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 4 {
			break
		}
	}
	if len(s.calls) != 2 {
		t.Errorf("%d pages read", len(s.calls))
	}
}

func TestEachYieldsAnErrorOnceAndEnds(t *testing.T) {
	s := newScene()
	if err := s.PutAll(t.Context(), items(5)...); err != nil {
		t.Fatal(err)
	}
	s.fail(mem.Query, false, nil, errLine)
	var good int
	var errs []error
	for _, err := range s.Each(t.Context(), table.Range{Part: "p", Limit: 2}) {
		if err != nil {
			errs = append(errs, err)
		} else {
			good++
		}
	}
	if good != 2 || len(errs) != 1 || !errors.Is(errs[0], errLine) {
		t.Errorf("%d items, errors %v", good, errs)
	}
}

func TestEachEntryWalksAnIndex(t *testing.T) {
	s := newScene()
	list := items(30)
	for i := range list {
		list[i].Index[1] = table.IndexKey{Part: "x", Sort: fmt.Sprint(i % 3)}
	}
	if err := s.PutAll(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	var n int
	for e, err := range s.EachEntry(t.Context(), table.Index2, table.Range{Part: "x", From: "1", To: "1", Limit: 4}) {
		if err != nil || e.Place.Sort != "1" {
			t.Fatalf("%+v, %v", e, err)
		}
		n++
	}
	if n != 10 {
		t.Errorf("%d entries", n)
	}
}
