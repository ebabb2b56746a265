package license_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/world"
)

// shelf is a table with an applier on it.
type shelf struct {
	*testing.T
	engine *mem.Table
	store  *table.Store
	license.Applier
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	v := world.NewVirtual(1, start)
	engine := mem.New(v)
	store := table.NewStore(engine, v.World())
	return &shelf{t, engine, store, license.Applier{Store: store, World: v.World()}}
}

// from knows clientUserIds "anna@1000" as anna's in location 1000.
func from(location string, people ...string) license.Source {
	s := license.Source{Location: location, People: map[string]string{}}
	for _, p := range people {
		s.People[p+"@"+location] = p
	}
	return s
}

func rowOf(asset apple.AssetKey, clientUserID string) apple.Assignment {
	return apple.Assignment{AssetKey: asset, ClientUserID: clientUserID}
}

func (s *shelf) add(src license.Source, rows ...apple.Assignment) []apple.Assignment {
	s.Helper()
	added, err := s.Add(s.Context(), src, rows)
	if err != nil {
		s.Fatal(err)
	}
	return added
}

func (s *shelf) load(personID string) license.Doc {
	s.Helper()
	doc, err := license.Load(s.Context(), s.store.ReadStore, adamID, personID)
	if err != nil {
		s.Fatal(err)
	}
	return doc
}

func (s *shelf) save(l license.License) {
	s.Helper()
	doc := s.load(l.PersonID)
	doc.Value = l
	op, err := license.Save(doc)
	if err != nil {
		s.Fatal(err)
	}
	s.commit(op)
}

func (s *shelf) commit(ops ...table.Op) {
	s.Helper()
	if _, err := s.store.Commit(s.Context(), ops...); err != nil {
		s.Fatal(err)
	}
}

// reserve stores a batch in that state, and reserves anna's and ben's pair for it.
func (s *shelf) reserve(location string, state license.BatchState) license.Batch {
	s.Helper()
	b := license.Batch{ID: "batch-1", Location: location, State: state, Titles: []apple.AssetKey{stdq}}
	if state == license.Sent {
		b.Event = "event-1"
	}
	for _, p := range []string{"anna", "ben"} {
		b.People = append(b.People, p)
		l, err := s.load(p).Value.Reserve(b, license.Place{Location: location, Asset: stdq}, cause, start)
		if err != nil {
			s.Fatal(err)
		}
		s.save(l)
	}
	op, err := license.NewBatch(b).Save()
	if err != nil {
		s.Fatal(err)
	}
	s.commit(op)
	return b
}

func (s *shelf) peopleOf(location string) string {
	s.Helper()
	doc, err := license.OpenBatch(s.Context(), s.store.ReadStore, location, "batch-1")
	if err != nil {
		s.Fatal(err)
	}
	return strings.Join(doc.Value.People, " ")
}

func sorted(rows []apple.Assignment) []apple.Assignment {
	return slices.SortedFunc(slices.Values(rows), func(a, b apple.Assignment) int {
		return cmp.Or(cmp.Compare(a.PricingParam, b.PricingParam), cmp.Compare(a.ClientUserID, b.ClientUserID))
	})
}

func TestWhatAppleListsIsLicensedOnceAndReturnedOnce(t *testing.T) {
	s := newShelf(t)
	src := from(here, "anna", "ben")
	rows := []apple.Assignment{
		rowOf(stdq, "anna@1000"), rowOf(plus, "anna@1000"), rowOf(stdq, "ben@1000"), rowOf(stdq, "stranger"),
	}
	if added := s.add(src, append(rows, rows...)...); !reflect.DeepEqual(sorted(added), sorted(rows)) {
		t.Errorf("added %v, want each of %v once", added, rows)
	}
	anna := s.load("anna").Value
	if anna.State != license.Licensed || len(anna.Rows) != 2 || !anna.Found {
		t.Errorf("anna's item is %+v", anna)
	}
	before := s.engine.Dump()
	if added := s.add(src, rows...); len(added) != 0 {
		t.Errorf("a repeated listing added %v", added)
	}
	if string(s.engine.Dump()) != string(before) {
		t.Error("a repeated listing changed the table")
	}
}

