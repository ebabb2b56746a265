package tabletest

import (
	"slices"
	"strings"

	"github.com/bookplate/bookplate/shared/table"
)

var rangeLaws = []law{
	{"items are ordered by the bytes of the sort key", func(b *bench) {
		sorts := []string{"a", "B", "ab", "a/b", "a0", "é", "z", "~", "\x01", "0", "10", "9", "\U0010FFFF", "\uFFFD", "aa"}
		for _, sort := range sorts {
			b.put(sort, "1")
		}
		slices.Sort(sorts)
		wantList(b, "forward", b.walk(table.Range{Part: b.part}), sorts)
		slices.Reverse(sorts)
		wantList(b, "reverse", b.walk(table.Range{Part: b.part, Reverse: true}), sorts)
	}},
	{"From and To are inclusive, and open when empty", func(b *bench) {
		b.fill("b", "d", "f")
		for _, c := range []struct{ from, to, want string }{
			{"", "", "bdf"},
			{"b", "f", "bdf"},
			{"b", "e", "bd"},
			{"c", "f", "df"},
			{"c", "e", "d"},
			{"d", "d", "d"},
			{"", "d", "bd"},
			{"d", "", "df"},
			{"g", "", ""},
			{"", "a", ""},
			{"e", "e", ""},
			{"f", "b", ""},
		} {
			for _, reverse := range []bool{false, true} {
				want := strings.Split(c.want, "")
				if reverse {
					slices.Reverse(want)
				}
				r := table.Range{Part: b.part, From: c.from, To: c.to, Reverse: reverse}
				wantEqual(b, c.from+"–"+c.to, strings.Join(b.walk(r), ""), strings.Join(want, ""))
			}
		}
	}},
	{"a prefix selects what begins with it", func(b *bench) {
		b.fill("a", "b", "b/", "b/1", "b/é", "b/\U0010FFFF", "b0", "c")
		wantList(b, "prefix", b.walk(table.Prefix(b.part, "b/")), []string{"b/", "b/1", "b/é", "b/\U0010FFFF"})
		wantEqual(b, "empty prefix", len(b.walk(table.Prefix(b.part, ""))), 8)
	}},
	{"a partition knows nothing of its neighbors", func(b *bench) {
		b.fill("m")
		for _, part := range []string{b.part + "0", b.part + "\x01", b.part[:len(b.part)-1]} {
			b.commit(table.Put(table.Item{Key: table.Key{Part: part, Sort: "n"}, Body: []byte("1")}, table.Any()))
		}
		for _, reverse := range []bool{false, true} {
			wantList(b, "items", b.walk(table.Range{Part: b.part, Reverse: reverse}), []string{"m"})
		}
	}},
	{"an empty partition is an empty page", func(b *bench) {
		wantList(b, "items", b.walk(table.Range{Part: b.part}), nil)
		wantList(b, "reverse", b.walk(table.Range{Part: b.part, Limit: 1, Reverse: true}), nil)
	}},
	{"a walk by pages of any limit sees every item once", func(b *bench) {
		sorts := []string{"a", "b", "c", "d", "e", "f", "g"}
		b.fill(sorts...)
		for limit := 1; limit <= len(sorts)+1; limit++ {
			wantList(b, "forward", b.walk(table.Range{Part: b.part, Limit: limit}), sorts)
			inner := table.Range{Part: b.part, From: "b", To: "f", Limit: limit}
			wantList(b, "inner", b.walk(inner), sorts[1:6])
			inner.Reverse = true
			want := slices.Clone(sorts[1:6])
			slices.Reverse(want)
			wantList(b, "inner reverse", b.walk(inner), want)
		}
	}},
	{"a cursor outlives changes around it", func(b *bench) {
		for _, c := range []struct {
			reverse     bool
			first, gone string
			rest        []string
		}{
			{false, "b", "d", []string{"c", "f", "g", "h", "i"}},
			{true, "h", "f", []string{"g", "d", "c", "b", "a"}},
		} {
			b.fill("b", "d", "f", "h")
			r := table.Range{Part: b.part, Limit: 1, Reverse: c.reverse}
			for seen := 0; seen == 0; { // pages may be short
				page, err := b.engine.Query(b.Context(), r)
				b.must(err)
				r.Cursor, seen = page.Next, len(page.Items)
			}
			b.commit(table.Delete(b.key(c.first), table.Present()), table.Delete(b.key(c.gone), table.Present()))
			b.fill("a", "c", "g", "i")
			r.Limit = 0
			wantList(b, "rest", b.walk(r), c.rest)
			for _, sort := range b.walk(b.all()) {
				b.commit(table.Delete(b.key(sort), table.Present()))
			}
		}
	}},
	{"what is no cursor is an error", func(b *bench) {
		b.fill("a")
		for _, cursor := range []string{"?", "bm9uZQ", "W10", table.NewCursor("a", "b")} {
			_, err := b.engine.Query(b.Context(), table.Range{Part: b.part, Cursor: cursor})
			b.wantError("query "+cursor, err, table.ErrCursor)
			_, err = b.engine.QueryIndex(b.Context(), table.Index1, table.Range{Part: b.part, Cursor: cursor})
			b.wantError("query index "+cursor, err, table.ErrCursor)
		}
	}},
	{"a page ends with the item that fills MaxPageBytes", func(b *bench) {
		const n = 20
		var want []string
		for i := range n {
			want = append(want, string(rune('a'+i)))
			b.put(want[i], jsonOf(60_000))
		}
		r := table.Range{Part: b.part}
		var got []string
		for {
			page, err := b.engine.Query(b.Context(), r)
			b.must(err)
			var size, last int
			for _, item := range page.Items {
				last = len(item.Body)
				size += last
				got = append(got, item.Key.Sort)
			}
			if size-last > table.MaxPageBytes {
				b.Errorf("a page of %d bytes", size)
			}
			if r.Cursor = page.Next; r.Cursor == "" {
				break
			}
		}
		wantList(b, "items", got, want)
	}},
}

// fill puts items of the sort keys.
func (b *bench) fill(sorts ...string) {
	b.Helper()
	for _, sort := range sorts {
		b.put(sort, "1")
	}
}

// jsonOf is a JSON text of so many bytes.
func jsonOf(size int) string { return `"` + strings.Repeat("x", size-2) + `"` }
