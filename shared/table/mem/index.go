package mem

import (
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

// index is one index as QueryIndex sees it: sorted entries, and the changes that aren't visible yet, oldest first.
type index struct {
	entries []table.Entry
	pending []indexChange
}

// indexChange is the coming or going of an entry, visible from the call and time on.
type indexChange struct {
	entry table.Entry
	add   bool
	call  int
	at    time.Time
}

func (x *index) apply(c indexChange) {
	at, there := slices.BinarySearchFunc(x.entries, c.entry, table.Entry.Compare)
	switch {
	case c.add && !there:
		x.entries = slices.Insert(x.entries, at, c.entry)
	case !c.add && there:
		x.entries = slices.Delete(x.entries, at, at+1)
	}
}

// ripen makes visible what is due. The changes keep their order, as those of one item must.
func (x *index) ripen(call int, now time.Time) {
	var n int
	for n < len(x.pending) && x.pending[n].call <= call && !now.Before(x.pending[n].at) {
		x.apply(x.pending[n])
		n++
	}
	x.pending = slices.Delete(x.pending, 0, n)
}

// selects returns the entries of the range behind the position, in the range's order.
func (x *index) selects(r table.Range, after *table.Entry) []table.Entry {
	from, _ := slices.BinarySearchFunc(x.entries, r.Part, func(e table.Entry, part string) int {
		return strings.Compare(e.Place.Part, part)
	})
	var list []table.Entry
	for _, e := range x.entries[from:] {
		if e.Place.Part != r.Part {
			break
		}
		if within(r, e.Place.Sort) && (after == nil || (e.Compare(*after) > 0) != r.Reverse && e != *after) {
			list = append(list, e)
		}
	}
	if r.Reverse {
		slices.Reverse(list)
	}
	return list
}

func within(r table.Range, sort string) bool {
	return (r.From == "" || sort >= r.From) && (r.To == "" || sort <= r.To)
}
