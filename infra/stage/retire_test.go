package stage_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
)

// readerOf is the reader of a person as the administrator sees it.
func (s *school) readerOf(t *testing.T, person string) reader.Reader {
	t.Helper()
	ctx := context.Background()
	record, err := token.OfLocation(ctx, s.Store.ReadStore, s.Site.UID())
	must(t, err)
	id := reader.Identity{Location: s.Site.UID(), MDMID: record.Value.MDMID}
	docs, err := reader.OfPeople(ctx, s.Store.ReadStore, id, []string{person})
	must(t, err)
	return docs[person].Value
}

// order tells the administrator's desk to retire or to restore a person's reader.
func (s *school) order(ctx context.Context, one reader.Reader, restore bool) error {
	d := reader.Desk{Store: s.Store, World: s.Clock.World()}
	give := d.Retire
	if restore {
		give = d.Restore
	}
	if _, err := give(ctx, one, "otto", "a scene"); err != nil {
		return err
	}
	return s.Worker.Queue.Wake(ctx, s.Site.UID(), s.Clock.Now())
}

// isRetired says that Apple has no active user of that id.
func (s *school) isRetired(client string) bool {
	_, active := s.Site.User(client)
	return !active
}

func (s *school) licenseOf(t *testing.T, adamID, person string) license.License {
	t.Helper()
	doc, err := license.Load(context.Background(), s.Store.ReadStore, adamID, person)
	must(t, err)
	return doc.Value
}

// openFor is a batch that may still send for the person; empty when there is none.
func (s *school) openFor(t *testing.T, person string) string {
	t.Helper()
	open, err := license.OpenBatches(context.Background(), s.Store.ReadStore, s.Site.UID())
	must(t, err)
	for _, doc := range open {
		if slices.Contains(doc.Value.People, person) {
			return doc.Value.ID
		}
	}
	return ""
}

// Somebody is retired at each moment of a batch's life. Whatever the batch gives, it gives to a reader who isn't retired
// yet; the retirement comes after it.
func TestRetiringWaitsUntilTheBatchIsSettled(t *testing.T) {
	ctx := context.Background()
	ready := enrolled(t, 4, 1, nil)
	for i, test := range []struct {
		at    license.BatchState
		given int
	}{{license.Prepared, 3}, {license.Sending, 4}, {license.Sent, 4}} {
		t.Run(string(test.at), func(t *testing.T) {
			s := ready.fork(t, uint64(i))
			one := s.readerOf(t, s.people[0])
			w := s.watch()
			w.before = func(x *exchange) {
				if batch := s.openFor(t, s.people[0]); x.Path == "/users/retire" && batch != "" {
					t.Errorf("retired while batch %s may still send", batch)
				}
			}
			ordered := false
			s.whenBatch(s.Site, test.at, true, func(license.Batch) {
				must(t, s.order(ctx, one, false))
				ordered = true
			})
			must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
			must(t, s.Rest(ctx))
			if !ordered || !s.isRetired(one.ClientUserID) {
				t.Fatalf("ordered: %t, retired: %t", ordered, s.isRetired(one.ClientUserID))
			}
			if got := s.held(s.titles[0]); got != test.given {
				t.Errorf("%d licenses are held, want %d", got, test.given)
			}
			s.checkBooks(t)
			s.checkEqual(t, "at rest")
		})
	}
}

