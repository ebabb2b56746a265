package apple

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/bookplate/bookplate/shared/world"
)

var (
	errTooLate = errors.New("the moment until which the request could be started has passed")
	errNoOwner = errors.New("the location was opened without an owner: claim it first")
	errStale   = errors.New("no answer has named us as the location's owner for a minute")
)

// namedFor is how long an answer that named us lets us write. Somebody else may have heard of another owner since: a
// process that has stood still doesn't write on what it heard before that.
const namedFor = time.Minute

// gate is the one place that lets requests start. It remembers what the answers have said about the location.
type gate struct {
	clock world.Clock
	log   *slog.Logger

	mu        sync.Mutex
	id        Identity
	stopped   error     // *OwnerError or *LocationError; never taken back
	foreign   *MDMInfo  // the foreign owner seen
	unclaimed bool      // an answer named no owner since the configuration last named us
	named     time.Time // when the location was opened, or an answer last named us
}

// pass returns nil if the call may start now. The caller hands the request to the transport at once.
func (g *gate) pass(c *call) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	// Law 4: no request starts, and so no write, after an answer named another owner or another location.
	if g.stopped != nil {
		return g.stopped
	}
	// Law 4: we write only as the location's owner, and an answer without an owner takes that from us until the
	// client configuration names us again. A claim is how one becomes the owner.
	if c.writes() && c.claim == nil {
		if g.id.MDMID == "" {
			return errNoOwner
		}
		if g.unclaimed {
			return &UnclaimedError{}
		}
		if g.clock.Now().Sub(g.named) > namedFor {
			return errStale
		}
	}
	// Law 2: a request that spends never starts at or after its deadline. A deadline that was forgotten is the zero
	// time, which has passed.
	if c.spends && !g.clock.Now().Before(c.notAfter) {
		return fmt.Errorf("%w (%s)", errTooLate, c.notAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

// examine holds an answer against the location's identity, before anything else in it is used. What the answer names
// counts however it ended; what it doesn't name counts only in a good one.
func (g *gate) examine(c *call, e envelope, good bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e.uid != "" && g.id.UID != "" && e.uid != g.id.UID {
		return g.stop(&LocationError{Want: g.id.UID, Got: e.uid})
	}
	if good && g.id.UID == "" {
		g.id.UID = e.uid
	}
	return g.examineOwner(c, e, good)
}

func (g *gate) examineOwner(c *call, e envelope, good bool) error {
	ours := g.id.MDMID
	if c.claim != nil {
		if !good {
			return nil // a claim that was refused still shows the owner that it was to replace
		}
		ours = c.claim.ID
	}
	if ours != "" && e.owner() == ours {
		g.named = g.clock.Now()
	}
	switch {
	case ours == "":
		return nil
	case e.owner() != "" && e.owner() != ours:
		g.foreign = e.mdm
		return g.stop(&OwnerError{Owner: *e.mdm})
	case e.owner() == "" && good:
		g.unclaimed = true
		g.log.Warn("an answer names no owner of the location", "endpoint", c.key, "location", g.id.UID)
		if c.claim != nil {
			return &UnclaimedError{}
		}
	case c.claim != nil:
		g.id.MDMID, g.unclaimed = ours, false
	case c.endpoint == readClientConfig && good:
		g.unclaimed = false
	}
	return nil
}

// stop is for ever: only a new Location, by an administrator's order, talks about this location again.
func (g *gate) stop(why error) error {
	if g.stopped == nil {
		g.stopped = why
		g.log.Error("the location is isolated: no further request is sent", "location", g.id.UID, "error", why)
	}
	return g.stopped
}

func (g *gate) owner() (MDMInfo, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.foreign == nil {
		return MDMInfo{}, false
	}
	return *g.foreign, true
}
