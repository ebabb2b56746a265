package tabletest

import "github.com/bookplate/bookplate/shared/table"

var tokenLaws = []law{
	{"a put repeated with its token succeeds and changes nothing", func(b *bench) {
		b.eachWidth(func(more ...table.Op) {
			token, op := newID(), table.Put(b.item("a", "1"), table.Absent())
			b.repeat(token, append(more, op)...)
			wantEqual(b, "version", b.get(b.key("a")).Version, token)
		})
	}},
	{"also when the item has been overwritten since", func(b *bench) {
		b.eachWidth(func(more ...table.Op) {
			token, ops := newID(), append(more, table.Put(b.item("a", "1"), table.Absent()))
			b.must(b.try(token, ops...))
			b.put("a", "2")
			b.put("a", "3")
			b.must(b.try(token, ops...))
			b.wantBody("a", "3")
		})
	}},
	{"also when the put was unconditional", func(b *bench) {
		b.eachWidth(func(more ...table.Op) {
			token, ops := newID(), append(more, table.Put(b.item("a", "1"), table.Any()))
			b.must(b.try(token, ops...))
			b.put("a", "2")
			b.must(b.try(token, ops...))
			b.wantBody("a", "2")
		})
	}},
	{"also when the item has been deleted since", func(b *bench) {
		b.eachWidth(func(more ...table.Op) {
			token, ops := newID(), append(more, table.Put(b.item("a", "1"), table.Absent()))
			b.must(b.try(token, ops...))
			b.commit(table.Delete(b.key("a"), table.Present()))
			b.must(b.try(token, ops...))
			b.wantBody("a", "")
		})
	}},
	{"a delete repeated with its token succeeds and leaves what came after", func(b *bench) {
		b.eachWidth(func(more ...table.Op) {
			version := b.put("a", "1")
			token, ops := newID(), append(more, table.Delete(b.key("a"), table.At(version)))
			b.repeat(token, ops...)
			b.wantBody("a", "")
			b.put("a", "2")
			b.must(b.try(token, ops...))
			b.wantBody("a", "2")
		})
	}},
	{"a commit that failed on its condition may be tried again with its token", func(b *bench) {
		b.eachWidth(func(more ...table.Op) {
			b.put("a", "1")
			token, ops := newID(), append(more, table.Put(b.item("a", "2"), table.Absent()))
			b.wantFailed("first", b.try(token, ops...), len(more))
			b.commit(table.Delete(b.key("a"), table.Any()))
			b.must(b.try(token, ops...))
			b.wantBody("a", "2")
		})
	}},
}

// eachWidth tests a law with one op, which engines may treat apart, and with two.
func (b *bench) eachWidth(check func(more ...table.Op)) {
	b.Helper()
	check()
	b.commit(table.Delete(b.key("a"), table.Any()))
	check(table.Put(b.item("more", "1"), table.Any()))
}

func (b *bench) repeat(token string, ops ...table.Op) {
	b.Helper()
	for range 3 {
		b.must(b.try(token, ops...))
	}
}
