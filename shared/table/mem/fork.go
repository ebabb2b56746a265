package mem

import (
	"maps"
	"slices"

	"github.com/bookplate/bookplate/shared/world"
)

// Fork returns a table of its own that has all that this one has now, what its indexes will show and what it remembers
// included, but no faults. It is cheap: stored items are never changed in place, so both tables share them.
func (t *Table) Fork(clock world.Clock) *Table {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := &Table{
		clock: clock, calls: t.calls, writes: t.writes, parts: make(map[string]*partition, len(t.parts)),
		expiries: slices.Clone(t.expiries), tokens: maps.Clone(t.tokens), oldest: slices.Clone(t.oldest),
	}
	for name, p := range t.parts {
		f.parts[name] = &partition{name: name, sorts: slices.Clone(p.sorts), items: maps.Clone(p.items)}
	}
	for i := range t.indexes {
		f.indexes[i] = t.indexes[i].fork()
	}
	return f
}
