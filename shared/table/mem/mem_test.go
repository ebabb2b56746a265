package mem_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/world"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func put(part, sort string) table.Op {
	return table.Put(table.Item{Key: table.Key{Part: part, Sort: sort}, Body: []byte(`1`)}, table.Any())
}

func commit(t *testing.T, m *mem.Table, token string, ops ...table.Op) {
	t.Helper()
	if _, err := m.Commit(t.Context(), token, ops...); err != nil {
		t.Fatal(err)
	}
}

func TestHooksFailACallBeforeOrAfterItHappened(t *testing.T) {
	broken := errors.New("line cut")
	for _, c := range []struct {
		name   string
		faults mem.Faults
		want   int
	}{
		{"before: nothing happened", mem.Faults{Before: func(mem.Call) error { return broken }}, 0},
		{"after: it happened", mem.Faults{After: func(mem.Call) error { return broken }}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mem.New(world.NewVirtual(1, start))
			m.SetFaults(c.faults)
			if _, err := m.Commit(t.Context(), "t1", put("p", "a")); !errors.Is(err, broken) {
				t.Fatalf("got %v", err)
			}
			if got := len(m.Snapshot()); got != c.want {
				t.Errorf("%d items stored, want %d", got, c.want)
			}
		})
	}
}

func TestHooksLearnTheCallAndMayUseTheTable(t *testing.T) {
	m := mem.New(world.NewVirtual(1, start))
	commit(t, m, "t0", put("p", "z"))
	var calls []mem.Call
	m.SetFaults(mem.Faults{Before: func(c mem.Call) error {
		if calls = append(calls, c); len(calls) == 1 {
			_, err := m.Commit(context.Background(), "t2", put("p", "b"))
			return err
		}
		return nil
	}})
	commit(t, m, "t1", put("p", "a"))
	if _, _, err := m.Get(t.Context(), table.Key{Part: "p", Sort: "b"}); err != nil {
		t.Fatal(err)
	}
	if len(calls) != 3 || calls[0].Kind != mem.Commit || calls[0].Token != "t1" || calls[0].Write != 2 ||
		calls[1].Write != 3 || calls[2].Write != 0 || calls[2].Kind != mem.Get || calls[2].Keys[0].Sort != "b" {
		t.Errorf("calls: %+v", calls)
	}
}

func TestCrashEndsTheProcessAtItsNthWriteUntilTheFaultsAreLifted(t *testing.T) {
	for _, happened := range []bool{false, true} {
		stored := 1
		if happened {
			stored = 2
		}
		m := mem.New(world.NewVirtual(1, start))
		faults, crashed := mem.Crash(2, happened)
		m.SetFaults(faults)
		commit(t, m, "t1", put("p", "a"))
		if crashed() {
			t.Fatal("crashed too early")
		}
		for _, token := range []string{"t2", "t3"} {
			if _, err := m.Commit(t.Context(), token, put("p", token)); !errors.Is(err, mem.ErrCrashed) {
				t.Fatalf("%s: %v", token, err)
			}
		}
		if _, _, err := m.Get(t.Context(), table.Key{Part: "p", Sort: "a"}); !errors.Is(err, mem.ErrCrashed) {
			t.Fatalf("a dead process reads: %v", err)
		}
		if got := len(m.Snapshot()); got != stored || !crashed() {
			t.Errorf("happened=%v: %d items, crashed %v", happened, got, crashed())
		}
		m.SetFaults(mem.Faults{})
		commit(t, m, "t4", put("p", "d"))
	}
}

func TestAnIndexEntryShowsAfterCallsOrTime(t *testing.T) {
	place := table.IndexKey{Part: "x", Sort: "1"}
	item := table.Item{Key: table.Key{Part: "p", Sort: "a"}, Index: [2]table.IndexKey{place}}
	entries := func(m *mem.Table) int {
		page, err := m.QueryIndex(t.Context(), table.Index1, table.Range{Part: "x"})
		if err != nil {
			t.Fatal(err)
		}
		return len(page.Entries)
	}

	byCalls := mem.New(world.NewVirtual(1, start))
	byCalls.SetFaults(mem.Faults{IndexLagOps: 3, Chance: func(n int) int { return n - 1 }})
	commit(t, byCalls, "t1", table.Put(item, table.Any()))
	for call, want := range []int{0, 0, 1} {
		if got := entries(byCalls); got != want {
			t.Errorf("call %d: %d entries, want %d", call+1, got, want)
		}
	}

	v := world.NewVirtual(1, start)
	byTime := mem.New(v)
	byTime.SetFaults(mem.Faults{IndexLagTime: time.Second})
	commit(t, byTime, "t1", table.Put(item, table.Any()))
	if got := entries(byTime); got != 0 {
		t.Errorf("at once: %d entries", got)
	}
	v.Advance(time.Second)
	if got := entries(byTime); got != 1 {
		t.Errorf("a second later: %d entries", got)
	}
}

