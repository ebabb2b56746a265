package tabletest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/bookplate/bookplate/shared/table"
)

var commitLaws = []law{
	{"each condition on each op holds exactly when it says", func(b *bench) {
		for _, stored := range []bool{false, true} {
			for name, c := range map[string]struct {
				cond               func(version string) table.Condition
				ifAbsent, ifStored bool
			}{
				"any":       {func(string) table.Condition { return table.Any() }, true, true},
				"absent":    {func(string) table.Condition { return table.Absent() }, true, false},
				"present":   {func(string) table.Condition { return table.Present() }, false, true},
				"at":        {table.At, true, true}, // "" is Absent
				"at other":  {func(v string) table.Condition { return table.At("not " + v) }, false, false},
				"at absent": {func(string) table.Condition { return table.At("") }, true, false},
			} {
				holds := c.ifAbsent
				if stored {
					holds = c.ifStored
				}
				for _, kind := range []table.OpKind{table.OpPut, table.OpDelete, table.OpCheck} {
					what := fmt.Sprintf("%s, stored %v, op %d", name, stored, kind)
					b.checkCondition(what, kind, stored, holds, c.cond)
				}
			}
		}
	}},
	{"a commit happens as a whole", func(b *bench) {
		version := b.put("replace", "old")
		b.put("delete", "old")
		b.put("check", "old")
		b.commit(
			table.Put(b.item("new", "new"), table.Absent()), table.Put(b.item("replace", "new"), table.At(version)),
			table.Delete(b.key("delete"), table.Present()), table.Check(b.key("check"), table.Present()),
			table.Delete(b.key("none"), table.Any()), table.Check(b.key("none2"), table.Absent()),
		)
		for sort, want := range map[string]string{"new": "new", "replace": "new", "delete": "", "check": "old", "none": ""} {
			b.wantBody(sort, want)
		}
	}},
	{"or not at all, and the error names ops that failed", func(b *bench) {
		b.put("delete", "old")
		b.put("replace", "old")
		ops := b.puts(table.MaxCommit)
		ops[3] = table.Put(b.item("replace", "new"), table.Absent()) // fails
		ops[4] = table.Delete(b.key("delete"), table.Present())
		ops[20] = table.Check(b.key("none"), table.Present()) // fails
		err := b.try(newID(), ops...)
		b.wantFailed("commit", err, 3, 20)
		wantList(b, "stored", b.walk(table.Range{Part: b.part}), []string{"delete", "replace"})
		b.wantBody("replace", "old")
	}},
	{"a check alone is a commit", func(b *bench) {
		version := b.put("a", "1")
		b.commit(table.Check(b.key("a"), table.At(version)))
		wantEqual(b, "version", b.get(b.key("a")).Version, version)
	}},
	{"a commit may span partitions", func(b *bench) {
		other := table.Key{Part: newID(), Sort: "x"}
		far := table.Item{Key: other, Body: []byte("2")}
		b.commit(table.Put(b.item("a", "1"), table.Absent()), table.Put(far, table.Absent()))
		b.wantBody("a", "1")
		wantEqual(b, "other", string(b.get(other).Body), "2")
	}},
	{"the version of a put item is the token", func(b *bench) {
		one := b.put("a", "1")
		wantEqual(b, "single", b.get(b.key("a")).Version, one)
		item := b.item("b", "1")
		item.Version = "ignored"
		both := b.commit(table.Put(b.item("a", "2"), table.At(one)), table.Put(item, table.Absent()))
		wantEqual(b, "first", b.get(b.key("a")).Version, both)
		wantEqual(b, "second", b.get(b.key("b")).Version, both)
	}},
	{"a version never comes back, also not over a deletion", func(b *bench) {
		seen := map[string]bool{}
		for range 3 {
			version := b.put("a", "same")
			stale := b.get(b.key("a")).Version
			if seen[stale] {
				b.Fatalf("version %s came back", stale)
			}
			seen[stale] = true
			b.commit(table.Delete(b.key("a"), table.At(version)))
			b.put("a", "same")
			b.wantFailed("stale", b.try(newID(), table.Put(b.item("a", "lost"), table.At(stale))), 0)
			b.commit(table.Delete(b.key("a"), table.Present()))
		}
	}},
}

func (b *bench) checkCondition(
	what string, kind table.OpKind, stored, holds bool, cond func(version string) table.Condition,
) {
	b.Helper()
	b.commit(table.Delete(b.key("a"), table.Any()))
	version, want := "", ""
	if stored {
		version, want = b.put("a", "old"), "old"
	}
	err := b.try(newID(), table.Op{Kind: kind, Item: b.item("a", "new"), If: cond(version)})
	if !holds {
		b.wantFailed(what, err, 0)
		b.wantBody("a", want)
		return
	}
	if err != nil {
		b.Errorf("%s: %v", what, err)
	}
	b.wantBody("a", map[table.OpKind]string{table.OpPut: "new", table.OpDelete: "", table.OpCheck: want}[kind])
}

// wantFailed: err is a ConditionError that names at least one of the ops that failed and none that didn't.
func (b *bench) wantFailed(what string, err error, failed ...int) {
	b.Helper()
	var e *table.ConditionError
	if !errors.As(err, &e) || !errors.Is(err, table.ErrCondition) || len(e.Failed) == 0 {
		b.Errorf("%s: got error %v, want a ConditionError of %v", what, err, failed)
		return
	}
	for _, i := range e.Failed {
		if !slices.Contains(failed, i) {
			b.Errorf("%s: names op %d, failed are %v", what, i, failed)
		}
	}
}
