package tabletest

import (
	"slices"

	"github.com/bookplate/bookplate/shared/table"
)

var bulkLaws = []law{
	{"PutMany stores all it doesn't give back, whatever was there", func(b *bench) {
		b.put("000", "old")
		token := b.putMany(itemsOf(b.puts(table.MaxPutMany))...)
		wantEqual(b, "stored", len(b.walk(b.all())), table.MaxPutMany)
		item := b.get(b.key("000"))
		wantEqual(b, "body", string(item.Body), "1")
		wantEqual(b, "version", item.Version, token)
	}},
	{"what PutMany gives back wasn't stored, and is whole", func(b *bench) {
		items := itemsOf(b.puts(table.MaxPutMany))
		left, _, err := b.engine.PutMany(b.Context(), newID(), items...)
		b.must(err)
		stored := b.walk(b.all())
		wantEqual(b, "stored and left", len(stored)+len(left), len(items))
		for _, item := range left {
			if slices.Contains(stored, item.Key.Sort) || string(item.Body) != "1" {
				b.Errorf("left %+v", item)
			}
		}
	}},
	{"DeleteMany removes all it doesn't give back, absent keys too", func(b *bench) {
		b.fill("a", "b", "c")
		left, _, err := b.engine.DeleteMany(b.Context(), b.key("a"), b.key("none"), b.key("c"))
		b.must(err)
		for _, sort := range []string{"a", "c"} {
			want := ""
			if slices.Contains(left, b.key(sort)) {
				want = "1"
			}
			b.wantBody(sort, want)
		}
		b.deleteMany(b.key("a"), b.key("none"), b.key("c"))
		wantList(b, "stored", b.walk(b.all()), []string{"b"})
	}},
	{"an item of PutMany can be committed over at its version", func(b *bench) {
		token := b.putMany(b.item("a", "1"))
		b.commit(table.Put(b.item("a", "2"), table.At(token)))
		b.wantBody("a", "2")
	}},
}

// putMany puts all items, giving back again what is left, and returns the token.
func (b *bench) putMany(items ...table.Item) string {
	b.Helper()
	token := newID()
	b.putManyUnits(token, items...)
	return token
}

func (b *bench) putManyUnits(token string, items ...table.Item) (sum table.Units) {
	b.Helper()
	for n := 0; len(items) > 0; n++ {
		left, u, err := b.engine.PutMany(b.Context(), token, items...)
		b.must(err)
		items, sum = left, sum.Add(u)
		pause(n)
	}
	return sum
}

func (b *bench) deleteMany(keys ...table.Key) (sum table.Units) {
	b.Helper()
	for n := 0; len(keys) > 0; n++ {
		left, u, err := b.engine.DeleteMany(b.Context(), keys...)
		b.must(err)
		keys, sum = left, sum.Add(u)
		pause(n)
	}
	return sum
}
