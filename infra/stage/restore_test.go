package stage_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table/mem"
)

// rollBack puts an older table in the place of the present one, as docs/deploy.md has it: the old worker is stopped, and
// the new one is told when. The timer then orders a sync of every location.
func (s *school) rollBack(t *testing.T, backup *mem.Table) {
	t.Helper()
	s.DropWakes()
	s.Table, s.Restored = backup, s.Clock.Now()
	must(t, s.Boot())
	for _, site := range s.Sites {
		must(t, s.Order(context.Background(), site, mark.Sync, mark.SyncSchedule))
	}
}

// What this location would give, the other one gave after the backup: the first must wait for what the other one's sync
// finds, however late that is.
func TestARestoredTableWaitsForEveryLocation(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 4, 1, twoSites)
	title := s.titles[0]
	here, there := s.Sites[0], s.Sites[1]
	must(t, s.wish(ctx, bookAt(here, title, apple.PricingSTDQ), s.group))
	backup := s.Table.Fork(s.Clock)
	must(t, s.wish(ctx, bookAt(here, title, apple.PricingSTDQ)))
	must(t, s.wish(ctx, bookAt(there, title, apple.PricingSTDQ), s.group))
	must(t, s.Rest(ctx))
	if got := s.held(title); got != 4 {
		t.Fatalf("%d licenses were given before the restoration", got)
	}

	s.rollBack(t, backup)
	for range 30 { // the other one isn't woken for half an hour
		s.Clock.Advance(time.Minute)
		must(t, s.Worker.Work(ctx, here.UID()))
	}
	if got := s.held(title); got != 4 {
		t.Fatalf("4 people hold %d licenses while the other location is unread", got)
	}
	must(t, s.Sweep(ctx))
	must(t, s.Rest(ctx))
	s.checkBooks(t)
	if got := s.held(title); got != 4 {
		t.Errorf("4 people hold %d licenses after the restoration", got)
	}
}

// A request of the old worker may have been sent just before it was stopped, and become licenses minutes later: reading
// begins after that, and giving after the reading.
func TestARestoredTableIsReadWhenNothingIsUnderWayAnyMore(t *testing.T) {
	ctx := context.Background()
	s := installed(t, 6, 2, nil)
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
	backup := s.Table.Fork(s.Clock)
	must(t, s.Rest(ctx))
	s.rollBack(t, backup)
	stopped := s.Clock.Now()
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[1], apple.PricingSTDQ), s.group))
	var listed, spent time.Time
	s.Wire = func(r *http.Request, fake http.RoundTripper) (*http.Response, error) {
		whole := r.Method == http.MethodGet && r.URL.Path == "/mdm/v2/assignments" && !r.URL.Query().Has("sinceVersionId")
		if whole && listed.IsZero() {
			listed = s.Clock.Now()
		}
		if r.URL.Path == "/mdm/v2/assets/associate" && spent.IsZero() {
			spent = s.Clock.Now()
		}
		return fake.RoundTrip(r)
	}
	must(t, s.Rest(ctx))
	const last = 11 * time.Minute // a minute to send, ten until its outcome is settled
	if listed.Before(stopped.Add(last)) || !spent.After(listed) {
		t.Errorf("stopped at %v, read whole at %v, spent at %v", stopped, listed, spent)
	}
	s.checkBooks(t)
	if got := s.held(s.titles[1]); got != 6 {
		t.Errorf("of what was wished after the restoration, %d licenses were given", got)
	}
	s.checkEqual(t, "after the restoration")
}
