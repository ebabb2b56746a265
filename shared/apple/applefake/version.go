package applefake

import (
	"sort"
	"time"
)

// versioned is one endpoint's data as its version ids see it: a number that rises with every change, when each was made,
// and the rows that changed. Generated rows are older than the first version and never in the log.
type versioned[T interface{ inDelta(version int) bool }] struct {
	ids    opaque
	kind   kind
	stamps []time.Time // stamps[i]: when version i was replaced by i+1
	log    []change[T]
}

type change[T any] struct {
	version int
	row     T
}

func (v *versioned[T]) current() int { return len(v.stamps) }

func (v *versioned[T]) id() string { return v.ids.uuid(v.kind, uint64(v.current())) }

// touch makes a new version of which rows are the change; rows may be none, as when something was only taken away.
func (v *versioned[T]) touch(at time.Time, rows ...T) {
	v.stamps = append(v.stamps, at)
	for _, row := range rows {
		v.log = append(v.log, change[T]{v.current(), row})
	}
}

// open is the version that id names, if it can still be used: ids of other endpoints and locations can't, and not
// those that were replaced longer than ttl ago.
func (v *versioned[T]) open(id string, now time.Time, ttl time.Duration) (int, bool) {
	n, ok := v.ids.openUUID(v.kind, id)
	if !ok || n > uint64(v.current()) {
		return 0, false
	}
	version := int(n)
	if version < v.current() && now.Sub(v.stamps[version]) > ttl {
		return 0, false
	}
	return version, true
}

// since lists the rows that came or changed after a version, each once, in the order of their last change. What was
// removed doesn't show: Apple documents no form for it.
func (v *versioned[T]) since(version int) []T {
	from := sort.Search(len(v.log), func(i int) bool { return v.log[i].version > version })
	var rows []T
	for _, c := range v.log[from:] {
		if c.row.inDelta(c.version) {
			rows = append(rows, c.row)
		}
	}
	return rows
}
