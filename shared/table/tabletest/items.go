package tabletest

import (
	"context"
	"errors"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

var itemLaws = []law{
	{"an absent key is ErrAbsent", func(b *bench) {
		_, _, err := b.engine.Get(b.Context(), b.key("none"))
		b.wantError("get", err, table.ErrAbsent)
	}},
	{"what was put is read back byte for byte", func(b *bench) {
		for _, body := range []string{`{"b": 1,  "a":"<&>é\u0000"}`, `null`, ` [ ] `, ""} {
			version := b.put("a", body)
			item := b.get(b.key("a"))
			wantEqual(b, "body", string(item.Body), body)
			wantEqual(b, "key", item.Key, b.key("a"))
			wantEqual(b, "version", item.Version, version)
		}
	}},
	{"a put replaces the whole item", func(b *bench) {
		full := b.item("a", "1")
		full.Expires = time.Now().Add(time.Hour)
		full.Index[0] = table.IndexKey{Part: newID(), Sort: "x"}
		b.commit(table.Put(full, table.Any()))
		b.put("a", "2")
		item := b.get(b.key("a"))
		if !item.Expires.IsZero() || item.Index != [2]table.IndexKey{} || string(item.Body) != "2" {
			b.Errorf("left over: %+v", item)
		}
	}},
	{"index places are read back", func(b *bench) {
		item := b.item("a", "1")
		item.Index[1] = table.IndexKey{Part: newID(), Sort: "x"}
		b.commit(table.Put(item, table.Any()))
		wantEqual(b, "index", b.get(item.Key).Index, item.Index)
	}},
	{"expiry is kept to the second, in UTC, and zero stays zero", func(b *bench) {
		whole := time.Now().Add(time.Hour).Truncate(time.Second)
		for _, expires := range []time.Time{whole, whole.Add(999 * time.Millisecond).In(time.FixedZone("", 3600))} {
			item := b.item("a", "1")
			item.Expires = expires
			b.commit(table.Put(item, table.Any()))
			wantEqual(b, "expires", b.get(item.Key).Expires, whole.UTC())
		}
		b.put("b", "1")
		wantEqual(b, "expires", b.get(b.key("b")).Expires.IsZero(), true)
	}},
	{"keys that run together are different keys", func(b *bench) {
		keys := []table.Key{
			{Part: b.part + "a", Sort: "b"},
			{Part: b.part, Sort: "ab"},
			{Part: b.part + "a", Sort: "b/"},
			{Part: b.part + "a/b", Sort: "/"},
			{Part: b.part + "a", Sort: "\x01b"},
			{Part: b.part + "a\x01", Sort: "b"},
		}
		for _, key := range keys {
			b.commit(table.Put(table.Item{Key: key, Body: []byte(key.Sort)}, table.Absent()))
		}
		for _, key := range keys {
			item := b.get(key)
			wantEqual(b, "body", string(item.Body), key.Sort)
			wantEqual(b, "key", item.Key, key)
		}
	}},
	{"GetMany returns those that exist", func(b *bench) {
		b.put("a", "1")
		b.put("c", "3")
		items, _, err := b.engine.GetMany(b.Context(), []table.Key{b.key("c"), b.key("b"), b.key("a")})
		b.must(err)
		got := map[string]string{}
		for _, item := range items {
			got[item.Key.Sort] = string(item.Body)
		}
		if len(items) != 2 || got["a"] != "1" || got["c"] != "3" {
			b.Errorf("got %v", got)
		}
	}},
	{"the engine shares no memory with its callers", func(b *bench) {
		item := b.item("a", "1")
		b.commit(table.Put(item, table.Any()))
		item.Body[0] = '2'
		b.get(item.Key).Body[0] = '3'
		page, err := b.engine.Query(b.Context(), table.Range{Part: b.part})
		b.must(err)
		for _, stored := range page.Items {
			stored.Body[0] = '4'
		}
		b.wantBody("a", "1")
	}},
	{"a call whose context has ended does nothing", func(b *bench) {
		ended, cancel := context.WithCancel(b.Context())
		cancel()
		_, err := b.engine.Commit(ended, newID(), table.Put(b.item("a", "1"), table.Any()))
		b.wantError("commit", err, context.Canceled)
		_, _, err = b.engine.PutMany(ended, newID(), b.item("a", "1"))
		b.wantError("put many", err, context.Canceled)
		_, _, err = b.engine.Get(ended, b.key("a"))
		b.wantError("get", err, context.Canceled)
		_, _, err = b.engine.GetMany(ended, []table.Key{b.key("a")})
		b.wantError("get many", err, context.Canceled)
		_, err = b.engine.Query(ended, table.Range{Part: b.part})
		b.wantError("query", err, context.Canceled)
		_, err = b.engine.QueryIndex(ended, table.Index1, table.Range{Part: b.part})
		b.wantError("query index", err, context.Canceled)
		b.wantBody("a", "")
		b.put("a", "1")
		_, _, err = b.engine.DeleteMany(ended, b.key("a"))
		b.wantError("delete many", err, context.Canceled)
		b.wantBody("a", "1")
	}},
	{"an absent item comes with no content", func(b *bench) {
		item, _, err := b.engine.Get(b.Context(), b.key("none"))
		if !errors.Is(err, table.ErrAbsent) || item.Version != "" || item.Body != nil {
			b.Errorf("got %+v, %v", item, err)
		}
	}},
}