func TestAHolderWhomWeCannotMapIsKeptApart(t *testing.T) {
	s := newShelf(t)
	strange := []string{"stranger", strings.Repeat("x", 2000), "with\x00nul", "a#b"}
	for _, id := range strange {
		s.add(from(here), rowOf(stdq, id))
	}
	var got []string
	for h, err := range license.HoldersOf(t.Context(), s.store.ReadStore, here, adamID) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, h.ClientUserID)
	}
	slices.Sort(got)
	slices.Sort(strange)
	if !slices.Equal(got, strange) {
		t.Errorf("holders %.60q, want %.60q", got, strange)
	}
	for doc, err := range license.OfTitle(t.Context(), s.store.ReadStore, adamID) {
		t.Errorf("a person's license came of it: %+v, %v", doc, err)
	}
	nobody := license.HolderID{Location: here, ClientUserID: "nobody"}
	ids := []license.HolderID{nobody}
	for _, id := range strange {
		ids = append(ids, license.HolderID{Location: here, ClientUserID: id})
	}
	held, err := license.HeldBy(t.Context(), s.store.ReadStore, adamID, ids)
	if err != nil || len(held) != len(strange) || held[nobody] {
		t.Errorf("held by %d of them with error %v, want %d", len(held), err, len(strange))
	}
}

func TestADevicesRowIsNoLicenseOfABook(t *testing.T) {
	s := newShelf(t)
	row := apple.Assignment{AssetKey: stdq, SerialNumber: "MADE-UP"}
	if added := s.add(from(here), row); len(added) != 0 || len(s.engine.Snapshot()) != 0 {
		t.Errorf("added %v, table:\n%s", added, s.engine.Dump())
	}
}

func TestARowTakesThePairOutOfABatchThatWasNotSent(t *testing.T) {
	tests := []struct {
		name       string
		state      license.BatchState
		at, people string // where Apple lists it, and who is left in the batch of location 1000
	}{
		{"prepared, listed elsewhere", license.Prepared, there, "ben"},
		{"prepared, listed there by somebody else", license.Prepared, here, "ben"},
		{"sending, listed elsewhere", license.Sending, there, "anna ben"},
		{"sent, listed there", license.Sent, here, "anna ben"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newShelf(t)
			s.reserve(here, test.state)
			s.add(from(test.at, "anna"), rowOf(stdq, "anna@"+test.at))
			if got := s.peopleOf(here); got != test.people {
				t.Errorf("the batch holds %q, want %q", got, test.people)
			}
			if l := s.load("anna").Value; l.State != license.Licensed || l.Location != test.at {
				t.Errorf("anna's item is %+v", l)
			}
			if l := s.load("ben").Value; l.State != license.Reserved {
				t.Errorf("ben's item is %+v, want it reserved", l)
			}
		})
	}
}

func TestABatchThatWasSentIsReadOnceForAllOfItsPairsAndGivesThemItsEvent(t *testing.T) {
	s := newShelf(t)
	s.reserve(here, license.Sent)
	doc, err := license.OpenBatch(t.Context(), s.store.ReadStore, here, "batch-1")
	if err != nil {
		t.Fatal(err)
	}
	doc.Value.Event = "its own"
	op, err := doc.Save()
	if err != nil {
		t.Fatal(err)
	}
	s.commit(op)
	reads := 0
	s.engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
		if c.Kind == mem.Get && strings.HasPrefix(c.Keys[0].Part, "batches#") {
			reads++
		}
		return nil
	}})
	src := from(here, "anna", "ben")
	src.Event = "of another batch"
	s.add(src, rowOf(stdq, "anna@"+here), rowOf(stdq, "ben@"+here))
	if reads != 1 {
		t.Errorf("the batch was read %d times for two pairs, want once", reads)
	}
	for _, p := range []string{"anna", "ben"} {
		if l := s.load(p).Value; l.State != license.Licensed || l.Event != "its own" {
			t.Errorf("%s's item is %+v, want it to name the batch's own event", p, l)
		}
	}
}

func TestARowForAPairOfABatchThatHasEndedIsApplied(t *testing.T) {
	s := newShelf(t)
	s.reserve(here, license.Prepared)
	doc, err := license.OpenBatch(t.Context(), s.store.ReadStore, here, "batch-1")
	if err != nil {
		t.Fatal(err)
	}
	ops, err := license.End(doc, license.Abandoned, "made up", later)
	if err != nil {
		t.Fatal(err)
	}
	s.commit(ops...)
	s.add(from(there, "anna"), rowOf(stdq, "anna@2000"))
	if l := s.load("anna").Value; l.State != license.Licensed {
		t.Errorf("anna's item is %+v", l)
	}
}