func TestAnExpiredItemGoesAtOnceOrLate(t *testing.T) {
	v := world.NewVirtual(1, start)
	m := mem.New(v)
	op := put("p", "a")
	op.Item.Expires = start.Add(time.Minute)
	commit(t, m, "t1", op)
	m.SetFaults(mem.Faults{LateExpiry: time.Hour})
	get := func() error {
		_, _, err := m.Get(t.Context(), op.Item.Key)
		return err
	}
	v.Advance(time.Minute)
	if err := get(); err != nil {
		t.Errorf("late expiry: %v", err)
	}
	m.SetFaults(mem.Faults{})
	if err := get(); !errors.Is(err, table.ErrAbsent) {
		t.Errorf("prompt expiry: %v", err)
	}
}

func TestAnItemWrittenAnewOutlivesItsOldExpiry(t *testing.T) {
	v := world.NewVirtual(1, start)
	m := mem.New(v)
	op := put("p", "a")
	op.Item.Expires = start.Add(time.Minute)
	commit(t, m, "t1", op)
	commit(t, m, "t2", put("p", "a"))
	v.Advance(time.Hour)
	if _, _, err := m.Get(t.Context(), op.Item.Key); err != nil {
		t.Error(err)
	}
}

func TestATokenIsRememberedForTenMinutes(t *testing.T) {
	v := world.NewVirtual(1, start)
	m := mem.New(v)
	op := put("p", "a")
	op.If = table.Absent()
	commit(t, m, "t1", op, put("p", "b"))
	v.Advance(mem.Remember)
	commit(t, m, "t1", op, put("p", "b"))
	v.Advance(time.Second)
	if _, err := m.Commit(t.Context(), "t1", op, put("p", "b")); !errors.Is(err, table.ErrCondition) {
		t.Errorf("after ten minutes: %v", err)
	}
}

func TestATokenUsedForOtherOpsIsAFault(t *testing.T) {
	m := mem.New(world.NewVirtual(1, start))
	commit(t, m, "t1", put("p", "a"))
	if _, err := m.Commit(t.Context(), "t1", put("p", "b")); !errors.Is(err, table.ErrLimit) {
		t.Errorf("got %v", err)
	}
}

func TestDumpHoldsEveryBodyAsItIs(t *testing.T) {
	m := mem.New(world.NewVirtual(1, start))
	op := put("p", "a")
	op.Item.Body = []byte(`{"note": "canary"}`)
	commit(t, m, "t1", op)
	if !bytes.Contains(m.Dump(), op.Item.Body) {
		t.Errorf("dump: %s", m.Dump())
	}
}

func TestAnIndexReadAfterManyChangesShowsTheLastOfEach(t *testing.T) {
	m, n := mem.New(world.NewVirtual(1, start)), 0
	place := func(item, sort string) {
		t.Helper()
		op := put("p", item)
		if sort != "" {
			op.Item.Index[table.Index1] = table.IndexKey{Part: "i", Sort: sort}
		}
		n++
		commit(t, m, fmt.Sprint("t", n), op)
	}
	shown := func(m *mem.Table) (list string) {
		t.Helper()
		page, err := m.QueryIndex(t.Context(), table.Index1, table.Range{Part: "i"})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			list += e.Place.Sort + e.Key.Sort + " "
		}
		return list
	}
	place("b", "2")
	place("a", "3")
	if got := shown(m); got != "2b 3a " {
		t.Errorf("shown is %q", got)
	}
	place("a", "1")
	place("b", "")
	place("b", "2")
	place("c", "2")
	place("c", "")
	fork := m.Fork(world.NewVirtual(1, start))
	place("d", "0")
	if got := shown(m); got != "0d 1a 2b " {
		t.Errorf("shown is %q", got)
	}
	if got := shown(fork); got != "1a 2b " {
		t.Errorf("the fork shows %q", got)
	}
}
