package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// Directory reads and writes people and groups. Its methods may be called concurrently, also from several processes.
type Directory struct {
	*Reader
	store     *table.Store
	world     world.World
	announcer Announcer
}

// New returns a directory kept in store, which tells announcer of its changes.
func New(store *table.Store, w world.World, announcer Announcer) *Directory {
	return &Directory{NewReader(store.ReadStore), store, w, announcer}
}

// attempts is how often a write begins again because somebody else wrote the same person or group meanwhile.
const attempts = 6

// retryAfter is what a caller is told to wait when all attempts met somebody else.
const retryAfter = time.Second

func busy(what string, after time.Duration, cause error) error {
	e := problem.New(problem.Unavailable, "DirectoryBusy",
		"%s is being changed by another request. Nothing is lost; repeat the request after a pause.", what)
	e.RetryAfter = after
	return e.Because(cause)
}

// checkVersion refuses a write that its caller made dependent on a version that is no longer there; empty asks nothing.
func checkVersion(want, have string) error {
	if want == "" || want == have {
		return nil
	}
	return problem.New(problem.Precondition, "VersionChanged",
		"The resource has been changed since the version that the request names. Read it again.")
}

// announced does a write between the two announcements; an empty change is made without them.
func (d *Directory) announced(ctx context.Context, change Change, write func() error) error {
	if len(change.Groups)+len(change.People) == 0 {
		return write()
	}
	if err := d.announcer.Before(ctx, change); err != nil {
		return fmt.Errorf("announce a change before it: %w", err)
	}
	if err := write(); err != nil {
		return err
	}
	if err := d.announcer.After(ctx, change); err != nil {
		return fmt.Errorf("announce a change after it: %w", err)
	}
	return nil
}

// insist repeats a write that reads first, as long as it fails because of somebody else's.
func insist(what string, write func() error) error {
	var err error
	for range attempts {
		if err = write(); !errors.Is(err, table.ErrCondition) {
			return err
		}
	}
	return busy(what, retryAfter, err)
}
