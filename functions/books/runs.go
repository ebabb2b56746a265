package books

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/syncrun"
	"github.com/bookplate/bookplate/shared/token"
)

// run is a sync run as clients read it.
type run struct {
	ID       string           `json:"id"`
	Location string           `json:"locationId"`
	Status   token.SyncStatus `json:"status"`
	Kind     syncrun.Kind     `json:"kind"`
	First    bool             `json:"first"`
	Trigger  string           `json:"trigger"`
	Started  time.Time        `json:"startDateTime"`
	Ended    *time.Time       `json:"endDateTime"`
	Phase    syncrun.Phase    `json:"phase"`
	Page     int              `json:"page"`  // pages of the phase that are done
	Pages    int              `json:"pages"` // pages that the phase has; 0 while unknown
	Counts   syncrun.Counts   `json:"counts"`
	Error    string           `json:"error,omitempty"`
	Note     string           `json:"note,omitempty"`
}

func showRun(r syncrun.Run, state token.Sync) run {
	shown := run{
		ID: r.ID, Location: r.Location, Status: token.SyncCompleted, Kind: r.Kind, First: r.First, Trigger: r.Trigger,
		Started: r.Started, Phase: r.Phase, Page: r.Page, Pages: r.Pages, Counts: r.Counts, Error: r.Error, Note: r.Note,
	}
	switch {
	case r.Ended.IsZero():
		shown.Status = token.SyncInProgress
		shown.Error = state.LastError // it is tried again
	case r.Error != "":
		shown.Status = token.SyncFailed
	}
	if !r.Ended.IsZero() {
		shown.Ended = &r.Ended
	}
	return shown
}

// syncRuns lists the run that is under way and then those that have ended, newest first.
func (s server) syncRuns(w http.ResponseWriter, r *http.Request) error {
	location, _, err := s.place(r)
	if err != nil {
		return err
	}
	return answer(w, r, "bookplate/syncRuns", func(limit int, cursor string) (shown []run, next string, err error) {
		if cursor == "" {
			state, err := token.LoadLocation(r.Context(), s.Store, location)
			if err != nil {
				return nil, "", err
			}
			if sync := state.Value.Sync; len(sync.Run) > 0 {
				var under syncrun.Run
				if err := json.Unmarshal(sync.Run, &under); err != nil {
					return nil, "", fmt.Errorf("the sync run of location %s is damaged: %w", location, err)
				}
				shown = append(shown, showRun(under, sync))
			}
		}
		ended, next, err := syncrun.Runs(r.Context(), s.Store, location, limit, cursor)
		for _, one := range ended {
			shown = append(shown, showRun(one, token.Sync{}))
		}
		return shown, next, err
	})
}

// batch is a batch as clients read it.
type batch struct {
	ID       string             `json:"id"`
	Location string             `json:"locationId"`
	State    license.BatchState `json:"state"`
	Open     bool               `json:"open"`
	Titles   []batchTitle       `json:"titles"`
	People   int                `json:"peopleCount"`
	EventID  string             `json:"eventId,omitempty"` // Apple's
	Created  time.Time          `json:"createdDateTime"`
	Sending  *time.Time         `json:"sendingDateTime"`
	Sent     *time.Time         `json:"sentDateTime"`
	Ended    *time.Time         `json:"endDateTime"`
	Polls    int                `json:"polls"`
	Outcome  string             `json:"outcome,omitempty"`
}

type batchTitle struct {
	apple.AssetKey
	BookID string `json:"bookId"`
}

// batches lists a location's batches: the open ones, then those that have ended, newest first.
func (s server) batches(w http.ResponseWriter, r *http.Request) error {
	location, _, err := s.place(r)
	if err != nil {
		return err
	}
	return answer(w, r, "bookplate/batches", func(limit int, cursor string) (shown []batch, next string, err error) {
		found, next, err := license.BatchPage(r.Context(), s.Store, location, limit, cursor)
		for _, b := range found {
			one := batch{
				ID: b.ID, Location: b.Location, State: b.State, Open: b.Open(), Titles: []batchTitle{}, People: len(b.People),
				EventID: b.Event, Created: b.Created, Sending: moment(b.SendingAt), Sent: moment(b.SentAt), Ended: moment(b.Ended),
				Polls: b.Polls, Outcome: b.Outcome,
			}
			for _, asset := range b.Titles {
				one.Titles = append(one.Titles, batchTitle{asset, book.ID(b.Location, asset)})
			}
			shown = append(shown, one)
		}
		return shown, next, err
	})
}

// monthsShown is how far back acts are listed when no month is named.
const monthsShown = 12

// acts lists what people did, newest first: of one month, or of the last twelve.
func (s server) acts(w http.ResponseWriter, r *http.Request) error {
	months := act.Months(s.World.Now(), monthsShown)
	if text := r.URL.Query().Get("month"); text != "" {
		month, err := act.ParseMonth(text)
		if err != nil {
			return problem.New(problem.Invalid, "", "The month can't be read. Write it like 2030-09.").At("month")
		}
		months = []time.Time{month}
	}
	return answer(w, r, "bookplate/acts", func(limit int, cursor string) ([]act.Act, string, error) {
		return act.List(r.Context(), s.Store, months, limit, cursor)
	})
}

// moment is null instead of never.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
