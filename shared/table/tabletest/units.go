package tabletest

import (
	"errors"
	"math"

	"github.com/bookplate/bookplate/shared/table"
)

var unitLaws = []law{
	{"a strong read costs 1 per 4 KB begun, also when it finds nothing", func(b *bench) {
		for _, c := range []struct{ size, want int }{{10, 1}, {3000, 1}, {4096, 2}, {8000, 2}, {60_000, 15}} {
			b.put("a", jsonOf(c.size))
			_, u, err := b.engine.Get(b.Context(), b.key("a"))
			b.must(err)
			wantEqual(b, "get", u, table.Units{Read: float64(c.want)})
		}
		_, u, err := b.engine.Get(b.Context(), b.key("none"))
		b.wantError("get", err, table.ErrAbsent)
		wantEqual(b, "absent", u, table.Units{Read: 1})
	}},
	{"GetMany costs what its reads cost", func(b *bench) {
		b.put("a", jsonOf(10))
		b.put("b", jsonOf(5000))
		_, u, err := b.engine.GetMany(b.Context(), []table.Key{b.key("a"), b.key("b"), b.key("none")})
		b.must(err)
		wantEqual(b, "units", u, table.Units{Read: 4})
	}},
	{"a page costs 1 per 4 KB of all its items together", func(b *bench) {
		for _, sort := range []string{"a", "b", "c"} {
			b.put(sort, jsonOf(3000))
		}
		r := b.all()
		for {
			page, err := b.engine.Query(b.Context(), r)
			b.must(err)
			want := math.Max(1, math.Ceil(float64(3000*len(page.Items))/4096))
			wantEqual(b, "units", page.Units, table.Units{Read: want})
			if r.Cursor = page.Next; r.Cursor == "" {
				break
			}
		}
	}},
	{"a page of an index costs half", func(b *bench) {
		b.place("a", "1", "")
		page, err := b.engine.QueryIndex(b.Context(), table.Index1, b.all())
		b.must(err)
		wantEqual(b, "units", page.Units, table.Units{Read: 0.5})
	}},
	{"a write alone costs 1 per KB begun of the larger of old and new", func(b *bench) {
		for _, c := range []struct{ size, want int }{{10, 1}, {800, 1}, {2500, 3}, {10, 3}, {10, 1}} {
			b.wantWrites("put", c.want, table.Put(b.item("a", jsonOf(c.size)), b.asItIs("a")))
		}
		b.put("a", jsonOf(2500))
		b.wantWrites("delete", 3, table.Delete(b.key("a"), b.asItIs("a")))
		b.wantWrites("delete nothing", 1, table.Delete(b.key("a"), table.Absent()))
	}},
	{"and as much when its condition failed, by what was there", func(b *bench) {
		b.put("a", jsonOf(2500))
		for _, op := range []table.Op{
			table.Put(b.item("a", "1"), table.Absent()), table.Delete(b.key("a"), table.At(newID())),
		} {
			u, err := b.tryUnits(newID(), op)
			b.wantFailed("commit", err, 0)
			wantEqual(b, "units", u, table.Units{Write: 3})
		}
	}},
	{"a check alone costs a read", func(b *bench) {
		b.put("a", jsonOf(5000))
		for sort, want := range map[string]float64{"a": 2, "none": 1} {
			u, err := b.tryUnits(newID(), table.Check(b.key(sort), b.asItIs(sort)))
			b.must(err)
			wantEqual(b, "units", u, table.Units{Read: want})
		}
	}},
	{"a put or delete of one item whatever was there is a transaction", func(b *bench) {
		b.wantWrites("put", 2, table.Put(b.item("a", "1"), table.Any()))
		b.wantWrites("put", 6, table.Put(b.item("a", jsonOf(2500)), table.Present()))
		b.wantWrites("delete", 6, table.Delete(b.key("a"), table.Any()))
	}},
	{"also when there is nothing to delete", func(b *bench) {
		b.wantWrites("delete nothing", 2, table.Delete(b.key("a"), table.Any()))
	}},
	{"a transaction costs double", func(b *bench) {
		b.wantWrites("puts", 2+6, table.Put(b.item("a", "1"), table.Any()), table.Put(b.item("b", jsonOf(2500)), table.Any()))
		b.wantWrites("mixed", 2+6+2, table.Put(b.item("a", "2"), table.Any()),
			table.Delete(b.key("b"), table.Any()), table.Check(b.key("c"), table.Absent()))
	}},
	{"an index entry that comes, goes or moves costs 1, 1 and 2, and one that stays nothing", func(b *bench) {
		for _, c := range []struct {
			what, first, second string
			want                int
		}{
			{"comes", "1", "", 2},
			{"stays", "1", "", 1},
			{"moves", "2", "", 3},
			{"other comes", "2", "1", 2},
			{"both go", "", "", 3},
			{"none", "", "", 1},
		} {
			b.wantWrites(c.what, c.want, table.Put(b.placed("a", c.first, c.second), b.asItIs("a")))
		}
		b.place("a", "1", "2")
		b.wantWrites("delete", 3, table.Delete(b.key("a"), b.asItIs("a")))
	}},
	{"and no more in a transaction", func(b *bench) {
		b.place("a", "1", "2")
		b.wantWrites("both", 2+2+2+1,
			table.Put(b.placed("a", "2", "2"), table.Any()), table.Put(b.placed("b", "", "1"), table.Any()))
	}},
	{"bulk writes cost what single ones do", func(b *bench) {
		u := b.putManyUnits(newID(), b.item("a", "1"), b.item("b", jsonOf(2500)), b.placed("c", "1", "1"))
		wantEqual(b, "put many", u, table.Units{Write: 1 + 3 + 3})
		u = b.deleteMany(b.key("a"), b.key("b"), b.key("c"), b.key("none"))
		wantEqual(b, "delete many", u, table.Units{Write: 1 + 3 + 3 + 1})
	}},
	{"a call that breaks a limit costs nothing", func(b *bench) {
		u, err := b.engine.Commit(b.Context(), newID())
		if !errors.Is(err, table.ErrLimit) || u != (table.Units{}) {
			b.Errorf("got %v, %v", u, err)
		}
	}},
}

// asItIs is the condition that the item is what is stored now, be that nothing.
func (b *bench) asItIs(sort string) table.Condition {
	b.Helper()
	item, _, err := b.engine.Get(b.Context(), b.key(sort))
	if !errors.Is(err, table.ErrAbsent) {
		b.must(err)
	}
	return table.At(item.Version)
}

func (b *bench) wantWrites(what string, want int, ops ...table.Op) {
	b.Helper()
	u, err := b.tryUnits(newID(), ops...)
	b.must(err)
	wantEqual(b, what, u, table.Units{Write: float64(want)})
}
