package mem

import (
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

// index is one index as QueryIndex sees it: entries by partition, and the changes that aren't visible yet, oldest first.
type index struct {
	parts   map[string]*indexPart
	pending []indexChange
}

// indexPart is one partition of an index. Changes are put in their places all together, when somebody reads or they have
// become many: so a million entries cost some sorts and not a million insertions.
type indexPart struct {
	name    string
	entries []table.Entry // sorted
	news    []change      // newer than the entries, oldest first
}

// change is the coming or going of an entry.
type change struct {
	entry table.Entry
	add   bool
}

// indexChange is visible from the call and time on.
type indexChange struct {
	change
	call int
	at   time.Time
}

func (x *index) apply(c indexChange) {
	name := c.entry.Place.Part
	p := x.parts[name]
	if p == nil {
		if x.parts == nil {
			x.parts = map[string]*indexPart{}
		}
		p = &indexPart{name: name}
		x.parts[name] = p
	}
	if p.news = append(p.news, c.change); len(p.news) > len(p.entries)+mostNews {
		p.settle()
	}
}

// mostNews is how many changes a small partition keeps for its next reader; a large one keeps as many as it has entries.
const mostNews = 1000

// settle puts the news in their places.
func (p *indexPart) settle() {
	if len(p.news) == 0 {
		return
	}
	slices.SortStableFunc(p.news, func(a, b change) int { return a.entry.Compare(b.entry) })
	merged := make([]table.Entry, 0, len(p.entries)+len(p.news))
	old := p.entries
	for i, c := range p.news {
		if i+1 < len(p.news) && p.news[i+1].entry == c.entry {
			continue // the last change of an entry is what holds
		}
		n, there := slices.BinarySearchFunc(old, c.entry, table.Entry.Compare)
		merged = append(merged, old[:n]...)
		if old = old[n:]; there {
			old = old[1:]
		}
		if c.add {
			merged = append(merged, c.entry)
		}
	}
	merged = append(merged, old...)
	p.entries, p.news = merged, nil
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
	p := x.parts[r.Part]
	if p == nil {
		return nil
	}
	p.settle()
	var list []table.Entry
	for _, e := range p.entries {
		if within(r, e.Place.Sort) && (after == nil || (e.Compare(*after) > 0) != r.Reverse && e != *after) {
			list = append(list, e)
		}
	}
	if r.Reverse {
		slices.Reverse(list)
	}
	return list
}

// fork shares the sorted entries, which are never changed in place.
func (x *index) fork() index {
	f := index{parts: make(map[string]*indexPart, len(x.parts)), pending: slices.Clone(x.pending)}
	for name, p := range x.parts {
		f.parts[name] = &indexPart{name: name, entries: p.entries, news: slices.Clone(p.news)}
	}
	return f
}

func within(r table.Range, sort string) bool {
	return (r.From == "" || sort >= r.From) && (r.To == "" || sort <= r.To)
}
