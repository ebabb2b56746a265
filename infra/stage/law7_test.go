package stage_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/stage"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/syncrun"
	"github.com/bookplate/bookplate/shared/table/mem"
)

// chunked is a library that a sync reads in many chunks of few pages each.
func chunked(o *stage.Options) {
	library(o)
	o.Chunk = 200 * time.Millisecond
}

// disturb changes at Apple what only a full sync finds, and what a delta finds too.
func (s *school) disturb(t *testing.T) {
	t.Helper()
	must(t, s.Site.RefundFrom(s.titles[0], apple.PricingSTDQ, s.client(t, s.Site, s.people[0])))
	foreign := s.foreign()
	must(t, s.Site.RefundFrom(foreign.AdamID, foreign.PricingParam, foreign.ClientUserID))
	must(t, s.Site.AddUser("somebody-elses", "", "else@school.example"))
	must(t, s.Site.GrantBySomeoneElse(s.titles[0], apple.PricingSTDQ, "somebody-elses"))
	must(t, s.Site.GrantBySomeoneElse(s.titles[1], apple.PricingSTDQ, s.client(t, s.Site, s.people[1])))
}

// given is a library in which the first title was given to all and isn't wished for any more.
func given(t *testing.T) *school {
	t.Helper()
	ctx := context.Background()
	s := enrolled(t, 4, 2, chunked)
	b := bookAt(s.Site, s.titles[0], apple.PricingSTDQ)
	must(t, s.wish(ctx, b, s.group))
	must(t, s.Rest(ctx))
	must(t, s.wish(ctx, b))
	must(t, s.Rest(ctx))
	return s
}

// dieInSync lets a process die after each write of a sync, and another one go on.
func dieInSync(t *testing.T, s *school, begin func()) {
	t.Helper()
	ctx := context.Background()
	every, n, deaths := stride(t), 0, 0
	s.Table.SetFaults(mem.Faults{After: func(c mem.Call) error {
		if c.Write == 0 {
			return nil
		}
		if n++; n%every > 0 {
			return nil
		}
		deaths++
		f := s.fork(t, uint64(n))
		f.Clock.Advance(2 * time.Minute)
		must(t, f.Sweep(ctx))
		must(t, f.Rest(ctx))
		if f.checkEqual(t, fmt.Sprint("death at write ", n)); t.Failed() {
			t.FailNow()
		}
		return nil
	}})
	begin()
	must(t, s.Rest(ctx))
	s.Table.SetFaults(mem.Faults{})
	s.checkEqual(t, "without a death")
	t.Logf("%d deaths survived", deaths)
	if deaths < 40/every {
		t.Errorf("only %d deaths happened", deaths)
	}
}

func TestLaw7TheFirstSyncIsAppleHoweverOftenItDies(t *testing.T) {
	s := newSchool(t, 3, 1, chunked)
	must(t, s.Install(context.Background()))
	dieInSync(t, s, func() {})
}

func TestLaw7AFullSyncIsAppleHoweverOftenItDies(t *testing.T) {
	s := given(t)
	s.disturb(t)
	dieInSync(t, s, func() { must(t, s.Order(context.Background(), s.Site, mark.Sync, mark.SyncFull)) })
	run := s.lastRun(t, s.Site)
	if run.Kind != syncrun.Full || run.Counts.LicensesRemoved != 2 || run.Counts.LicensesAdded != 2 {
		t.Errorf("the sync was %s, removed %d licenses and added %d; want full, 2 and 2",
			run.Kind, run.Counts.LicensesRemoved, run.Counts.LicensesAdded)
	}
}

// Apple changes while its pages are read, so that rows slip from page to page: nothing that Apple has is lost, and the
// next full sync, which nothing disturbs, is equal.
func TestLaw7NothingIsLostWhenPagesDrift(t *testing.T) {
	ready := given(t)
	for _, part := range []string{"adamId", "all"} { // the pages of one title, or of everything
		t.Run(part, func(t *testing.T) {
			s := ready.fork(t, 1)
			s.disturb(t)
			w := s.watch()
			drifts := 0
			w.before = func(x *exchange) {
				ofTitle := x.Query.Has("adamId")
				if x.lists() && !x.Query.Has("sinceVersionId") && ofTitle == (part == "adamId") && x.Query.Get("pageIndex") > "0" {
					if s.refundFirst(t, x.Query.Get("adamId")) {
						drifts++
					}
				}
			}
			s.sync(t, s.Site, "full")
			if drifts == 0 {
				t.Fatal("nothing drifted")
			}
			ours := make(map[string]bool)
			for _, row := range s.ourRows(t, s.Site) {
				ours[row] = true
			}
			for _, row := range s.theirRows(s.Site) {
				if !ours[row] {
					t.Errorf("Apple lists %s and we have lost it", row)
				}
			}
			w.before = nil
			s.sync(t, s.Site, "full")
			s.checkEqual(t, "after a quiet sync")
		})
	}
}

// refundFirst takes the first license of a title, or of all, out of the listing, as long as many follow.
func (s *school) refundFirst(t *testing.T, adamID string) bool {
	t.Helper()
	var first applefake.License
	n := 0
	for l := range s.Site.Licenses() {
		if adamID == "" || l.AdamID == adamID {
			if n++; n == 1 {
				first = l
			}
		}
	}
	if n < 9 {
		return false
	}
	must(t, s.Site.RefundFrom(first.AdamID, first.PricingParam, first.ClientUserID))
	return true
}