func TestARowWhoseLicenseCannotBeStoredIsNotCalledAdded(t *testing.T) {
	s := newShelf(t)
	s.engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
		if c.Kind == mem.Commit {
			return mem.ErrCrashed
		}
		return nil
	}})
	added, err := s.Add(t.Context(), from(here, "anna"), []apple.Assignment{rowOf(stdq, "anna@1000")})
	if !errors.Is(err, mem.ErrCrashed) || len(added) != 0 {
		t.Errorf("added %v with error %v", added, err)
	}
}

func TestDroppedRowsLeaveTombstonesAndForeignHoldersGo(t *testing.T) {
	s := newShelf(t)
	src := from(here, "anna", "ben")
	rows := []apple.Assignment{
		rowOf(stdq, "anna@1000"), rowOf(plus, "anna@1000"), rowOf(stdq, "ben@1000"), rowOf(stdq, "stranger"),
	}
	s.add(src, rows...)
	if err := s.Drop(t.Context(), src, []apple.Assignment{rows[0], rows[2], rows[3], rowOf(plus, "nobody")}); err != nil {
		t.Fatal(err)
	}
	if l := s.load("anna").Value; l.State != license.Licensed || len(l.Rows) != 1 {
		t.Errorf("anna has PLUS still, but her item is %+v", l)
	}
	if l := s.load("ben").Value; l.State != license.Gone || l.Has() {
		t.Errorf("ben has nothing any more, but his item is %+v", l)
	}
	left, people, err := license.Listed(t.Context(), s.store.ReadStore, here, adamID)
	if err != nil || !reflect.DeepEqual(left, rows[1:2]) || people["anna@1000"] != "anna" {
		t.Errorf("left %v of %v with error %v, want anna's PLUS", left, people, err)
	}
}

func TestListedIsWhatOneLocationHasOfATitle(t *testing.T) {
	s := newShelf(t)
	s.add(from(here, "anna"), rowOf(stdq, "anna@1000"), rowOf(stdq, "stranger"))
	s.add(from(there, "anna"), rowOf(plus, "anna@2000"), rowOf(stdq, "other"))
	for location, want := range map[string]string{here: "STDQ anna@1000, STDQ stranger", there: "PLUS anna@2000, STDQ other"} {
		rows, _, err := license.Listed(t.Context(), s.store.ReadStore, location, adamID)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range sorted(rows) {
			got = append(got, row.PricingParam+" "+row.ClientUserID)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("location %s lists %q, want %q", location, got, want)
		}
	}
}

func TestOneSeedAppliesInOneOrder(t *testing.T) {
	run := func() string {
		s := newShelf(t)
		var rows []apple.Assignment
		var people []string
		for i := range 40 {
			p := fmt.Sprint("p", i)
			people = append(people, p)
			rows = append(rows, rowOf(stdq, p+"@1000"), rowOf(plus, fmt.Sprint("stranger", i)))
		}
		s.add(from(here, people...), rows...)
		return string(s.engine.Dump())
	}
	if a, b := run(), run(); a != b {
		t.Error("the same input left two different tables")
	}
}

func TestWhatNoSendingOfOursAwaitsIsToldAhead(t *testing.T) {
	s := newShelf(t)
	told := 0
	s.Found = func(context.Context) error {
		if s.load("anna").Value.Has() || s.load("ben").Value.Has() {
			t.Error("it is told afterwards")
		}
		told++
		return nil
	}
	reserved, err := license.License{AdamID: adamID, PersonID: "anna"}.Reserve(
		license.Batch{ID: "b1", Location: "1000"}, license.Place{Location: "1000", Asset: stdq}, license.Cause{}, start)
	if err != nil {
		t.Fatal(err)
	}
	s.save(reserved)
	s.add(from("1000", "anna"), rowOf(stdq, "anna@1000"), rowOf(stdq, "stranger"))
	if told != 0 {
		t.Errorf("told %d times of what a batch gives, and of a stranger's", told)
	}
	s.Found = func(context.Context) error { told++; return nil }
	for range 2 { // a repeated row changes nothing
		s.add(from("1000", "ben"), rowOf(stdq, "ben@1000"))
	}
	if told != 1 {
		t.Errorf("told %d times of what somebody else gave, want once", told)
	}
}
