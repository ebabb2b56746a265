package stage_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/stage"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/token"
)

// scarce stocks the first title with few licenses, and makes batches of two people each.
func scarce(total int) func(*stage.Options) {
	return func(o *stage.Options) {
		o.Sites[0].Stock[0].Total = total
		o.Apple.Limits.MaxClientUserIDs = 2
	}
}

// checkServed checks that exactly so many pairs were asked for, and given.
func checkServed(t *testing.T, s *school, w *watch, want int) {
	t.Helper()
	if got := len(w.sent()); got != want {
		t.Errorf("%d pairs were sent, want %d", got, want)
	}
	if got := s.held(s.titles[0]); got != want {
		t.Errorf("%d licenses are held, want %d", got, want)
	}
	s.checkBooks(t)
	s.checkEqual(t, "at rest")
}

func TestLaw5NoMoreIsAskedForThanThereIs(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 12, 1, scarce(5))
	w := s.watch()
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
	must(t, s.Rest(ctx))
	checkServed(t, s, w, 5)
	waiting := 0
	for _, p := range s.people {
		if l := s.license(t, s.titles[0], p); l.State == license.Waiting && l.Reason == assign.NoStock {
			waiting++
		}
	}
	if waiting != 7 {
		t.Errorf("%d people wait for stock, want 7", waiting)
	}
	must(t, s.Site.Purchase(s.titles[0], apple.PricingSTDQ, 4))
	s.sync(t, s.Site, "order")
	checkServed(t, s, w, 9)
}

// While a batch is under way, Apple's counts don't show it yet, and more people come.
func TestLaw5PairsUnderWayAreNotInStock(t *testing.T) {
	ctx := context.Background()
	ready := enrolled(t, 12, 1, func(o *stage.Options) {
		scarce(8)(o)
		o.Apple.Limits.MaxClientUserIDs = 6
	})
	for _, events := range []time.Duration{time.Second, 3 * time.Minute} {
		t.Run(events.String(), func(t *testing.T) {
			s := ready.fork(t, 1)
			s.Apple.Script(func(*applefake.Incoming) applefake.Fault { return applefake.Fault{EventDelay: events} })
			w := s.watch()
			first := s.newGroup(t, s.people[:6]...)
			b := bookAt(s.Site, s.titles[0], apple.PricingSTDQ)
			must(t, s.wish(ctx, b, first))
			for range 3 {
				_, err := s.Step(ctx)
				must(t, err)
			}
			var more directory.Membership
			for _, p := range s.people[6:] {
				more.Add(directory.Member{ID: p})
			}
			_, err := s.Directory.ChangeGroup(ctx, first, "", func(*directory.Group) error { return nil }, more)
			must(t, err)
			must(t, s.Rest(ctx))
			checkServed(t, s, w, 8)
		})
	}
}

// Somebody else gives licenses away between our sync and our batch: the counts are read again before it.
func TestLaw5CountsAreReadAgainBeforeABatch(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 12, 1, scarce(10))
	for i := range 7 {
		id := fmt.Sprint("somebody-elses-", i)
		must(t, s.Site.AddUser(id, "", fmt.Sprintf("else%d@school.example", i)))
		must(t, s.Site.GrantBySomeoneElse(s.titles[0], apple.PricingSTDQ, id))
	}
	w := s.watch()
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
	must(t, s.Rest(ctx))
	if got := len(w.sent()); got != 3 {
		t.Errorf("%d pairs were sent, want 3", got)
	}
	s.sync(t, s.Site, "order")
	s.checkBooks(t)
	s.checkEqual(t, "at rest")
}

// Counts that have become too old by the time of sending don't count: the process froze in between.
func TestLaw5OldCountsAreReadAgain(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 4, 1, scarce(2))
	must(t, s.Site.AddUser("somebody-elses", "", "else@school.example"))
	w := s.watch()
	s.whenBatch(s.Site, license.Prepared, true, func(license.Batch) {
		s.Clock.Advance(61 * time.Second)
		must(t, s.Site.GrantBySomeoneElse(s.titles[0], apple.PricingSTDQ, "somebody-elses"))
	})
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
	must(t, s.Rest(ctx))
	if got := len(w.sent()); got != 1 {
		t.Errorf("%d pairs were sent, want 1", got)
	}
	s.sync(t, s.Site, "order")
	s.checkBooks(t)
	s.checkEqual(t, "at rest")
}

func TestLaw5WhatNeverRunsOutIsGivenToAll(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 12, 1, func(o *stage.Options) {
		scarce(0)(o)
		o.Sites[0].Stock[0].Unlimited = true
	})
	w := s.watch()
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
	must(t, s.Rest(ctx))
	checkServed(t, s, w, 12)
}

// A refund makes the stock negative: nothing is sent, and nothing breaks.
func TestLaw5ANegativeStockIsNoStock(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 6, 1, scarce(4))
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.newGroup(t, s.people[:3]...)))
	must(t, s.Rest(ctx))
	must(t, s.Site.Refund(s.titles[0], apple.PricingSTDQ, 3)) // of 4, of which 3 are given
	w := s.watch()
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
	s.sync(t, s.Site, "full")
	if got := len(w.sent()); got != 0 {
		t.Errorf("%d pairs were sent from a negative stock", got)
	}
	s.checkBooks(t)
	s.checkEqual(t, "at rest")
}

// Wishes come while the first full sync is still reading: it has to end first.
func TestLaw5NothingIsSpentBeforeTheFirstSyncHasEnded(t *testing.T) {
	ctx := context.Background()
	s := newSchool(t, 4, 1, func(o *stage.Options) {
		o.Sites[0].Generated = applefake.Generated{Titles: 5, Readers: 60, Licenses: 200}
		o.Apple.PageSize, o.Chunk = 10, 200*time.Millisecond
	})
	must(t, s.Install(ctx))
	// Apple is slow, so that the readers are there long before the sync ends.
	s.Apple.Script(func(in *applefake.Incoming) applefake.Fault {
		if in.Endpoint == applefake.EndpointAssignments {
			return applefake.Fault{Delay: 2 * time.Second}
		}
		return applefake.Fault{}
	})
	w := s.watch()
	asked, during := false, 0
	w.before = func(x *exchange) {
		state, err := token.LoadLocation(ctx, s.Store.ReadStore, s.Site.UID())
		must(t, err)
		early := state.Value.Sync.FirstDone.IsZero()
		if early && asked {
			during++
		}
		if early && x.spends() {
			t.Errorf("a request spends at %s, before the first sync has ended", x.Started.Format(time.TimeOnly))
		}
		if early && !asked && x.Path == "/users" { // the books are known by now
			asked = true
			s.assign(t)
		}
	}
	must(t, s.Rest(ctx))
	if during < 20 {
		t.Errorf("the sync went on for %d requests only", during)
	}
	w.before = nil
	checkServed(t, s, w, 4)
}