// A retired person waits with a reason, also for what is wished later; restored, they get what they lack as a new reader,
// and nothing that they have.
func TestARetiredPersonGetsNothingUntilRestoredAndNothingTwice(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 3, 2, nil)
	person := s.people[0]
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
	must(t, s.Rest(ctx))
	old := s.readerOf(t, person)
	must(t, s.order(ctx, old, false))
	must(t, s.Rest(ctx))
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[1], apple.PricingSTDQ), s.group))
	must(t, s.Rest(ctx))
	s.Clock.Advance(13 * time.Hour)
	s.sync(t, s.Site, "schedule")
	if l := s.licenseOf(t, s.titles[1], person); l.State != license.Waiting || l.Reason != assign.RetiredAtApple {
		t.Errorf("the retired person is %s (%s)", l.State, l.Reason)
	}
	if n := s.held(s.titles[0]) + s.held(s.titles[1]); n != 5 || !s.isRetired(old.ClientUserID) {
		t.Fatalf("%d licenses are held, want 5; retired: %t", n, s.isRetired(old.ClientUserID))
	}

	must(t, s.order(ctx, old, true))
	must(t, s.Rest(ctx))
	again := s.readerOf(t, person)
	if user, _ := s.Site.User(again.ClientUserID); again.Generation != 1 || user.Status != applefake.Associated {
		t.Fatalf("restored as %+v, %q at Apple", again, user.Status)
	}
	first, second := s.licenseOf(t, s.titles[0], person), s.licenseOf(t, s.titles[1], person)
	if len(first.Rows) != 1 || first.Rows[0].ClientUserID != old.ClientUserID {
		t.Errorf("the title from before is held as %+v", first.Rows)
	}
	if len(second.Rows) != 1 || second.Rows[0].ClientUserID != again.ClientUserID || second.State != license.Licensed {
		t.Errorf("the title from after is %s, held as %+v", second.State, second.Rows)
	}
	if n := s.held(s.titles[0]) + s.held(s.titles[1]); n != 6 || len(s.Apple.DoubleSpends()) != 0 {
		t.Errorf("%d licenses were given for 3 people and 2 titles; twice: %v", n, s.Apple.DoubleSpends())
	}
	s.sync(t, s.Site, "full") // Apple's rows of the former reader still lead to the person
	s.checkBooks(t)
	s.checkEqual(t, "at rest")
}

// The process dies after each write and each request of a retirement and of the restoration that follows it.
func TestNoDeathDuringARetirementSpendsOrLosesIt(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 3, 2, nil)
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
	must(t, s.Rest(ctx))
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[1], apple.PricingSTDQ), s.group))
	old := s.readerOf(t, s.people[0])
	deaths, restoring := 0, false
	dies := func() {
		deaths++
		f := s.fork(t, uint64(deaths))
		f.retireAndRestore(t, fmt.Sprint("death ", deaths), old, restoring)
	}
	s.Table.SetFaults(mem.Faults{After: func(c mem.Call) error {
		if c.Write > 0 {
			dies()
		}
		return nil
	}})
	s.Wire = func(r *http.Request, apple http.RoundTripper) (*http.Response, error) {
		answer, err := apple.RoundTrip(r)
		if r.Method == http.MethodPost {
			dies()
		}
		return answer, err
	}
	must(t, s.order(ctx, old, false))
	must(t, s.Rest(ctx))
	restoring = true
	must(t, s.order(ctx, old, true))
	must(t, s.Rest(ctx))
	t.Logf("%d deaths survived", deaths)
	if deaths < 40 {
		t.Errorf("only %d deaths happened", deaths)
	}
}

// retireAndRestore is what a new process makes of what the old one left, with an administrator who repeats the orders.
func (s *school) retireAndRestore(t *testing.T, when string, old reader.Reader, restoring bool) {
	t.Helper()
	ctx := context.Background()
	s.Clock.Advance(2 * time.Minute)
	must(t, s.Sweep(ctx))
	if !restoring {
		must(t, s.order(ctx, old, false))
	}
	must(t, s.Rest(ctx))
	if !s.isRetired(old.ClientUserID) {
		t.Fatalf("%s: the reader isn't retired", when)
	}
	must(t, s.order(ctx, old, true))
	must(t, s.Rest(ctx))
	again := s.readerOf(t, s.people[0])
	if user, _ := s.Site.User(again.ClientUserID); again.Generation != 1 || user.Status != applefake.Associated {
		t.Fatalf("%s: restored as %+v, %q at Apple", when, again, user.Status)
	}
	if n := s.held(s.titles[0]) + s.held(s.titles[1]); n != 6 || len(s.Apple.DoubleSpends()) != 0 {
		t.Fatalf("%s: %d licenses were given for 3 people and 2 titles; twice: %v", when, n, s.Apple.DoubleSpends())
	}
	s.checkBooks(t)
	s.checkEqual(t, when)
}
