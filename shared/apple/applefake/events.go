package applefake

import (
	"slices"
	"sort"
	"time"
)

// event is one accepted write. It is done as a whole when the clock has passed its due time; until then nothing of it shows.
type event struct {
	id        string
	n         uint64 // number of the change that made it
	op        op
	due       time.Time
	done      bool
	requested int
	completed int
	failures  []*refusal // one a number
	assets    []assetOutcome
	users     []userOutcome
}

// assetOutcome and userOutcome are what became of one task: number 0 is success.
type assetOutcome struct {
	row    assignmentRow
	number int
}

type userOutcome struct {
	row    userRow
	number int
}

// submit accepts a write and answers with its event.
func (c *call) submit(o op) (any, *refusal) {
	o.At, o.Fail = c.now, c.fault.EventError
	o.Partly = c.fault.EventPartly && o.Kind == opAssociate
	o.Until = c.location.dueTime(c.now, o.tasks()).Add(c.fault.EventDelay)
	id, err := c.location.commit(o)
	if err != nil {
		return nil, refuse(9603)
	}
	c.eventID = id
	return eventAnswer{id, c.common(false)}, nil
}

// tasks is numRequested: every asset for every target, or one a user.
func (o *op) tasks() int {
	if o.Assets == nil {
		return len(o.Users)
	}
	targets := len(o.Assets.ClientUserIDs) + len(o.Assets.SerialNumbers)
	if o.Kind == opRevoke {
		return targets
	}
	return len(o.Assets.Assets) * targets
}

// dueTime draws the latency of the next event.
func (l *Location) dueTime(now time.Time, tasks int) time.Time {
	o := l.server.options
	due := now.Add(o.Latency.Base + time.Duration(tasks)*o.Latency.PerTask)
	due = due.Add(time.Duration(l.ids.chance(kindJitter, l.ops, uint64(max(o.Latency.Jitter, 0))+1)))
	if !o.OutOfOrder && due.Before(l.lastDue) {
		due = l.lastDue
	}
	l.lastDue = due
	return due
}

func (l *Location) enqueue(o op) string {
	e := &event{id: l.ids.uuid(kindEvent, l.ops), n: l.ops, op: o, due: o.Until, requested: o.tasks()}
	l.events[e.id] = e
	l.order = append(l.order, e)
	at := sort.Search(len(l.pending), func(i int) bool { return l.pending[i].due.After(e.due) })
	l.pending = slices.Insert(l.pending, at, e)
	return e.id
}

// settle ends every event whose time has come, in the order of their times, and forgets the oldest.
func (l *Location) settle(now time.Time) {
	for len(l.pending) > 0 && !l.pending[0].due.After(now) {
		e := l.pending[0]
		l.pending = l.pending[1:]
		l.run(e)
	}
	for len(l.order) > 0 && l.order[0].done && now.Sub(l.order[0].due) > l.server.options.EventTTL {
		delete(l.events, l.order[0].id)
		l.order = l.order[1:]
	}
}

func (l *Location) run(e *event) {
	switch {
	case e.op.Fail != 0 && !e.op.Partly:
		e.failures = append(e.failures, refuse(e.op.Fail))
	case e.op.Kind == opAssociate:
		l.runAssociate(e)
	case e.op.Kind == opDisassociate:
		l.runDisassociate(e)
	case e.op.Kind == opRevoke:
		l.runRevoke(e)
	default:
		l.runUsers(e)
	}
	e.done = true
	l.notifyEvent(e)
	e.assets, e.users = nil, nil
}

// fail notes a failed task. Failures are grouped by number, so that their errorInfo names every asset and every target
// that took part in one, not which with which.
func (e *event) fail(number int, info errorInfo) {
	var group *refusal
	for _, f := range e.failures {
		if f.ErrorNumber == number {
			group = f
		}
	}
	if group == nil {
		group = refuse(number).about(errorInfo{})
		e.failures = append(e.failures, group)
	}
	group.ErrorInfo.Assets = append(group.ErrorInfo.Assets, info.Assets...)
	group.ErrorInfo.ClientUserIDs = append(group.ErrorInfo.ClientUserIDs, info.ClientUserIDs...)
	group.ErrorInfo.SerialNumbers = append(group.ErrorInfo.SerialNumbers, info.SerialNumbers...)
}

// tidy leaves each name once in the failures' errorInfo.
func (e *event) tidy() {
	for _, f := range e.failures {
		f.ErrorInfo.Assets = once(f.ErrorInfo.Assets)
		f.ErrorInfo.ClientUserIDs = once(f.ErrorInfo.ClientUserIDs)
		f.ErrorInfo.SerialNumbers = once(f.ErrorInfo.SerialNumbers)
	}
}

func once[T comparable](list []T) []T {
	seen := make(map[T]bool, len(list))
	return slices.DeleteFunc(list, func(v T) bool {
		again := seen[v]
		seen[v] = true
		return again
	})
}

// eventStatus is GET /status.
func eventStatus(c *call) (any, *refusal) {
	e := c.location.events[c.query.Get("eventId")]
	if e == nil || e.done && c.now.Sub(e.due) > c.server.options.EventTTL {
		return nil, refuse(9708)
	}
	answer := statusAnswer{
		EventStatus: "PENDING", EventType: string(e.op.Kind), NumRequested: e.requested, common: c.common(false),
	}
	if e.done {
		answer.EventStatus, answer.NumCompleted, answer.Failures = "COMPLETE", e.completed, e.failures
		if len(e.failures) > 0 {
			answer.EventStatus = "FAILED"
		}
	}
	return answer, nil
}
