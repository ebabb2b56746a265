package tabletest

import "github.com/bookplate/bookplate/shared/table"

var tokenLaws = []law{
	{"a put repeated with its token succeeds and changes nothing", func(b *bench) {
		check := func(ops ...table.Op) {
			token := newID()
			b.repeat(token, ops...)
			wantEqual(b, "version", b.get(b.key("a")).Version, token)
		}
		check(table.Put(b.item("a", "1"), b.asItIs("a"))) // alone, under Absent
		check(table.Put(b.item("a", "2"), b.asItIs("a"))) // alone, under the version
		check(table.Put(b.item("a", "3"), table.Any()))
		check(table.Put(b.item("a", "4"), b.asItIs("a")), table.Put(b.item("more", "1"), table.Absent()))
	}},
	{"also when the item has been overwritten since", func(b *bench) {
		b.eachTransaction(func(more ...table.Op) {
			token, ops := newID(), append(more, table.Put(b.item("a", "1"), table.Any()))
			b.must(b.try(token, ops...))
			b.put("a", "2")
			b.put("a", "3")
			b.must(b.try(token, ops...))
			b.wantBody("a", "3")
		})
	}},
	{"also when its condition would hold again", func(b *bench) {
		b.eachTransaction(func(more ...table.Op) {
			b.put("a", "0")
			token, ops := newID(), append(more, table.Put(b.item("a", "1"), table.Present()))
			b.must(b.try(token, ops...))
			b.put("a", "2")
			b.must(b.try(token, ops...))
			b.wantBody("a", "2")
		})
	}},
	{"also when the item has been deleted since", func(b *bench) {
		b.eachTransaction(func(more ...table.Op) {
			token, ops := newID(), append(more, table.Put(b.item("a", "1"), table.Any()))
			b.must(b.try(token, ops...))
			b.commit(table.Delete(b.key("a"), table.Present()))
			b.must(b.try(token, ops...))
			b.wantBody("a", "")
		})
	}},
	{"a delete repeated with its token succeeds and leaves what came after", func(b *bench) {
		b.eachTransaction(func(more ...table.Op) {
			b.put("a", "1")
			token, ops := newID(), append(more, table.Delete(b.key("a"), table.Present()))
			b.repeat(token, ops...)
			b.wantBody("a", "")
			b.put("a", "2")
			b.must(b.try(token, ops...))
			b.wantBody("a", "2")
		})
	}},
	{"a commit that failed on its condition may be tried again with its token", func(b *bench) {
		check := func(more ...table.Op) {
			b.put("a", "1")
			token, ops := newID(), append(more, table.Put(b.item("a", "2"), table.Absent()))
			b.wantFailed("first", b.try(token, ops...), len(more))
			b.commit(table.Delete(b.key("a"), table.Any()))
			b.must(b.try(token, ops...))
			b.wantBody("a", "2")
		}
		check() // alone
		check(table.Put(b.item("more", "1"), table.Any()))
	}},
	{"a put alone that was overtaken isn't done again", func(b *bench) {
		for range 2 { // first under Absent, then under the version
			token, op := newID(), table.Put(b.item("a", "1"), b.asItIs("a"))
			b.must(b.try(token, op))
			b.put("a", "2")
			b.wantFailed("repeated", b.try(token, op), 0)
			b.wantBody("a", "2")
		}
	}},
	{"a delete alone isn't done again", func(b *bench) {
		token, op := newID(), table.Delete(b.key("a"), table.At(b.put("a", "1")))
		b.must(b.try(token, op))
		b.wantFailed("repeated", b.try(token, op), 0)
		b.put("a", "2")
		b.wantFailed("repeated later", b.try(token, op), 0)
		b.wantBody("a", "2")
	}},
}

// eachTransaction tests a law with two ops and with one that isn't table.Alone. The law's own op must be none that is.
func (b *bench) eachTransaction(check func(more ...table.Op)) {
	b.Helper()
	check(table.Put(b.item("more", "1"), table.Any()))
	b.commit(table.Delete(b.key("a"), table.Any()))
	check()
	b.commit(table.Delete(b.key("a"), table.Any()))
}

func (b *bench) repeat(token string, ops ...table.Op) {
	b.Helper()
	for range 3 {
		b.must(b.try(token, ops...))
	}
}
