package mem

import (
	"container/heap"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

// expiries are the items that will expire, the next one first. An item that was replaced or deleted since is still
// listed; its version tells.
type expiries []expiry

type expiry struct {
	at      time.Time
	key     table.Key
	version string
}

func (e expiries) Len() int           { return len(e) }
func (e expiries) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e expiries) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *expiries) Push(x any)        { *e = append(*e, x.(expiry)) }

func (e *expiries) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// expire removes the items whose time has come.
func (t *Table) expire(now time.Time) {
	for len(t.expiries) > 0 && !now.Before(t.expiries[0].at.Add(t.faults.LateExpiry)) {
		due := heap.Pop(&t.expiries).(expiry)
		if item := t.lookup(due.key); item != nil && item.Version == due.version {
			t.store(table.Change{Before: item})
		}
	}
}
