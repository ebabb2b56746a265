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
	if first, second := dump(), dump(); first != second {
		t.Errorf("two runs differ:\n%s\n%s", first, second)
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

// wide is an engine that is served best by three calls at once.
type wide struct{ table.Engine }

func (wide) Width() int { return 3 }

// asked notes how wide work is run.
type asked struct {
	world.Runner
	widths []int
}

func (a *asked) Run(ctx context.Context, width, n int, task func(context.Context, int) error) error {
	a.widths = append(a.widths, width)
	return a.Runner.Run(ctx, width, n, task)
}

func TestAnEngineIsAskedAsManyThingsAtOnceAsServeItBest(t *testing.T) {
	v := world.NewVirtual(1, time.Unix(0, 0))
	plain := mem.New(v)
	for want, engine := range map[int]table.Engine{3: wide{plain}, table.DefaultWidth: plain} {
		w, a := v.World(), &asked{Runner: v}
		w.Runner = a
		store := table.NewStore(engine, w)
		if _, err := store.GetMany(t.Context(), []table.Key{{Part: "p", Sort: "s"}}); err != nil {
			t.Fatal(err)
		}
		if store.Width() != want || !slices.Equal(a.widths, []int{want}) {
			t.Errorf("%d at once, and it is said that %d are: want %d", a.widths, store.Width(), want)
		}
	}
}
