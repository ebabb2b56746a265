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
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table/mem"
)

// plusToo stocks every title as PLUS beside STDQ.
func plusToo(o *stage.Options) {
	for _, stock := range o.Sites[0].Stock {
		stock.Pricing = apple.PricingPLUS
		o.Sites[0].Stock = append(o.Sites[0].Stock, stock)
	}
}

func TestLaw1OneLicenseHoweverManyGroupsAndQualitiesAskForIt(t *testing.T) {
	ctx := context.Background()
	s := installed(t, 6, 1, plusToo)
	title, other := s.titles[0], s.newGroup(t, s.people...)
	must(t, s.wish(ctx, bookAt(s.Site, title, apple.PricingSTDQ), s.group, other))
	must(t, s.wish(ctx, bookAt(s.Site, title, apple.PricingPLUS), other, s.group))
	must(t, s.Rest(ctx))
	s.checkBooks(t)
	s.checkEqual(t, "at rest")
	if got := s.held(title); got != 6 {
		t.Errorf("6 people hold %d licenses", got)
	}
}

// Two locations wish the same title for the same people, and the second does all of its work in the middle of the
// first one's: around each of its writes, once at each.
func TestLaw1OneLicenseHoweverTwoLocationsInterleave(t *testing.T) {
	ctx := context.Background()
	ready := enrolled(t, 4, 1, twoSites)
	title := ready.titles[0]
	moments := 0
	for n, reached := 1, true; reached; n++ {
		s := ready.fork(t, uint64(n))
		for _, site := range s.Sites {
			must(t, s.wish(ctx, bookAt(site, title, apple.PricingSTDQ), s.group))
		}
		must(t, s.Sweep(ctx))
		reached = false
		writes := 0
		s.Table.SetFaults(mem.Faults{Before: func(c mem.Call) error {
			if c.Write == 0 {
				return nil
			}
			if writes++; writes != n {
				return nil
			}
			reached = true
			s.Table.SetFaults(mem.Faults{})
			for range 20 { // its readers are created first, so it has to be woken some times
				must(t, s.Worker.Work(ctx, s.Sites[1].UID()))
				s.Clock.Advance(time.Second)
			}
			return nil
		}})
		must(t, s.Worker.Work(ctx, s.Sites[0].UID()))
		must(t, s.Rest(ctx))
		s.checkBooks(t)
		s.checkEqual(t, fmt.Sprint("interleaved at write ", n))
		if got := s.held(title); got != 4 || t.Failed() {
			t.Fatalf("interleaved at write %d: 4 people hold %d licenses", n, got)
		}
		moments++
	}
	if moments < 20 {
		t.Errorf("only %d moments were tried", moments)
	}
}

// A pair that a prepared batch of one location has reserved is licensed by another one meanwhile, as its sync finds.
func TestLaw1WhatAnotherLocationGaveIsTakenOutOfAPreparedBatch(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 4, 1, twoSites)
	title, branch := s.titles[0], s.Sites[1]
	must(t, s.wish(ctx, bookAt(branch, fmt.Sprint(900000002), apple.PricingSTDQ), s.newGroup(t, s.people...)))
	must(t, s.Rest(ctx))
	for _, p := range s.people { // the branch knows them as readers too, whatever it gave
		if _, ok := branch.User(s.client(t, branch, p)); !ok {
			t.Fatal("the branch doesn't know its readers")
		}
	}
	lucky := s.people[0]
	s.whenBatch(s.Site, license.Sending, false, func(license.Batch) {
		must(t, branch.GrantBySomeoneElse(title, apple.PricingSTDQ, s.client(t, branch, lucky)))
		must(t, s.Order(ctx, branch, mark.Sync, mark.SyncOrder))
		must(t, s.Worker.Work(ctx, branch.UID()))
		if l := s.license(t, title, lucky); l.State != license.Licensed || l.Location != branch.UID() {
			t.Fatalf("the branch's sync did not find it: %+v", l)
		}
	})
	must(t, s.wish(ctx, bookAt(s.Site, title, apple.PricingSTDQ), s.group))
	must(t, s.Rest(ctx))
	s.checkBooks(t)
	s.checkEqual(t, "at rest")
	if got := s.held(title); got != 4 {
		t.Errorf("4 people hold %d licenses", got)
	}
}

