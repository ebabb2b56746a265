//go:build aws

package dynamo_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/emulators"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/world"
)

// The table in memory is what the domain is tested on, also for what it costs. So whatever is done to both, they answer
// alike, hold the same, and count the same units: here by Amazon's rules, there by what the service says.
func TestTheTableInMemoryIsItsTwin(t *testing.T) {
	service := open(t, emulators.Dynoxide(t), world.Real())
	for seed := range uint64(4) {
		d := &dice{world.NewVirtual(seed, start), world.NewID(world.Real())}
		twin := mem.New(world.Real())
		var spent table.Units
		for step := range 150 {
			token, ops := world.NewID(d), d.ops(twin)
			got, gotErr := service.Commit(t.Context(), token, ops...)
			want, wantErr := twin.Commit(t.Context(), token, ops...)
			if kind(gotErr) != kind(wantErr) {
				t.Fatalf("seed %d, step %d: %v: got %v, twin %v", seed, step, ops, gotErr, wantErr)
			}
			// What a canceled transaction cost isn't said; the engine reports the least.
			canceled := gotErr != nil && !table.Alone(ops)
			if got != want && !canceled || got.Write > want.Write {
				t.Errorf("seed %d, step %d: %v: %v units, twin %v, stored %v", seed, step, ops, got, want, gotErr)
			}
			spent = spent.Add(got)
		}
		page, err := service.Query(t.Context(), table.Range{Part: d.part})
		if err != nil {
			t.Fatal(err)
		}
		if stored := twin.Snapshot(); !reflect.DeepEqual(page.Items, stored) {
			t.Errorf("seed %d: got %v, twin %v", seed, page.Items, stored)
		}
		t.Logf("seed %d: %v write units, %d items", seed, spent.Write, len(page.Items))
	}
}

func kind(err error) string {
	for _, known := range []error{table.ErrCondition, table.ErrConflict, table.ErrLimit} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return fmt.Sprint(err)
}

// dice makes ops up.
type dice struct {
	*world.Virtual
	part string
}

// ops are one to four ops on a handful of keys, most of them under conditions that hold.
func (d *dice) ops(now *mem.Table) []table.Op {
	stored := map[table.Key]string{}
	for _, item := range now.Snapshot() {
		stored[item.Key] = item.Version
	}
	first, n := d.IntN(6), 1+d.IntN(4)
	if d.IntN(2) == 0 {
		n = 1
	}
	var ops []table.Op
	for i := range n {
		key := table.Key{Part: d.part, Sort: fmt.Sprint((first + i) % 6)}
		op := table.Op{Kind: table.OpKind(d.IntN(3)), Item: table.Item{Key: key}, If: d.condition(stored[key])}
		if op.Kind == table.OpPut {
			op.Item = d.item(key)
		}
		ops = append(ops, op)
	}
	return ops
}

func (d *dice) condition(version string) table.Condition {
	switch d.IntN(10) {
	case 0:
		return table.Any()
	case 1:
		return table.Present()
	case 2:
		return table.Absent()
	}
	return table.At(version)
}

func (d *dice) item(key table.Key) table.Item {
	item := table.Item{Key: key, Body: []byte(`"` + strings.Repeat("x", d.IntN(3000)) + `"`)}
	if d.IntN(3) == 0 {
		item.Expires = time.Unix(4_000_000_000, 0).UTC()
	}
	for i := range item.Index {
		if d.IntN(2) == 0 {
			item.Index[i] = table.IndexKey{Part: d.part, Sort: fmt.Sprint(d.IntN(3))}
		}
	}
	return item
}
