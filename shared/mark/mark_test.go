package mark_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/world"
)

const location = "1000"

var start = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)

func newStore() *table.Store {
	v := world.NewVirtual(1, start)
	return table.NewStore(mem.New(v), v.World())
}

func commit(t *testing.T, store *table.Store, ops ...table.Op) {
	t.Helper()
	if _, err := store.Commit(t.Context(), ops...); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, store *table.Store, at string) []mark.Mark {
	t.Helper()
	marks, err := mark.Read(context.Background(), store.ReadStore, at)
	if err != nil {
		t.Fatal(err)
	}
	return marks
}

func TestAMarkIsReadAsItWasPut(t *testing.T) {
	subjects := map[mark.Kind]string{
		mark.Settle: "batch-1", mark.Grants: mark.SubjectBook("b#1"), mark.Later: mark.SubjectGroup("g"),
		mark.Retire: mark.SubjectAll, mark.Readers: mark.SubjectAll, mark.Plan: "plan-1",
		mark.Sync: mark.SyncFull,
	}
	store := newStore()
	due := start.Add(90*time.Second + 7*time.Nanosecond)
	for kind, subject := range subjects {
		commit(t, store, mark.New(location, kind, subject, due.In(time.FixedZone("elsewhere", 3600))))
	}
	marks := read(t, store, location)
	if len(marks) != len(subjects) {
		t.Fatalf("%d marks, want %d", len(marks), len(subjects))
	}
	for _, m := range marks {
		if m.Location != location || m.Subject != subjects[m.Kind] || !m.Due.Equal(due) {
			t.Errorf("read %+v, want subject %q due %s", m, subjects[m.Kind], due)
		}
	}
}

func TestOneMarkStandsForAnyAmountOfTheSameWork(t *testing.T) {
	store := newStore()
	commit(t, store, mark.New(location, mark.Grants, mark.SubjectAll, start))
	commit(t, store, mark.New(location, mark.Grants, mark.SubjectAll, start.Add(time.Hour)))
	marks := read(t, store, location)
	if len(marks) != 1 || !marks[0].Due.Equal(start.Add(time.Hour)) {
		t.Errorf("got %+v, want one mark, put off by an hour", marks)
	}
}

func TestLocationsDoNotSeeEachOthersMarks(t *testing.T) {
	store := newStore()
	commit(t, store, mark.New("1000", mark.Sync, mark.SyncOrder, start))
	if others := read(t, store, "10001"); len(others) != 0 {
		t.Errorf("another location sees %+v", others)
	}
}

func TestWorkIsDoneOnlyIfItsMarkIsStillTheOneThatWasRead(t *testing.T) {
	tests := []struct {
		name      string
		meanwhile func(t *testing.T, store *table.Store)
		left      int
		conflict  bool
	}{
		{"nothing came", func(*testing.T, *table.Store) {}, 0, false},
		{"the same work came again", func(t *testing.T, store *table.Store) {
			commit(t, store, mark.New(location, mark.Grants, mark.SubjectAll, start)) // not a byte is different
		}, 1, true},
		{"other work came", func(t *testing.T, store *table.Store) {
			commit(t, store, mark.New(location, mark.Grants, mark.SubjectBook("b"), start))
		}, 1, false},
		{"somebody else has done it", func(t *testing.T, store *table.Store) {
			commit(t, store, read(t, store, location)[0].Done())
		}, 0, true},
		{"it was done, and came again", func(t *testing.T, store *table.Store) {
			commit(t, store, read(t, store, location)[0].Done())
			commit(t, store, mark.New(location, mark.Grants, mark.SubjectAll, start))
		}, 1, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			store := newStore()
			commit(t, store, mark.New(location, mark.Grants, mark.SubjectAll, start))
			before := read(t, store, location)[0]
			test.meanwhile(t, store)
			_, err := store.Commit(t.Context(), before.Done())
			if errors.Is(err, table.ErrCondition) != test.conflict || (err != nil) != test.conflict {
				t.Errorf("done with error %v, want a conflict: %v", err, test.conflict)
			}
			if left := read(t, store, location); len(left) != test.left {
				t.Errorf("%d marks left, want %d: %+v", len(left), test.left, left)
			}
		})
	}
}

func TestWhatWasSpentIsSettledBeforeMoreIsSpentAndASyncComesLast(t *testing.T) {
	kinds := []mark.Kind{mark.Sync, mark.Plan, mark.Readers, mark.Retire, mark.Later, mark.Grants, mark.Settle}
	slices.SortFunc(kinds, func(a, b mark.Kind) int { return cmp.Compare(a.Order(), b.Order()) })
	want := []mark.Kind{mark.Settle, mark.Grants, mark.Later, mark.Retire, mark.Readers, mark.Plan, mark.Sync}
	if !slices.Equal(kinds, want) {
		t.Errorf("order %v, want %v", kinds, want)
	}
}

func TestTheNextWakeIsForTheEarliestMark(t *testing.T) {
	at := func(minutes ...int) (marks []mark.Mark) {
		for _, m := range minutes {
			marks = append(marks, mark.Mark{Due: start.Add(time.Duration(m) * time.Minute)})
		}
		return marks
	}
	for name, test := range map[string]struct {
		marks []mark.Mark
		want  time.Time
	}{
		"no mark, no wake":         {nil, time.Time{}},
		"one":                      {at(5), start.Add(5 * time.Minute)},
		"the earliest of several":  {at(9, 2, 30), start.Add(2 * time.Minute)},
		"one that is overdue wins": {at(4, -3), start.Add(-3 * time.Minute)},
	} {
		if got := mark.Next(test.marks); !got.Equal(test.want) {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
