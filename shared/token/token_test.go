package token_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

var start = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)

const made = "11111111-1111-4111-8111-111111111111" // an installation id

func newTable() (*mem.Table, *world.Virtual, *table.Store) {
	v := world.NewVirtual(1, start)
	engine := mem.New(v)
	return engine, v, table.NewStore(engine, v.World())
}

func record(location string) token.Record {
	return token.Record{ID: token.ID(made, location), Location: location, State: token.Valid, Created: start}
}

func create(t *testing.T, store *table.Store, r token.Record) error {
	t.Helper()
	ops, err := token.Create(r)
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.Commit(t.Context(), ops...)
	return err
}

// Apple knows us by these ids: this test may never be changed to make it pass.
func TestIDsAreDerivedAndNeverChange(t *testing.T) {
	for want, got := range map[string]string{
		"756ffa48-dadf-57b5-998d-4094f94d454b": token.ID(made, "1000"),
		"d44f23ed-4583-56c2-a50a-21b1ea130bd4": token.MDMID(made, "1000"),
		"1eadb089-1872-5720-9042-af9b9414ff18": token.MDMID(made, "1001"),
		"4f3db823-5280-52cd-b8dc-73d862736d55": token.MDMID("22222222-2222-4222-8222-222222222222", "1000"),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestTheInstallationIsMadeOnce(t *testing.T) {
	_, v, store := newTable()
	first, err := token.Installation(t.Context(), store, v.World())
	if err != nil || first == "" {
		t.Fatal(first, err)
	}
	again, err := token.Installation(t.Context(), store, v.World())
	if err != nil || again != first {
		t.Errorf("the second call got %q with error %v, want %q", again, err, first)
	}
}

func TestWhoeverMakesTheInstallationTooLateTakesTheOneThatIsThere(t *testing.T) {
	engine, v, store := newTable()
	var faster string
	engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
		if c.Kind != mem.Commit {
			return nil
		}
		engine.SetFaults(mem.Faults{})
		var err error
		faster, err = token.Installation(t.Context(), store, v.World())
		return err
	}})
	got, err := token.Installation(t.Context(), store, v.World())
	if err != nil || faster == "" || got != faster {
		t.Errorf("got %q with error %v, want the faster one's %q", got, err, faster)
	}
}

func TestNoInstallationIsMadeUpWhenTheTableFails(t *testing.T) {
	engine, v, store := newTable()
	for name, kind := range map[string]mem.Kind{"reading": mem.Get, "writing": mem.Commit} {
		engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
			if c.Kind == kind {
				return mem.ErrCrashed
			}
			return nil
		}})
		if id, err := token.Installation(t.Context(), store, v.World()); err == nil || id != "" {
			t.Errorf("%s fails: id %q with error %v, want none", name, id, err)
		}
	}
}

func TestALocationHasOneTokenOnly(t *testing.T) {
	_, _, store := newTable()
	if err := create(t, store, record("1000")); err != nil {
		t.Fatal(err)
	}
	second := record("1000")
	second.ID = token.ID("22222222-2222-4222-8222-222222222222", "1000")
	for name, r := range map[string]token.Record{"the same again": record("1000"), "another one": second} {
		if err := create(t, store, r); !errors.Is(err, table.ErrCondition) {
			t.Errorf("%s: error %v, want a failed condition", name, err)
		}
	}
	if err := create(t, store, record("1001")); err != nil {
		t.Errorf("another location is refused: %v", err)
	}
}

func TestADeletedTokensLocationMayHaveAnother(t *testing.T) {
	_, _, store := newTable()
	if err := create(t, store, record("1000")); err != nil {
		t.Fatal(err)
	}
	doc, err := token.OfLocation(t.Context(), store.ReadStore, "1000")
	if err != nil || doc.Value.ID != record("1000").ID {
		t.Fatalf("%+v, %v", doc, err)
	}
	if _, err := store.Commit(t.Context(), token.Delete(doc)...); err != nil {
		t.Fatal(err)
	}
	if _, err := token.OfLocation(t.Context(), store.ReadStore, "1000"); !errors.Is(err, table.ErrAbsent) {
		t.Errorf("after the deletion: error %v, want absent", err)
	}
	if err := create(t, store, record("1000")); err != nil {
		t.Errorf("after the deletion another is refused: %v", err)
	}
}

func TestATokenThatChangedMeanwhileIsNotDeleted(t *testing.T) {
	_, _, store := newTable()
	if err := create(t, store, record("1000")); err != nil {
		t.Fatal(err)
	}
	read, err := token.Load(t.Context(), store.ReadStore, record("1000").ID)
	if err != nil {
		t.Fatal(err)
	}
	op, err := read.Save() // a renewal
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Commit(t.Context(), op); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Commit(t.Context(), token.Delete(read)...); !errors.Is(err, table.ErrCondition) {
		t.Errorf("error %v, want a failed condition", err)
	}
}

func TestAnUnknownTokenIsTheCallersProblem(t *testing.T) {
	_, _, store := newTable()
	if _, err := token.Load(t.Context(), store.ReadStore, "x"); problem.KindOf(err) != problem.NotFound {
		t.Errorf("error %v, want a problem of kind NotFound", err)
	}
}

func TestAllTokensAreListedInTheOrderOfTheirIDs(t *testing.T) {
	_, _, store := newTable()
	var want []string
	for _, location := range []string{"1000", "1001", "1002", "1003"} {
		if err := create(t, store, record(location)); err != nil {
			t.Fatal(err)
		}
		want = append(want, record(location).ID)
	}
	slices.Sort(want)
	docs, err := token.All(t.Context(), store.ReadStore)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, doc := range docs {
		got = append(got, doc.Value.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
}

func TestALocationWithoutWorkDoneHasAnEmptyStateThatCanBeSaved(t *testing.T) {
	_, _, store := newTable()
	doc, err := token.LoadLocation(t.Context(), store.ReadStore, "1000")
	if err != nil || doc.Value.Sync.Status != "" || doc.Value.Lease.Fence != 0 {
		t.Fatalf("%+v, %v", doc, err)
	}
	doc.Value.Lease.Fence = 3
	op, err := doc.Save()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Commit(t.Context(), op); err != nil {
		t.Fatal(err)
	}
	states, err := token.LoadLocations(t.Context(), store.ReadStore, []string{"1001", "1000"})
	if err != nil || len(states) != 2 || states["1000"].Lease.Fence != 3 || states["1001"].Lease.Fence != 0 {
		t.Errorf("states %+v with error %v", states, err)
	}
}
