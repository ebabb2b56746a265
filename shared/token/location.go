package token

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

// SyncStatus is how the last sync stands, as Graph names it (vppTokenSyncStatus).
type SyncStatus string

// The sync states.
const (
	SyncNone       SyncStatus = "none"
	SyncInProgress SyncStatus = "inProgress"
	SyncCompleted  SyncStatus = "completed"
	SyncFailed     SyncStatus = "failed"
)

// Location is what the worker of a location writes while it works. It is one item, so that progress is only ever
// stored by the holder of the lease.
type Location struct {
	Lease Lease `json:"lease"`
	Sync  Sync  `json:"sync"`
}

// Lease says who works on the location. It keeps Apple's pacing in one place; it is not what makes spending safe.
type Lease struct {
	Owner string    `json:"owner,omitempty"`
	Fence int       `json:"fence"` // rises with every owner
	Until time.Time `json:"until,omitzero"`
}

// Sync is what syncs have brought, and how far the present one is.
type Sync struct {
	Status SyncStatus `json:"status,omitempty"`
	// UsersVersion and AssignmentsVersion are Apple's ids from which the next delta goes on.
	UsersVersion       string `json:"usersVersion,omitempty"`
	AssignmentsVersion string `json:"assignmentsVersion,omitempty"`
	// UsersSeen and AssignmentsSeen are newer ones, if any: up to them, work other than syncs has applied all rows. Only a
	// sync goes on from the ids above; it begins its deltas at these.
	UsersSeen       string `json:"usersSeen,omitempty"`
	AssignmentsSeen string `json:"assignmentsSeen,omitempty"`
	// FirstDone says that the first full sync has ended, or since a restoration of the table the first one after that.
	// Law 5: nothing is spent before.
	FirstDone time.Time `json:"firstDone,omitzero"`
	// Restored is the last restoration that the location knows of; see location.Worker.
	Restored time.Time `json:"restored,omitzero"`
	LastFull time.Time `json:"lastFull,omitzero"`
	LastDone time.Time `json:"lastDone,omitzero"`
	// LastOrdered is when the last sync ended that somebody had ordered: what is put off otherwise, as too soon to be worth
	// asking Apple again, isn't after that.
	LastOrdered time.Time `json:"lastOrdered,omitzero"`
	LastError   string    `json:"lastError,omitempty"`
	// Counted is when the books' counts were last read.
	Counted time.Time `json:"counted,omitzero"`
	// AssetPages is how many pages that took: what reading all counts costs.
	AssetPages int `json:"assetPages,omitempty"`
	// Buckets is over how many items the books' digests are spread; it grows with the library.
	Buckets int `json:"buckets,omitempty"`
	// Run is the sync that is under way, if any; what is in it is syncrun's.
	Run json.RawMessage `json:"run,omitempty"`
}

// UsersSince is the id since which the users' changes haven't been applied.
func (s Sync) UsersSince() string { return cmp.Or(s.UsersSeen, s.UsersVersion) }

// AssignmentsSince is the id since which the assignments' changes haven't been applied.
func (s Sync) AssignmentsSince() string { return cmp.Or(s.AssignmentsSeen, s.AssignmentsVersion) }

// LocationDoc is a location's state with its place in the table.
type LocationDoc = table.Doc[Location]

func locationKey(location string) table.Key {
	return table.Key{Part: "location#" + location, Sort: "state"}
}

// LoadLocation returns the state of a location, an empty one when nothing has been done there yet.
func LoadLocation(ctx context.Context, store *table.ReadStore, location string) (LocationDoc, error) {
	return table.LoadOrZero[Location](ctx, store, locationKey(location))
}

// LoadLocations returns the states of many locations, by uId.
func LoadLocations(ctx context.Context, store *table.ReadStore, locations []string) (map[string]Location, error) {
	keys := make([]table.Key, len(locations))
	for i, l := range locations {
		keys[i] = locationKey(l)
	}
	found, err := table.LoadMany[Location](ctx, store, keys)
	if err != nil {
		return nil, err
	}
	states := make(map[string]Location, len(locations))
	for i, l := range locations {
		states[l] = found[keys[i]].Value
	}
	return states, nil
}

func isConflict(err error) bool { return errors.Is(err, table.ErrCondition) }
