package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/queue"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

// Handler runs the jobs.
type Handler struct {
	Store *table.Store
	World world.World
	Queue queue.Queue
	Log   *slog.Logger
}

// Jobs of an Event.
const (
	JobSync  = "sync"
	JobSweep = "sweep"
)

// Event is what a timer sends.
type Event struct {
	Job string `json:"job"`
}

// Handle does the event's job.
func (h Handler) Handle(ctx context.Context, e Event) error {
	switch e.Job {
	case JobSync:
		return h.Syncs(ctx)
	case JobSweep:
		return h.Sweep(ctx)
	default:
		return fmt.Errorf("the timer asks for the unknown job %q", e.Job)
	}
}

// Syncs marks a sync, due now, for every location whose token is valid, and wakes them. Also one whose token has
// expired by the clock: its worker hears it from Apple and says so.
func (h Handler) Syncs(ctx context.Context) error {
	return h.each(ctx, "ordering a sync", func(ctx context.Context, location string) (bool, error) {
		_, err := h.Store.Commit(ctx, mark.New(location, mark.Sync, mark.SyncSchedule, h.World.Now()))
		return err == nil, err
	})
}

// Sweep wakes every location with a valid token that has something due.
func (h Handler) Sweep(ctx context.Context) error {
	return h.each(ctx, "looking for overdue work", func(ctx context.Context, location string) (bool, error) {
		marks, err := mark.Read(ctx, h.Store.ReadStore, location)
		next := mark.Next(marks)
		return err == nil && !next.IsZero() && !next.After(h.World.Now()), err
	})
}

const width = 8 // locations at once

// each does something for every location with a valid token and wakes those for which it says so. One location's failure
// keeps no other from its turn.
func (h Handler) each(
	ctx context.Context, doing string, task func(ctx context.Context, location string) (wake bool, err error),
) error {
	records, err := token.All(ctx, h.Store.ReadStore)
	if err != nil {
		return err
	}
	failures := make([]error, len(records))
	woken := make([]bool, len(records))
	err = h.World.Run(ctx, width, len(records), func(ctx context.Context, i int) error {
		r := records[i].Value
		if r.State != token.Valid {
			return nil // stopped until an administrator acts
		}
		wake, err := task(ctx, r.Location)
		if err == nil && wake {
			woken[i] = true
			err = h.Queue.Wake(ctx, r.Location, h.World.Now())
		}
		if err != nil {
			failures[i] = fmt.Errorf("%s at location %s: %w", doing, r.Location, err)
		}
		return nil
	})
	n := 0
	for _, w := range woken {
		if w {
			n++
		}
	}
	h.Log.InfoContext(ctx, "timer", "doing", doing, "tokens", len(records), "woken", n)
	return errors.Join(append(failures, err)...)
}
