package license_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table"
)

func TestBatchesAreListedOpenOnesFirstThenNewestFirst(t *testing.T) {
	s := newShelf(t)
	for i := range 9 {
		doc := license.NewBatch(license.Batch{ID: fmt.Sprintf("b%d", i), Location: here, State: license.Sent})
		save, err := doc.Save()
		if err != nil {
			t.Fatal(err)
		}
		s.commit(save)
		if doc, err = license.OpenBatch(t.Context(), s.store.ReadStore, here, doc.Value.ID); err != nil {
			t.Fatal(err)
		}
		if i == 3 || i == 5 {
			continue // stays open
		}
		ops, err := license.End(doc, license.Settled, "made up", later)
		if err != nil {
			t.Fatal(err)
		}
		s.commit(ops...)
	}
	want := []string{"b3", "b5", "b8", "b7", "b6", "b4", "b2", "b1", "b0"}
	for size := 1; size <= 10; size++ {
		var got []string
		for cursor, more := "", true; more; more = cursor != "" {
			page, next, err := license.BatchPage(t.Context(), s.store.ReadStore, here, size, cursor)
			if err != nil || len(page) > size {
				t.Fatalf("a page of %d with error %v", len(page), err)
			}
			for _, b := range page {
				got = append(got, b.ID)
			}
			cursor = next
		}
		if !slices.Equal(got, want) {
			t.Errorf("by pages of %d: %v, want %v", size, got, want)
		}
	}
	for _, cursor := range []string{"x", table.NewCursor("", ""), table.NewCursor("batches#"+here, "")} {
		if _, _, err := license.BatchPage(t.Context(), s.store.ReadStore, here, 1, cursor); !errors.Is(err, table.ErrCursor) {
			t.Errorf("%s: %v", cursor, err)
		}
	}
}
