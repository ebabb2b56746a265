package applefake

import (
	"errors"

	"github.com/bookplate/bookplate/shared/world"
)

// Fork returns a fake of its own to whose locations the same has happened as to this one's, in the same state, with
// another clock. It keeps no journal, has no script and no notifications under way, and its wire log is empty.
func (s *Server) Fork(clock world.Clock) (*Server, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.options.Journal != "" {
		return nil, errors.New("a fake with a journal can't be forked: what happened before it was opened is only there")
	}
	o, limits := s.options, s.limits
	o.Clock, o.Limits = clock, &limits
	if o.Latency.Base == 0 { // none, by now; a new fake takes zero for its own
		o.Latency.Base = -1
	}
	f, err := New(o)
	if err != nil {
		return nil, err
	}
	for _, l := range s.locations {
		twin, err := f.AddLocation(l.spec)
		if err != nil {
			return nil, err
		}
		twin.again(l.done)
		twin.lastDue, twin.bucket = l.lastDue, l.bucket
	}
	return f, nil
}

// again lets changes happen another time, at their own times and without a sound.
func (l *Location) again(done []op) {
	l.silent = true
	for _, o := range done {
		l.settle(o.At)
		if l.server.journal == nil {
			l.done = append(l.done, o)
		}
		l.apply(o)
	}
	l.silent = false
}
