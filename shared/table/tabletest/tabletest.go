package tabletest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// Run runs the suite. open may return a new engine or always the same: every law uses partitions of its own. Laws
// whose names are given are left out: for an engine on an emulator that is known to be wrong there.
func Run(t *testing.T, open func(t *testing.T) table.Engine, without ...string) {
	left := map[string]bool{}
	for _, group := range []struct {
		name string
		laws []law
	}{
		{"items", itemLaws},
		{"ranges", rangeLaws},
		{"limits", limitLaws},
		{"commits", commitLaws},
		{"tokens", tokenLaws},
		{"indexes", indexLaws},
		{"bulk", bulkLaws},
		{"units", unitLaws},
		{"concurrency", concurrencyLaws},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, l := range group.laws {
				if slices.Contains(without, l.name) {
					left[l.name] = true
					continue
				}
				t.Run(l.name, func(t *testing.T) {
					l.check(&bench{T: t, engine: open(t), part: newID()})
				})
			}
		})
	}
	if len(left) != len(without) {
		t.Errorf("of %q only %v are laws", without, left)
	}
}

type law struct {
	name  string
	check func(b *bench)
}

func newID() string { return world.NewID(world.Real()) }

// bench is what a law is tested on.
type bench struct {
	*testing.T
	engine table.Engine
	part   string // of this law alone
}

func (b *bench) key(sort string) table.Key { return table.Key{Part: b.part, Sort: sort} }

func (b *bench) item(sort, body string) table.Item {
	return table.Item{Key: b.key(sort), Body: []byte(body)}
}

// must ends the law on an error.
func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// try commits, repeating conflicts as callers do.
func (b *bench) try(token string, ops ...table.Op) error {
	_, err := b.tryUnits(token, ops...)
	return err
}

func (b *bench) tryUnits(token string, ops ...table.Op) (table.Units, error) {
	for n := 0; ; n++ {
		u, err := b.engine.Commit(b.Context(), token, ops...)
		if !errors.Is(err, table.ErrConflict) || n == 100 {
			return u, err
		}
		pause(n)
	}
}

// commit commits with a new token and returns it.
func (b *bench) commit(ops ...table.Op) string {
	b.Helper()
	token := newID()
	b.must(b.try(token, ops...))
	return token
}

// put stores an item whatever was there, and returns its version.
func (b *bench) put(sort, body string) string {
	b.Helper()
	return b.commit(table.Put(b.item(sort, body), table.Any()))
}

func (b *bench) get(key table.Key) table.Item {
	b.Helper()
	item, _, err := b.engine.Get(b.Context(), key)
	b.must(err)
	return item
}

// body is the item's body, or "" when it is absent.
func (b *bench) body(sort string) string {
	b.Helper()
	item, _, err := b.engine.Get(b.Context(), b.key(sort))
	if errors.Is(err, table.ErrAbsent) {
		return ""
	}
	b.must(err)
	return string(item.Body)
}

func (b *bench) wantBody(sort, want string) {
	b.Helper()
	if got := b.body(sort); got != want {
		b.Errorf("%q holds %q, want %q", sort, got, want)
	}
}

func (b *bench) wantError(what string, err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

func wantEqual[T comparable](b *bench, what string, got, want T) {
	b.Helper()
	if got != want {
		b.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantList(b *bench, what string, got, want []string) {
	b.Helper()
	if !slices.Equal(got, want) {
		b.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// walk returns the sort keys of all pages.
func (b *bench) walk(r table.Range) []string {
	b.Helper()
	var sorts []string
	for range 100_000 {
		page, err := b.engine.Query(b.Context(), r)
		b.must(err)
		if r.Limit > 0 && len(page.Items) > r.Limit {
			b.Fatalf("a page of %d items, limit %d", len(page.Items), r.Limit)
		}
		for _, item := range page.Items {
			sorts = append(sorts, item.Key.Sort)
		}
		if r.Cursor = page.Next; r.Cursor == "" {
			return sorts
		}
	}
	b.Fatal("the walk doesn't end")
	return nil
}

// walkIndex returns "place sort > item sort" of all pages.
func (b *bench) walkIndex(index table.Index, r table.Range) []string {
	b.Helper()
	var lines []string
	for range 100_000 {
		page, err := b.engine.QueryIndex(b.Context(), index, r)
		b.must(err)
		if r.Limit > 0 && len(page.Entries) > r.Limit {
			b.Fatalf("a page of %d entries, limit %d", len(page.Entries), r.Limit)
		}
		for _, e := range page.Entries {
			if e.Place.Part != r.Part {
				b.Fatalf("an entry of partition %q in %q", e.Place.Part, r.Part)
			}
			lines = append(lines, e.Place.Sort+" > "+e.Key.Sort)
		}
		if r.Cursor = page.Next; r.Cursor == "" {
			return lines
		}
	}
	b.Fatal("the walk doesn't end")
	return nil
}

// eventuallyIndex waits until a walk over the index gives the lines.
func (b *bench) eventuallyIndex(index table.Index, r table.Range, want ...string) {
	b.Helper()
	b.eventually(fmt.Sprintf("index %d, %+v", index+1, r), want, func() []string { return b.walkIndex(index, r) })
}

// eventuallyMembers does so in any order: entries of one place have none.
func (b *bench) eventuallyMembers(index table.Index, r table.Range, want ...string) {
	b.Helper()
	b.eventually(fmt.Sprintf("index %d, %+v", index+1, r), want, func() []string {
		return slices.Sorted(slices.Values(b.walkIndex(index, r)))
	})
}

func (b *bench) eventually(what string, want []string, look func() []string) {
	b.Helper()
	var got []string
	for n := range 60 {
		if got = look(); slices.Equal(got, want) {
			return
		}
		pause(n)
	}
	b.Errorf("%s: got %.200q, want %.200q", what, got, want)
}

// pause waits before the n-th repetition: not at all at first, as engines with virtual time need it, then up to 0.1 s.
func pause(n int) {
	if n >= 20 {
		time.Sleep(min(time.Duration(n-19)*5*time.Millisecond, 100*time.Millisecond))
	}
}
