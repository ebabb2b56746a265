package grant

import (
	"context"
	"log/slog"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/syncrun"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

// Apple is what of Apple's location grants need.
type Apple interface {
	syncrun.Apple
	Associate(ctx context.Context, a apple.Association) (eventID string, err error)
	Event(ctx context.Context, eventID string) (apple.Event, error)
}

// Pace are the times of the grant path.
type Pace struct {
	// ResendAfter is how long after the last moment at which a request may have started, and without Apple's word, a
	// pair may be sent again (law 2). Ten minutes, unless Apple is a fake.
	ResendAfter time.Duration
	// Poll is when a batch is first looked at after it was sent; every later look comes three times that later.
	Poll time.Duration
	// MaxOpen is how many batches a location has under way at once.
	MaxOpen int
}

// Granter spends at one location.
type Granter struct {
	Store     *table.Store
	World     world.World
	Apple     Apple
	Limits    apple.Limits // live
	Directory *directory.Reader
	Readers   reader.Worker
	Record    token.Record
	// State is the location's. Grants note in it up to where they have applied Apple's rows; whoever works stores it.
	State *token.Sync
	Pace  Pace
	Log   *slog.Logger
	// Until is when no further batch is begun: what is left is marked for the next wake.
	Until time.Time
	// head is the backlog from which is given, if any: when another worker has changed it, nothing of it is sent any more.
	head *backlogDoc
}

// notAfter is how long after a batch was stored as sending the transport may still start its request (law 2).
func (p Pace) notAfter() time.Duration { return min(60*time.Second, p.ResendAfter/2) }

func (g Granter) identity() reader.Identity {
	return reader.Identity{Location: g.Record.Location, MDMID: g.Record.MDMID}
}

func (g Granter) surveyor() assign.Surveyor {
	return assign.Surveyor{Store: g.Store.ReadStore, Directory: g.Directory, World: g.World}
}

func (g Granter) settling() syncrun.Settling {
	return syncrun.Settling{
		Store: g.Store, World: g.World, Apple: g.Apple, Location: g.Record.Location, Buckets: g.State.Buckets,
	}
}

// pair is one license that is to be given: a title for a person, and why.
type pair struct {
	asset   apple.AssetKey
	to      string // personId
	cause   *license.Cause
	license license.Doc // that the decision was made on; with the time of the request, if that is what it answers
}

func (p pair) title() apple.AssetKey { return p.asset }
func (p pair) person() string        { return p.to }