// Nothing has changed: the sums say so, and no book is read again.
func TestLaw7AQuietFullSyncReadsNoBookAgainAndWritesAlmostNothing(t *testing.T) {
	s := given(t)
	s.sync(t, s.Site, "full")
	if got := s.lastRun(t, s.Site).Counts.BooksReread; got != 0 {
		t.Errorf("%d books were read again because of what we gave ourselves", got)
	}
	s.sync(t, s.Site, "full")
	got := s.lastRun(t, s.Site).Counts
	if got.BooksReread != 0 || got.LicensesAdded+got.LicensesRemoved+got.BooksChanged+got.ReadersChanged != 0 {
		t.Errorf("a quiet sync changed something: %+v", got)
	}
	if rows := len(s.theirRows(s.Site)); got.LicensesRead != rows {
		t.Errorf("it read %d licenses, want %d", got.LicensesRead, rows)
	}
	// The sums, their reset, and the checkpoints of its chunks: nothing a license.
	if got.WriteUnits > 40 {
		t.Errorf("it wrote %v units", got.WriteUnits)
	}
	t.Logf("%v read units, %v write units", got.ReadUnits, got.WriteUnits)
}

// Only the books that differ are read again.
func TestLaw7AFullSyncReadsOnlyWhatDiffers(t *testing.T) {
	s := given(t)
	s.sync(t, s.Site, "full")
	foreign := s.foreign()
	must(t, s.Site.RefundFrom(foreign.AdamID, foreign.PricingParam, foreign.ClientUserID))
	s.sync(t, s.Site, "full")
	if got := s.lastRun(t, s.Site).Counts; got.BooksReread != 1 || got.LicensesRemoved != 1 {
		t.Errorf("%d books were read again and %d licenses removed, want 1 and 1", got.BooksReread, got.LicensesRemoved)
	}
	s.checkEqual(t, "at rest")
}

// Apple refuses the id from which the delta goes on (9721): everything is read.
func TestLaw7ARefusedVersionIsAFullSync(t *testing.T) {
	s := enrolled(t, 3, 2, func(o *stage.Options) {
		library(o)
		o.Apple.VersionTTL = time.Hour
	})
	must(t, s.wish(context.Background(), bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
	must(t, s.Rest(context.Background()))
	must(t, s.wish(context.Background(), bookAt(s.Site, s.titles[0], apple.PricingSTDQ)))
	s.disturb(t)
	s.Clock.Advance(2 * time.Hour)
	s.sync(t, s.Site, "order")
	if got := s.lastRun(t, s.Site); got.Kind != syncrun.Full || got.Error != "" {
		t.Errorf("the sync was %s (%q), want full", got.Kind, got.Error)
	}
	s.checkEqual(t, "after the refused version")
}

// A delta sync finds what was given, by whomever.
func TestLaw7ADeltaSyncFindsWhatWasGiven(t *testing.T) {
	s := enrolled(t, 3, 2, library)
	must(t, s.Site.AddUser("somebody-elses", "", "else@school.example"))
	must(t, s.Site.GrantBySomeoneElse(s.titles[0], apple.PricingSTDQ, "somebody-elses", s.client(t, s.Site, s.people[1])))
	s.sync(t, s.Site, "order")
	if got := s.lastRun(t, s.Site); got.Kind != syncrun.Delta || got.Counts.LicensesAdded != 2 {
		t.Errorf("the sync was %s and added %d, want delta and 2", got.Kind, got.Counts.LicensesAdded)
	}
	s.checkEqual(t, "at rest")
}

// Somebody gives a license right after the last page was read: the delta behind it finds it in the same sync.
func TestLaw7WhatIsGivenWhileEverythingIsReadIsFoundInTheSameSync(t *testing.T) {
	s := enrolled(t, 4, 2, library) // in one chunk: another one would read the last page again
	must(t, s.Site.AddUser("somebody-elses", "", "else@school.example"))
	w := s.watch()
	late := false
	w.change = func(x *exchange) {
		all := x.lists() && !x.Query.Has("sinceVersionId") && !x.Query.Has("adamId")
		if all && !late && !bytes.Contains(x.Answer, []byte(`"nextPageIndex"`)) {
			must(t, s.Site.GrantBySomeoneElse(s.titles[1], apple.PricingSTDQ, "somebody-elses"))
			late = true
		}
	}
	s.sync(t, s.Site, "full")
	if !late {
		t.Fatal("no last page was read")
	}
	s.checkEqual(t, "after the sync")
}

// A worker that was frozen wrote what it had read long ago: that the reader is retired. No delta tells that it isn't.
func TestLaw7AFullSyncFindsAReaderWhoseStatusAFrozenWorkerWrote(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 2, 1, nil)
	one := s.readerOf(t, s.people[0])
	docs, err := reader.LoadMany(ctx, s.Store.ReadStore, s.Site.UID(), []string{one.ClientUserID})
	must(t, err)
	stale := docs[one.ClientUserID]
	stale.Value.Status = reader.Retired
	item, err := stale.Encode()
	must(t, err)
	must(t, s.Store.PutAll(ctx, item))
	s.assign(t)
	must(t, s.Rest(ctx))
	if l := s.license(t, s.titles[0], s.people[0]); l.Reason != assign.RetiredAtApple {
		t.Fatalf("before: %s (%s)", l.State, l.Reason)
	}
	s.sync(t, s.Site, mark.SyncFull)
	if l := s.license(t, s.titles[0], s.people[0]); l.State != license.Licensed {
		t.Errorf("after a full sync: %s (%s)", l.State, l.Reason)
	}
}
