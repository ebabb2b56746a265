package table_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/world"
)

var (
	start   = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	errLine = errors.New("line cut")
)

// scene is a store on a table in memory, in virtual time.
type scene struct {
	*table.Store
	mem   *mem.Table
	world *world.Virtual
	calls []mem.Call
}

func newScene() *scene {
	v := world.NewVirtual(7, start)
	m := mem.New(v)
	return &scene{Store: table.NewStore(m, v.World()), mem: m, world: v}
}

// fail makes the calls of the kind fail before or after they happened, the first with errs[0] and so on.
func (s *scene) fail(kind mem.Kind, happened bool, errs ...error) {
	next := func(c mem.Call) error {
		if c.Kind != kind {
			return nil
		}
		if s.calls = append(s.calls, c); len(s.calls) <= len(errs) {
			return errs[len(s.calls)-1]
		}
		return nil
	}
	if happened {
		s.mem.SetFaults(mem.Faults{After: next})
	} else {
		s.mem.SetFaults(mem.Faults{Before: next})
	}
}

func key(sort string) table.Key { return table.Key{Part: "p", Sort: sort} }

func item(sort string) table.Item { return table.Item{Key: key(sort), Body: []byte(`1`)} }

func newPut(sort string) table.Op { return table.Put(item(sort), table.Absent()) }

func items(n int) (list []table.Item) {
	for i := range n {
		list = append(list, item(fmt.Sprintf("%04d", i)))
	}
	return list
}

func keys(list []table.Item) (keys []table.Key) {
	for _, i := range list {
		keys = append(keys, i.Key)
	}
	return keys
}

func repeated(err error, n int) []error { return slices.Repeat([]error{err}, n) }

func TestCommitReturnsTheVersionOfWhatItPut(t *testing.T) {
	s := newScene()
	version, err := s.Commit(t.Context(), newPut("a"), newPut("b"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(t.Context(), key("b"))
	if err != nil || version == "" || got.Version != version {
		t.Errorf("version %q, stored %q, %v", version, got.Version, err)
	}
}

func TestCommitRepeatsWhatMayBeRepeatedWithOneToken(t *testing.T) {
	for _, c := range []struct {
		name     string
		happened bool
		errs     []error
		want     error // nil is success
		calls    int
	}{
		{"a conflict eight times", false, repeated(table.ErrConflict, 8), nil, 9},
		{"and no ninth time", false, repeated(table.ErrConflict, 20), table.ErrConflict, 9},
		{"an unknown error twice", false, repeated(errLine, 2), nil, 3},
		{"and no third time", false, repeated(errLine, 20), errLine, 3},
		{"what had happened is success", true, repeated(errLine, 2), nil, 3},
		{"both, each by its own count", false, append(repeated(table.ErrConflict, 8), errLine, errLine), nil, 11},
		{"a broken limit never", false, []error{table.ErrLimit}, table.ErrLimit, 1},
		{"a failed condition never", false, []error{&table.ConditionError{Failed: []int{0}}}, table.ErrCondition, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			s.fail(mem.Commit, c.happened, c.errs...)
			_, err := s.Commit(t.Context(), newPut("a"))
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if len(s.calls) != c.calls {
				t.Errorf("%d calls, want %d", len(s.calls), c.calls)
			}
			for _, call := range s.calls {
				if call.Token != s.calls[0].Token {
					t.Errorf("tokens %s and %s", call.Token, s.calls[0].Token)
				}
			}
		})
	}
}

func TestAConflictAfterAnUnknownOutcomeIsNotTakenForNothingHappened(t *testing.T) {
	s := newScene()
	s.fail(mem.Commit, false, append([]error{errLine}, repeated(table.ErrConflict, 20)...)...)
	_, err := s.Commit(t.Context(), newPut("a"))
	if errors.Is(err, table.ErrConflict) || !errors.Is(err, errLine) {
		t.Errorf("got %v", err)
	}
}

func TestCommitPausesLongerEachTimeButNotForLong(t *testing.T) {
	s := newScene()
	s.fail(mem.Commit, false, repeated(table.ErrConflict, 20)...)
	_, err := s.Commit(t.Context(), newPut("a"))
	waited := s.world.Now().Sub(start)
	if !errors.Is(err, table.ErrConflict) || waited < 25*time.Millisecond || waited > 7*time.Second {
		t.Errorf("waited %v, %v", waited, err)
	}
}

func TestCommitEndsWithItsContext(t *testing.T) {
	s := newScene()
	ctx, cancel := context.WithCancel(t.Context())
	s.mem.SetFaults(mem.Faults{Before: func(c mem.Call) error {
		s.calls = append(s.calls, c)
		cancel()
		return errLine
	}})
	_, err := s.Commit(ctx, newPut("a"))
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errLine) || len(s.calls) != 1 {
		t.Errorf("%d calls, %v", len(s.calls), err)
	}
}

func TestErrorsNameTheKey(t *testing.T) {
	s := newScene()
	_, get := s.Get(t.Context(), key("a"))
	_, commit := s.Commit(t.Context(), table.Delete(key("a"), table.Present()))
	for _, c := range []struct {
		err  error
		want string
	}{
		{get, "get p/a: no such item"},
		{commit, "commit [p/a]: a condition of the commit doesn't hold: ops [0]"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("got %v, want %s", c.err, c.want)
		}
	}
}

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
	for range s.Each(t.Context(), table.Range{Part: "p", Limit: 3}) {
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

func TestUnitsAddUpOverReadsAndWrites(t *testing.T) {
	s := newScene()
	if _, err := s.Commit(t.Context(), newPut("a"), newPut("b")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), key("a")); err != nil {
		t.Fatal(err)
	}
	if got := s.Units(); got != (table.Units{Read: 1, Write: 4}) {
		t.Errorf("got %+v", got)
	}
}

func TestOneSeedGivesTheSameTable(t *testing.T) {
	dump := func() string {
		s := newScene()
		s.mem.SetFaults(mem.Faults{Chance: s.world.IntN, LeaveOneIn: 3, ConflictOneIn: 2})
		if err := s.PutAll(t.Context(), items(60)...); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Commit(t.Context(), newPut("a")); err != nil {
			t.Fatal(err)
		}
		return string(s.mem.Dump()) + s.world.Now().String()
	}
	if dump() != dump() {
		t.Error("two runs differ")
	}
}

func TestAReadStoreCannotWrite(t *testing.T) {
	var store any = table.NewReadStore(mem.New(world.Real()), world.Real())
	_, commits := store.(interface {
		Commit(context.Context, ...table.Op) (string, error)
	})
	_, puts := store.(interface {
		PutAll(context.Context, ...table.Item) error
	})
	_, deletes := store.(interface {
		DeleteAll(context.Context, ...table.Key) error
	})
	if commits || puts || deletes {
		t.Error("a ReadStore has a method that writes")
	}
}
