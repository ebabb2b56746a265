package table_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/world"
)

func TestPagesOverPartitionsShowEachItemOnceInOrder(t *testing.T) {
	clock := world.NewVirtual(1, time.Unix(1e9, 0))
	store := table.NewStore(mem.New(clock), clock.World())
	parts := []string{"a", "empty", "b", "c", "nothing"}
	for part, n := range map[string]int{"a": 3, "b": 1, "c": 5} {
		for i := range n {
			item := table.Item{Key: table.Key{Part: part, Sort: fmt.Sprint(i)}, Body: []byte("{}")}
			if _, err := store.Commit(t.Context(), table.Put(item, table.Any())); err != nil {
				t.Fatal(err)
			}
		}
	}
	forth := []string{"a/0", "a/1", "a/2", "b/0", "c/0", "c/1", "c/2", "c/3", "c/4"}
	back := []string{"a/2", "a/1", "a/0", "b/0", "c/4", "c/3", "c/2", "c/1", "c/0"}
	for limit := 1; limit <= 10; limit++ {
		for reverse, want := range map[bool][]string{false: forth, true: back} {
			var got []string
			r := table.Range{Limit: limit, Reverse: reverse}
			for {
				page, err := store.PageParts(t.Context(), parts, r)
				if err != nil {
					t.Fatal(err)
				}
				if len(page.Items) > limit || len(page.Items) == 0 && page.Next != "" {
					t.Fatalf("limit %d: a page of %d, next %q", limit, len(page.Items), page.Next)
				}
				for _, item := range page.Items {
					got = append(got, item.Key.String())
				}
				if r.Cursor = page.Next; r.Cursor == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("limit %d, reverse %v: %v", limit, reverse, got)
			}
		}
	}
}

// A year of days on which nothing happened must not be one request.
func TestAPageLooksIntoSoManyPartitionsOnly(t *testing.T) {
	clock := world.NewVirtual(1, time.Unix(1e9, 0))
	store := table.NewStore(mem.New(clock), clock.World())
	var parts []string
	for i := range 250 {
		parts = append(parts, fmt.Sprint(i))
	}
	item := table.Item{Key: table.Key{Part: "249", Sort: "x"}, Body: []byte("{}")}
	if _, err := store.Commit(t.Context(), table.Put(item, table.Any())); err != nil {
		t.Fatal(err)
	}
	r, pages, found := table.Range{Limit: 10}, 0, 0
	for more := true; more; more = r.Cursor != "" {
		page, err := store.PageParts(t.Context(), parts, r)
		if err != nil {
			t.Fatal(err)
		}
		r.Cursor, pages, found = page.Next, pages+1, found+len(page.Items)
	}
	if pages != 5 || found != 1 {
		t.Errorf("%d items in %d pages, want 1 in 5", found, pages)
	}
}

func TestACursorOfOtherPartitionsIsRefused(t *testing.T) {
	clock := world.NewVirtual(1, time.Unix(1e9, 0))
	store := table.NewStore(mem.New(clock), clock.World())
	for _, cursor := range []string{table.NewCursor("z", ""), table.NewCursor("a"), "x"} {
		_, err := store.PageParts(t.Context(), []string{"a"}, table.Range{Limit: 1, Cursor: cursor})
		if !errors.Is(err, table.ErrCursor) {
			t.Errorf("%q: %v", cursor, err)
		}
	}
}
