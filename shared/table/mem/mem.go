package mem

import (
	"bytes"
	"container/heap"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// Remember is how long a Commit's token is remembered: exactly what the port promises.
const Remember = 10 * time.Minute

// Table is a table.Engine in memory, safe for concurrent use.
type Table struct {
	clock world.Clock

	mu            sync.Mutex
	faults        Faults
	calls, writes int
	parts         map[string]*partition
	indexes       [2]index
	expiries      expiries
	tokens        map[string]token
	oldest        []string // the tokens in the order of their commits
}

// partition holds the items of one partition key and their sort keys in order.
type partition struct {
	name  string
	sorts []string
	items map[string]*table.Item
}

type token struct {
	at  time.Time
	ops [16]byte
}

var _ table.Engine = (*Table)(nil)

// New returns an empty table. The clock decides about expiry, the memory of tokens, and index lag.
func New(clock world.Clock) *Table {
	return &Table{clock: clock, parts: map[string]*partition{}, tokens: map[string]token{}}
}

// SetFaults says what leaks from now on.
func (t *Table) SetFaults(f Faults) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = f
}

// Snapshot returns copies of all stored items in the order of their keys. It isn't a call: it leaks and counts nothing.
func (t *Table) Snapshot() []table.Item {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []table.Item
	for _, part := range slices.Sorted(maps.Keys(t.parts)) {
		for _, sort := range t.parts[part].sorts {
			all = append(all, *clone(t.parts[part].items[sort]))
		}
	}
	return all
}

// Dump returns all that is stored as text, an item a line with its body as it is: to look for what mustn't be there,
// and to compare two runs.
func (t *Table) Dump() []byte {
	var out bytes.Buffer
	for _, item := range t.Snapshot() {
		index, _ := json.Marshal(item.Index) // strings always marshal
		fmt.Fprintf(&out, "%v %s %s %s %s\n", item.Key, item.Version, expiresText(item), index, item.Body)
	}
	return out.Bytes()
}

func expiresText(item table.Item) string {
	if item.Expires.IsZero() {
		return "-"
	}
	return item.Expires.Format(time.RFC3339)
}

// perform runs one call: the hooks around, the lock, and what falls due with every call.
func (t *Table) perform(ctx context.Context, call Call, do func(now time.Time) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	hooks, call := t.begin(call)
	if hooks.Before != nil {
		if err := hooks.Before(call); err != nil {
			return err
		}
	}
	if err := t.locked(do); err != nil {
		return err
	}
	if hooks.After != nil {
		return hooks.After(call)
	}
	return nil
}

func (t *Table) begin(call Call) (Faults, Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls++
	call.Number = t.calls
	if call.Kind == Commit || call.Kind == PutMany || call.Kind == DeleteMany {
		t.writes++
		call.Write = t.writes
	}
	return t.faults, call
}

func (t *Table) locked(do func(now time.Time) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	t.expire(now)
	t.forget(now)
	for i := range t.indexes {
		t.indexes[i].ripen(t.calls, now)
	}
	return do(now)
}

func (t *Table) forget(now time.Time) {
	var n int
	for n < len(t.oldest) && now.Sub(t.tokens[t.oldest[n]].at) > Remember {
		delete(t.tokens, t.oldest[n])
		n++
	}
	t.oldest = t.oldest[n:]
}

func (t *Table) lookup(key table.Key) *table.Item {
	if p := t.parts[key.Part]; p != nil {
		return p.items[key.Sort]
	}
	return nil
}

// store makes the change, and its index entries' to their time. Stored items are never changed in place.
func (t *Table) store(c table.Change) {
	if c.After != nil {
		t.share(c)
		t.put(c.After)
	} else if c.Before != nil {
		t.remove(c.Before.Key)
	}
	for i := range t.indexes {
		before, after := c.Entries(table.Index(i))
		if before == after {
			continue
		}
		for n, e := range []table.Entry{before, after} {
			if e != (table.Entry{}) {
				t.reindex(&t.indexes[i], indexChange{change: change{entry: e, add: n == 1}})
			}
		}
	}
}

func (t *Table) reindex(x *index, c indexChange) {
	if t.faults.IndexLagOps > 0 {
		c.call = t.calls + 1 + t.faults.Chance(t.faults.IndexLagOps)
	}
	if t.faults.IndexLagTime > 0 {
		c.at = t.clock.Now().Add(t.faults.IndexLagTime)
	}
	x.pending = append(x.pending, c)
	x.ripen(t.calls, t.clock.Now())
}

// share has an item that comes share the text of its keys with what is there: millions of items have few partitions.
func (t *Table) share(c table.Change) {
	if c.Before != nil {
		c.After.Key = c.Before.Key
	} else if p := t.parts[c.After.Key.Part]; p != nil {
		c.After.Key.Part = p.name
	}
	for i := range c.After.Index {
		at := &c.After.Index[i]
		if c.Before != nil && c.Before.Index[i] == *at {
			*at = c.Before.Index[i]
		} else if p := t.indexes[i].parts[at.Part]; p != nil {
			at.Part = p.name
		}
	}
}

func (t *Table) put(item *table.Item) {
	p := t.parts[item.Key.Part]
	if p == nil {
		p = &partition{name: item.Key.Part, items: map[string]*table.Item{}}
		t.parts[item.Key.Part] = p
	}
	if at, there := slices.BinarySearch(p.sorts, item.Key.Sort); !there {
		p.sorts = slices.Insert(p.sorts, at, item.Key.Sort)
	}
	p.items[item.Key.Sort] = item
	if !item.Expires.IsZero() {
		heap.Push(&t.expiries, expiry{item.Expires, item.Key, item.Version})
	}
}

func (t *Table) remove(key table.Key) {
	p := t.parts[key.Part]
	at, _ := slices.BinarySearch(p.sorts, key.Sort)
	p.sorts = slices.Delete(p.sorts, at, at+1)
	delete(p.items, key.Sort)
	if len(p.items) == 0 {
		delete(t.parts, key.Part)
	}
}

// clone shares nothing with the item.
func clone(item *table.Item) *table.Item {
	copied := *item
	copied.Body = bytes.Clone(item.Body)
	return &copied
}
