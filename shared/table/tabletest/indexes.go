package tabletest

import "github.com/bookplate/bookplate/shared/table"

var indexLaws = []law{
	{"an index holds the items that have a place in it, and no others", func(b *bench) {
		b.place("a", "1", "")
		b.place("b", "", "2")
		b.place("c", "3", "4")
		b.place("d", "", "")
		b.eventuallyIndex(table.Index1, b.all(), "1 > a", "3 > c")
		b.eventuallyIndex(table.Index2, b.all(), "2 > b", "4 > c")
	}},
	{"an item that moves leaves its old place", func(b *bench) {
		b.place("a", "1", "")
		b.place("a", "2", "")
		b.eventuallyIndex(table.Index1, b.all(), "2 > a")
		b.place("a", "", "2")
		b.eventuallyIndex(table.Index1, b.all())
		b.eventuallyIndex(table.Index2, b.all(), "2 > a")
	}},
	{"a deleted item leaves the index", func(b *bench) {
		b.place("a", "1", "")
		b.place("b", "2", "")
		b.commit(table.Delete(b.key("a"), table.Present()))
		b.eventuallyIndex(table.Index1, b.all(), "2 > b")
		b.deleteMany(b.key("b"))
		b.eventuallyIndex(table.Index1, b.all())
	}},
	{"a rewritten item keeps its place", func(b *bench) {
		b.place("a", "1", "")
		item := b.get(b.key("a"))
		item.Body = []byte("2")
		b.commit(table.Put(item, table.At(item.Version)))
		b.eventuallyIndex(table.Index1, b.all(), "1 > a")
	}},
	{"an entry names the item's whole key", func(b *bench) {
		b.place("a", "1", "")
		for n := range 60 {
			page, err := b.engine.QueryIndex(b.Context(), table.Index1, b.all())
			b.must(err)
			if len(page.Entries) == 1 {
				want := table.Entry{Place: table.IndexKey{Part: b.part, Sort: "1"}, Key: b.key("a")}
				wantEqual(b, "entry", page.Entries[0], want)
				return
			}
			pause(n)
		}
		b.Error("the entry never came")
	}},
	{"entries are ordered by place; From, To, Reverse and limits hold", func(b *bench) {
		for sort, place := range map[string]string{"z": "1", "y": "10", "x": "2", "w": "A", "v": "é"} {
			b.place(sort, place, "")
		}
		for limit := range 7 {
			r := b.all()
			r.Limit = limit
			b.eventuallyIndex(table.Index1, r, "1 > z", "10 > y", "2 > x", "A > w", "é > v")
			r.From, r.To = "10", "A"
			b.eventuallyIndex(table.Index1, r, "10 > y", "2 > x", "A > w")
			r.Reverse = true
			b.eventuallyIndex(table.Index1, r, "A > w", "2 > x", "10 > y")
			r.From, r.To = "", "10"
			b.eventuallyIndex(table.Index1, r, "10 > y", "1 > z")
			r.From, r.To = "A", "10"
			b.eventuallyIndex(table.Index1, r)
		}
	}},
	{"several items may share a place, and a walk sees each of them once", func(b *bench) {
		for _, sort := range []string{"a", "b", "c", "d"} {
			b.place(sort, "same", "")
		}
		for _, reverse := range []bool{false, true} {
			for limit := range 6 {
				r := table.Range{Part: b.part, Limit: limit, Reverse: reverse}
				b.eventuallyMembers(table.Index1, r, "same > a", "same > b", "same > c", "same > d")
			}
		}
	}},
	{"a cursor of an index outlives changes around it", func(b *bench) {
		b.place("a", "1", "")
		b.place("b", "3", "")
		b.place("c", "5", "")
		b.eventuallyIndex(table.Index1, b.all(), "1 > a", "3 > b", "5 > c")
		r := b.all()
		r.Limit = 1
		for {
			page, err := b.engine.QueryIndex(b.Context(), table.Index1, r)
			b.must(err)
			r.Cursor = page.Next
			if len(page.Entries) == 1 {
				break
			}
		}
		b.commit(table.Delete(b.key("a"), table.Present()))
		b.place("d", "0", "")
		b.place("e", "2", "")
		b.eventuallyIndex(table.Index1, r, "2 > e", "3 > b", "5 > c")
	}},
	{"PutMany moves entries as a commit does", func(b *bench) {
		b.place("a", "1", "")
		item := b.item("a", "2")
		item.Index[1] = table.IndexKey{Part: b.part, Sort: "9"}
		b.putMany(item)
		b.eventuallyIndex(table.Index1, b.all())
		b.eventuallyIndex(table.Index2, b.all(), "9 > a")
	}},
}

func (b *bench) all() table.Range { return table.Range{Part: b.part} }

// placed is an item with these places in the indexes, partition b.part; "" is none.
func (b *bench) placed(sort string, places ...string) table.Item {
	item := b.item(sort, "1")
	for i, place := range places {
		if place != "" {
			item.Index[i] = table.IndexKey{Part: b.part, Sort: place}
		}
	}
	return item
}

func (b *bench) place(sort string, places ...string) {
	b.Helper()
	b.commit(table.Put(b.placed(sort, places...), table.Any()))
}