// The outcome of a sending in one location is unknown, and Apple does it half an hour later. Until its word is there, no
// other location may send, however long that takes and though the first one's wish is gone.
func TestLaw1AnUnknownOutcomeNeverMovesToAnotherLocation(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 4, 1, twoSites)
	title, branch := s.titles[0], s.Sites[1]
	lost := applefake.Fault{Answer: applefake.AnswerConnectionLost, Acted: true, EventDelay: 30 * time.Minute}
	s.Apple.Script(firstAssociate(lost))
	home := bookAt(s.Site, title, apple.PricingSTDQ)
	must(t, s.wish(ctx, home, s.group))
	s.whenBatch(s.Site, license.Sending, true, func(license.Batch) { // nobody wants it here any more, so nothing is sent again
		must(t, s.wish(ctx, home))
	})
	must(t, s.Rest(ctx))
	if got := s.license(t, title, s.people[0]); got.Bound != s.Site.UID() {
		t.Fatalf("the pair isn't bound where its outcome is unknown: %+v", got)
	}
	must(t, s.wish(ctx, bookAt(branch, title, apple.PricingSTDQ), s.group))
	must(t, s.Rest(ctx))
	if got := s.license(t, title, s.people[0]); got.Bound != s.Site.UID() || got.State == license.Reserved {
		t.Errorf("the branch has taken a pair that is bound elsewhere: %+v", got)
	}
	s.Clock.Advance(time.Hour)
	s.sync(t, s.Site, mark.SyncOrder)
	s.sync(t, branch, mark.SyncOrder)
	s.checkBooks(t)
	s.checkEqual(t, "after Apple's word")
	if got := s.held(title); got != 4 {
		t.Errorf("4 people hold %d licenses", got)
	}
}

// The same within a location: the title must not be sent in the other quality either, because Apple would give both.
func TestLaw1AnUnknownOutcomeNeverMovesToTheOtherQuality(t *testing.T) {
	ctx := context.Background()
	ready := enrolled(t, 4, 1, plusToo)
	for name, fault := range map[string]applefake.Fault{
		"answer lost": {Answer: applefake.AnswerConnectionLost, Acted: true, EventDelay: 30 * time.Minute},
		"slow event":  {EventDelay: 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s := ready.fork(t, 1)
			s.Apple.Script(firstAssociate(fault))
			standard := bookAt(s.Site, s.titles[0], apple.PricingSTDQ)
			must(t, s.wish(ctx, standard, s.group))
			s.whenBatch(s.Site, license.Sending, true, func(license.Batch) { // the administrator wants the better one instead
				must(t, s.wish(ctx, standard))
				must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingPLUS), s.group))
			})
			must(t, s.Rest(ctx))
			s.Clock.Advance(time.Hour)
			s.sync(t, s.Site, mark.SyncOrder)
			s.checkBooks(t)
			s.checkEqual(t, "after Apple's word")
			if got := s.held(s.titles[0]); got != 4 {
				t.Errorf("4 people hold %d licenses", got)
			}
		})
	}
}

// firstAssociate is a script that does something to the first request that spends from now on.
func firstAssociate(f applefake.Fault) func(*applefake.Incoming) applefake.Fault {
	done := false
	return func(in *applefake.Incoming) applefake.Fault {
		if in.Endpoint != applefake.EndpointAssociate || done {
			return applefake.Fault{}
		}
		done = true
		return f
	}
}

// Somebody else's reader is linked to the same Apple Account and holds the title, in the other quality even.
func TestLaw1AForeignReaderWithTheSameAccountCounts(t *testing.T) {
	ctx := context.Background()
	s := newSchool(t, 2, 1, plusToo)
	title := s.titles[0]
	guest, err := s.Directory.CreatePerson(ctx, directory.Person{UserName: "guest@elsewhere.example", Active: true})
	must(t, err)
	must(t, s.Site.AddUser("somebody-elses-id", "", "guest.account@school.example"))
	must(t, s.Install(ctx))
	must(t, s.Site.GrantBySomeoneElse(title, apple.PricingPLUS, "somebody-elses-id"))
	must(t, s.Rest(ctx))
	must(t, s.wish(ctx, bookAt(s.Site, title, apple.PricingSTDQ), s.newGroup(t, guest.ID)))
	must(t, s.Rest(ctx))
	user, ok := s.Site.User(s.client(t, s.Site, guest.ID))
	if !ok || user.Status != applefake.Registered {
		t.Fatalf("the guest isn't invited: %+v", user)
	}
	must(t, s.Site.AcceptInvitation(user.InviteCode, "guest.account@school.example"))
	s.sync(t, s.Site, mark.SyncOrder)
	s.checkBooks(t)
	if got := s.license(t, title, guest.ID); got.Has() || got.Reason != assign.OwnedAsOther {
		t.Errorf("the guest's license is %+v, want it refused as %q", got, assign.OwnedAsOther)
	}
}

func TestLaw1AForeignReaderElsewhereWithTheSameAccountCounts(t *testing.T) {
	ctx := context.Background()
	s := newSchool(t, 2, 1, twoSites)
	title, branch := s.titles[0], s.Sites[1]
	guest, err := s.Directory.CreatePerson(ctx, directory.Person{UserName: "guest@school.example", Active: true})
	must(t, err)
	must(t, branch.AddUser("somebody-elses-id", "", "guest@school.example"))
	must(t, s.Install(ctx))
	must(t, branch.GrantBySomeoneElse(title, apple.PricingSTDQ, "somebody-elses-id"))
	must(t, s.Rest(ctx))
	must(t, s.wish(ctx, bookAt(s.Site, title, apple.PricingSTDQ), s.newGroup(t, guest.ID)))
	must(t, s.Rest(ctx))
	s.checkBooks(t)
	if got := s.license(t, title, guest.ID); got.Has() || got.Reason != assign.OwnedAsOther {
		t.Errorf("the guest's license is %+v, want it refused as %q", got, assign.OwnedAsOther)
	}
}
