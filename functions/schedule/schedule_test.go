package schedule_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/functions/schedule"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

type queue struct {
	woken []string
	fails string // for this location
}

func (q *queue) Wake(_ context.Context, location string, _ time.Time) error {
	if location == q.fails {
		return errors.New("the queue is away")
	}
	q.woken = append(q.woken, location)
	return nil
}

type rig struct {
	schedule.Handler
	clock *world.Virtual
	queue *queue
}

// newRig has tokens of the locations 1 and 2, a stopped one of 3, and one of 4 that has expired by the clock only.
func newRig(t *testing.T) rig {
	t.Helper()
	clock := world.NewVirtual(3, time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC))
	store := table.NewStore(mem.New(clock), clock.World())
	for location, state := range map[string]token.State{
		"1": token.Valid, "2": token.Valid, "3": token.ExternalOwner,
		"4": token.Valid,
	} {
		expires := clock.Now().AddDate(1, 0, 0)
		if location == "4" {
			expires = clock.Now()
		}
		ops, err := token.Create(token.Record{ID: "t" + location, Location: location, State: state, Expires: expires})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Commit(t.Context(), ops...); err != nil {
			t.Fatal(err)
		}
	}
	q := &queue{}
	log := slog.New(slog.NewTextHandler(&bytes.Buffer{}, nil))
	return rig{schedule.Handler{Store: store, World: clock.World(), Queue: q, Log: log}, clock, q}
}

func (r rig) woken() []string {
	slices.Sort(r.queue.woken)
	return r.queue.woken
}

func TestEveryValidLocationIsSyncedAndNoOther(t *testing.T) {
	r := newRig(t)
	if err := r.Handle(t.Context(), schedule.Event{Job: "sync"}); err != nil {
		t.Fatal(err)
	}
	if got := r.woken(); !slices.Equal(got, []string{"1", "2", "4"}) {
		t.Errorf("woken %v", got)
	}
	for location, want := range map[string]int{"1": 1, "2": 1, "3": 0, "4": 1} {
		marks, err := mark.Read(t.Context(), r.Store.ReadStore, location)
		if err != nil || len(marks) != want {
			t.Errorf("location %s has %v, %v", location, marks, err)
		}
		if want == 1 && (marks[0].Kind != mark.Sync || marks[0].Subject != mark.SyncSchedule ||
			marks[0].Due.After(r.clock.Now())) {
			t.Errorf("location %s has %v", location, marks)
		}
	}
}

func TestTheSweepWakesWhatIsOverdueAndNothingElse(t *testing.T) {
	r := newRig(t)
	now := r.clock.Now()
	_, err := r.Store.Commit(
		t.Context(),
		mark.New("1", mark.Grants, "book:x", now.Add(time.Hour)),
		mark.New("2", mark.Settle, "batch", now.Add(-time.Minute)), mark.New("2", mark.Sync, "order", now.Add(time.Hour)),
		mark.New("3", mark.Sync, "order", now),
	)
	if err != nil {
		t.Fatal(err)
	}
	sweep := schedule.Event{Job: "sweep"}
	if err := r.Handle(t.Context(), sweep); err != nil || !slices.Equal(r.woken(), []string{"2"}) {
		t.Errorf("woken %v, %v", r.queue.woken, err)
	}
	r.queue.woken = nil
	r.clock.Advance(time.Hour)
	if err := r.Handle(t.Context(), sweep); err != nil || !slices.Equal(r.woken(), []string{"1", "2"}) {
		t.Errorf("an hour later: woken %v, %v", r.queue.woken, err)
	}
}

func TestOneLocationsFailureKeepsNoOtherFromItsTurn(t *testing.T) {
	r := newRig(t)
	r.queue.fails = "1"
	if err := r.Handle(t.Context(), schedule.Event{Job: "sync"}); err == nil {
		t.Error("the failure isn't told")
	}
	if got := r.woken(); !slices.Equal(got, []string{"2", "4"}) {
		t.Errorf("woken %v", got)
	}
}

func TestAnUnknownJobIsAnError(t *testing.T) {
	if err := newRig(t).Handle(t.Context(), schedule.Event{Job: "dance"}); err == nil {
		t.Error("no error")
	}
}
