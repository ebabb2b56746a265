package location

import (
	"context"
	"time"

	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/token"
)

// A restored table lacks what was given after its backup, and which requests were under way when the old worker ended.
// Apple knows, so nothing is settled or given anywhere until each location has been read whole: by a run that began
// when no request of the old worker could still be on its way to becoming a license. Only one location after another
// would be too little: a person may have been given elsewhere what this location would give them.

// lastSend is how long a request may start after its batch was stored (law 2).
const lastSend = time.Minute

// betweenLooks is how long a location waits for the others to be read.
const betweenLooks = time.Minute

// distrust has a location forget that it was read, once for each restoration.
func (w Worker) distrust(s *token.Sync) {
	if !w.Restored.After(s.Restored) {
		return
	}
	s.Restored = w.Restored
	s.FirstDone, s.Run = time.Time{}, nil // a run that was under way has begun too early
	s.UsersSeen, s.AssignmentsSeen = "", ""
}

// mustWait says until when work of the kind has to wait; zero means that it needn't.
func (j *job) mustWait(ctx context.Context, kind mark.Kind) (time.Time, error) {
	if j.Restored.IsZero() {
		return time.Time{}, nil
	}
	now := j.World.Now()
	if settled := j.Restored.Add(lastSend + j.Pace.ResendAfter); now.Before(settled) {
		return settled, nil
	}
	if kind == mark.Sync || kind == mark.Readers {
		return time.Time{}, nil
	}
	unread, err := j.unread(ctx)
	if err != nil || len(unread) == 0 {
		return time.Time{}, err
	}
	j.Log.WarnContext(ctx, "nothing is spent: since the table was restored, not every location has been read whole",
		"location", j.location, "unread", unread)
	return now.Add(betweenLooks), nil
}

// unread are the locations that haven't been read whole since the restoration, stopped ones among them.
func (j *job) unread(ctx context.Context) ([]string, error) {
	records, err := token.All(ctx, j.Store.ReadStore)
	if err != nil {
		return nil, err
	}
	locations := make([]string, len(records))
	for i, r := range records {
		locations[i] = r.Value.Location
	}
	states, err := token.LoadLocations(ctx, j.Store.ReadStore, locations)
	if err != nil {
		return nil, err
	}
	var unread []string
	for _, l := range locations {
		if s := states[l].Sync; s.Restored.Before(j.Restored) || s.FirstDone.IsZero() {
			unread = append(unread, l)
		}
	}
	return unread, nil
}

// putOff has the marks due later. They survive being done, because they are newer than what was read.
func (j *job) putOff(ctx context.Context, marks []mark.Mark, until time.Time) error {
	for _, m := range marks {
		if _, err := j.Store.Commit(ctx, mark.New(j.location, m.Kind, m.Subject, until)); err != nil {
			return err
		}
	}
	return nil
}
