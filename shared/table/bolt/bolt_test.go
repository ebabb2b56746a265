package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/bolt"
	"github.com/bookplate/bookplate/shared/table/tabletest"
	"github.com/bookplate/bookplate/shared/world"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func open(t testing.TB, path string, clock world.Clock) *bolt.Table {
	t.Helper()
	b, err := bolt.Open(path, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func commit(t testing.TB, b *bolt.Table, token string, ops ...table.Op) {
	t.Helper()
	if _, err := b.Commit(context.Background(), token, ops...); err != nil {
		t.Fatal(err)
	}
}

func put(sort string) table.Op {
	return table.Put(table.Item{Key: table.Key{Part: "p", Sort: sort}, Body: []byte(`{"n": 1}`)}, table.Any())
}

func TestContract(t *testing.T) {
	t.Run("alone in a file", func(t *testing.T) {
		tabletest.Run(t, func(t *testing.T) table.Engine {
			return open(t, filepath.Join(t.TempDir(), "table.db"), world.Real())
		})
	})
	t.Run("among others in a file", func(t *testing.T) {
		shared := open(t, filepath.Join(t.TempDir(), "table.db"), world.Real())
		tabletest.Run(t, func(*testing.T) table.Engine { return shared })
	})
}

func TestReopenedTableHasEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "table.db")
	v := world.NewVirtual(1, start)
	b, err := bolt.Open(path, v)
	if err != nil {
		t.Fatal(err)
	}
	op := put("a")
	op.If = table.Absent()
	op.Item.Expires = start.Add(time.Hour)
	op.Item.Index[1] = table.IndexKey{Part: "x", Sort: "1"}
	commit(t, b, "t1", op)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	b = open(t, path, v)
	item, _, err := b.Get(t.Context(), op.Item.Key)
	if err != nil {
		t.Fatal(err)
	}
	want := op.Item
	want.Version = "t1"
	if fmt.Sprint(item) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", item, want)
	}
	page, err := b.QueryIndex(t.Context(), table.Index2, table.Range{Part: "x"})
	if err != nil || len(page.Entries) != 1 || page.Entries[0].Key != op.Item.Key {
		t.Errorf("index: %+v, %v", page, err)
	}
	commit(t, b, "t1", op) // the token is remembered too
}

func TestASecondProcessIsToldWhatToDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.db")
	open(t, path, world.Real())
	_, err := bolt.Open(path, world.Real())
	if err == nil || !strings.Contains(err.Error(), "already running in "+filepath.Dir(path)) ||
		!strings.Contains(err.Error(), "stop it, or choose another data directory") {
		t.Errorf("got %v", err)
	}
}

func TestAFileOfAnotherFormatIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.db")
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		meta, err := tx.CreateBucket([]byte("meta"))
		return errors.Join(err, meta.Put([]byte("format"), []byte("99")))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Open(path, world.Real()); err == nil || !strings.Contains(err.Error(), `format "99"`) {
		t.Errorf("got %v", err)
	}
}

func TestATokenIsForgottenAfterTenMinutes(t *testing.T) {
	v := world.NewVirtual(1, start)
	b := open(t, filepath.Join(t.TempDir(), "table.db"), v)
	op := put("a")
	op.If = table.Absent()
	commit(t, b, "t1", op, put("c"))
	v.Advance(10 * time.Minute)
	commit(t, b, "t2", put("b"))
	commit(t, b, "t1", op, put("c"))
	v.Advance(2 * time.Second)
	commit(t, b, "t3", put("b"))
	if _, err := b.Commit(t.Context(), "t1", op, put("c")); !errors.Is(err, table.ErrCondition) {
		t.Errorf("after ten minutes: %v", err)
	}
}

func TestATokenUsedForOtherOpsIsAFault(t *testing.T) {
	b := open(t, filepath.Join(t.TempDir(), "table.db"), world.Real())
	commit(t, b, "t1", put("a"))
	if _, err := b.Commit(t.Context(), "t1", put("b")); !errors.Is(err, table.ErrLimit) {
		t.Errorf("got %v", err)
	}
}

func TestExpiredItemsAreSweptByLaterWrites(t *testing.T) {
	v := world.NewVirtual(1, start)
	b := open(t, filepath.Join(t.TempDir(), "table.db"), v)
	const n = 50
	for i := range n {
		op := put(fmt.Sprint(i))
		op.Item.Expires = start.Add(time.Minute)
		op.Item.Index[0] = table.IndexKey{Part: "x", Sort: "1"}
		commit(t, b, fmt.Sprint("t", i), op)
	}
	renewed := put("0")
	commit(t, b, "renew", renewed)
	v.Advance(time.Minute)
	commit(t, b, "sweep1", put("other"))
	commit(t, b, "sweep2", put("other"))

	page, err := b.Query(t.Context(), table.Range{Part: "p"})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Items) != 2 || page.Items[0].Key.Sort != "0" || page.Items[1].Key.Sort != "other" {
		t.Errorf("%d items are left", len(page.Items))
	}
	entries, err := b.QueryIndex(t.Context(), table.Index1, table.Range{Part: "x"})
	if err != nil || len(entries.Entries) != 0 {
		t.Errorf("index: %v, %v", entries.Entries, err)
	}
}

func TestTheFileIsForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.db")
	open(t, path, world.Real())
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// BenchmarkCommit tells what shared transactions are worth: one writer waits for the disk at every commit, sixteen
// share the wait.
func BenchmarkCommit(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			t := open(b, filepath.Join(b.TempDir(), "table.db"), world.Real())
			begin := time.Now()
			err := world.Real().Run(b.Context(), writers, b.N, func(ctx context.Context, i int) error {
				_, err := t.Commit(ctx, world.NewID(world.Real()), put(fmt.Sprint(i)))
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/time.Since(begin).Seconds(), "commits/s")
		})
	}
}
