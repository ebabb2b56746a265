package tabletest

import (
	"fmt"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

var limitLaws = []law{
	{"everything up to its limit is taken", func(b *bench) {
		long := table.Item{
			Key: table.Key{
				Part: b.part + strings.Repeat("p", table.MaxPart-len(b.part)),
				Sort: strings.Repeat("s", table.MaxSort),
			},
			Body: []byte(jsonOf(table.MaxBody)),
		}
		long.Index[0] = table.IndexKey{Part: long.Key.Part, Sort: long.Key.Sort}
		b.commit(table.Put(long, table.Any()))
		wantEqual(b, "body", len(b.get(long.Key).Body), table.MaxBody)
		b.eventuallyIndex(table.Index1, table.Range{Part: long.Key.Part}, long.Key.Sort+" > "+long.Key.Sort)

		b.commit(b.puts(table.MaxCommit)...)
		keys := make([]table.Key, table.MaxGetMany)
		for i := range keys {
			keys[i] = b.key(fmt.Sprintf("%03d", i))
		}
		items, _, err := b.engine.GetMany(b.Context(), keys)
		b.must(err)
		wantEqual(b, "items", len(items), table.MaxCommit)
	}},
	{"a bad item is refused by every write and nothing happens", func(b *bench) {
		for what, spoil := range map[string]func(*table.Item){
			"body":      func(i *table.Item) { i.Body = []byte(jsonOf(table.MaxBody + 1)) },
			"part":      func(i *table.Item) { i.Key.Part = strings.Repeat("p", table.MaxPart+1) },
			"sort":      func(i *table.Item) { i.Key.Sort = strings.Repeat("s", table.MaxSort+1) },
			"no part":   func(i *table.Item) { i.Key.Part = "" },
			"no sort":   func(i *table.Item) { i.Key.Sort = "" },
			"NUL":       func(i *table.Item) { i.Key.Sort = "a\x00b" },
			"not UTF-8": func(i *table.Item) { i.Key.Sort = "a\xff" },
			"index part": func(i *table.Item) {
				i.Index[0] = table.IndexKey{Part: strings.Repeat("p", table.MaxPart+1), Sort: "s"}
			},
			"index sort": func(i *table.Item) {
				i.Index[1] = table.IndexKey{Part: "p", Sort: strings.Repeat("s", table.MaxSort+1)}
			},
			"half an index":   func(i *table.Item) { i.Index[1] = table.IndexKey{Part: "p"} },
			"index NUL":       func(i *table.Item) { i.Index[0] = table.IndexKey{Part: "p\x00", Sort: "s"} },
			"expiry too old":  func(i *table.Item) { i.Expires = time.Unix(-1, 0) },
			"expiry at epoch": func(i *table.Item) { i.Expires = time.Unix(0, 0) },
		} {
			bad := b.item("bad", "1")
			spoil(&bad)
			good := b.item("good", "1")
			b.wantError(what, b.try(newID(), table.Put(good, table.Any()), table.Put(bad, table.Any())), table.ErrLimit)
			_, _, err := b.engine.PutMany(b.Context(), newID(), good, bad)
			b.wantError(what+", put many", err, table.ErrLimit)
		}
		wantList(b, "stored", b.walk(table.Range{Part: b.part}), nil)
	}},
	{"a bad key is refused by every call", func(b *bench) {
		b.put("good", "1")
		for _, bad := range []table.Key{
			{Part: b.part},
			{Sort: "s"},
			{Part: strings.Repeat("p", table.MaxPart+1), Sort: "s"},
			{Part: b.part, Sort: strings.Repeat("s", table.MaxSort+1)},
			{Part: b.part, Sort: "a\x00b"},
		} {
			what := fmt.Sprintf("%.50q", bad)
			_, _, err := b.engine.Get(b.Context(), bad)
			b.wantError("get "+what, err, table.ErrLimit)
			_, _, err = b.engine.GetMany(b.Context(), []table.Key{b.key("good"), bad})
			b.wantError("get many "+what, err, table.ErrLimit)
			_, _, err = b.engine.DeleteMany(b.Context(), b.key("good"), bad)
			b.wantError("delete many "+what, err, table.ErrLimit)
			b.wantError("delete "+what, b.try(newID(), table.Delete(b.key("good"), table.Any()),
				table.Delete(bad, table.Any())), table.ErrLimit)
			b.wantError("check "+what, b.try(newID(), table.Delete(b.key("good"), table.Any()),
				table.Check(bad, table.Absent())), table.ErrLimit)
		}
		b.wantBody("good", "1")
	}},
	{"a Commit has 1 to MaxCommit distinct keys and a token", func(b *bench) {
		b.wantError("too many", b.try(newID(), b.puts(table.MaxCommit+1)...), table.ErrLimit)
		b.wantError("none", b.try(newID()), table.ErrLimit)
		b.wantError("no token", b.try("", b.puts(1)...), table.ErrLimit)
		b.wantError("long token", b.try(strings.Repeat("t", 37), b.puts(1)...), table.ErrLimit)
		one := table.Put(b.item("a", "1"), table.Any())
		for _, twice := range []table.Op{
			one, table.Delete(one.Item.Key, table.Any()), table.Check(one.Item.Key, table.Absent()),
		} {
			b.wantError("twice", b.try(newID(), one, twice), table.ErrLimit)
		}
		wantList(b, "stored", b.walk(table.Range{Part: b.part}), nil)
	}},
	{"a PutMany has 1 to MaxPutMany distinct keys and a token", func(b *bench) {
		for what, items := range map[string][]table.Item{
			"too many": itemsOf(b.puts(table.MaxPutMany + 1)), "none": nil, "twice": {b.item("a", "1"), b.item("a", "2")},
		} {
			_, _, err := b.engine.PutMany(b.Context(), newID(), items...)
			b.wantError(what, err, table.ErrLimit)
		}
		_, _, err := b.engine.PutMany(b.Context(), "", b.item("a", "1"))
		b.wantError("no token", err, table.ErrLimit)
		wantList(b, "stored", b.walk(table.Range{Part: b.part}), nil)
	}},
	{"a DeleteMany has 1 to MaxPutMany distinct keys", func(b *bench) {
		b.commit(b.puts(table.MaxPutMany)...)
		b.put("999", "1")
		var keys []table.Key
		for _, op := range b.puts(table.MaxPutMany + 1) {
			keys = append(keys, op.Item.Key)
		}
		for what, some := range map[string][]table.Key{"too many": keys, "none": nil, "twice": {keys[0], keys[0]}} {
			_, _, err := b.engine.DeleteMany(b.Context(), some...)
			b.wantError(what, err, table.ErrLimit)
		}
		wantEqual(b, "stored", len(b.walk(table.Range{Part: b.part})), table.MaxPutMany+1)
	}},
	{"a GetMany has 1 to MaxGetMany distinct keys", func(b *bench) {
		keys := make([]table.Key, table.MaxGetMany+1)
		for i := range keys {
			keys[i] = b.key(fmt.Sprint(i))
		}
		for what, some := range map[string][]table.Key{"too many": keys, "none": nil, "twice": {keys[0], keys[0]}} {
			_, _, err := b.engine.GetMany(b.Context(), some)
			b.wantError(what, err, table.ErrLimit)
		}
	}},
	{"a range has a partition, no negative limit and bounds like keys", func(b *bench) {
		for what, r := range map[string]table.Range{
			"no partition":   {},
			"long partition": {Part: strings.Repeat("p", table.MaxPart+1)},
			"negative limit": {Part: b.part, Limit: -1},
			"long bound":     {Part: b.part, To: strings.Repeat("s", table.MaxSort+1)},
			"NUL":            {Part: b.part, From: "a\x00"},
		} {
			_, err := b.engine.Query(b.Context(), r)
			b.wantError(what, err, table.ErrLimit)
			_, err = b.engine.QueryIndex(b.Context(), table.Index2, r)
			b.wantError(what+", index", err, table.ErrLimit)
		}
		_, err := b.engine.QueryIndex(b.Context(), 2, table.Range{Part: b.part})
		b.wantError("a third index", err, table.ErrLimit)
	}},
}

// puts are unconditional puts of n keys.
func (b *bench) puts(n int) []table.Op {
	ops := make([]table.Op, n)
	for i := range ops {
		ops[i] = table.Put(b.item(fmt.Sprintf("%03d", i), "1"), table.Any())
	}
	return ops
}

func itemsOf(ops []table.Op) []table.Item {
	items := make([]table.Item, len(ops))
	for i, op := range ops {
		items[i] = op.Item
	}
	return items
}
