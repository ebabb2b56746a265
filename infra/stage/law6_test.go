package stage_test

import (
	"context"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/stage"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/license"
)

// library is a school whose location has a past: generated readers and licenses that somebody else gave.
func library(o *stage.Options) {
	o.Sites[0].Generated = applefake.Generated{Titles: 6, Readers: 30, Licenses: 90}
	o.Apple.PageSize = 7
}

// Licenses come from us, from somebody else to our readers, and from somebody else to theirs: each says which.
func TestLaw6EveryLicenseSaysWhyItExists(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 6, 2, library)
	ours, found := s.people[0], s.people[5]
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.newGroup(t, s.people[:3]...)))
	must(t, s.Rest(ctx))
	must(t, s.Site.AddUser("somebody-elses", "", "else@school.example"))
	must(t, s.Site.GrantBySomeoneElse(s.titles[0], apple.PricingSTDQ, "somebody-elses", s.client(t, s.Site, found)))
	for _, how := range []string{"order", "full"} {
		s.sync(t, s.Site, how)
		s.checkEqual(t, how)
	}
	l := s.license(t, s.titles[0], ours)
	if l.State != license.Licensed || l.Found || l.Cause == nil || l.Cause.Requester != "anna" || l.Batch == "" || l.Event == "" {
		t.Errorf("what we gave says %+v", l)
	}
	l = s.license(t, s.titles[0], found)
	if l.State != license.Licensed || !l.Found || l.Batch != "" {
		t.Errorf("what somebody else gave our reader says %+v", l)
	}
	foreign := 0
	for h, err := range license.HoldersOf(ctx, s.Store.ReadStore, s.Site.UID(), s.titles[0]) {
		must(t, err)
		if h.ClientUserID == "somebody-elses" {
			foreign++
		}
	}
	if foreign != 1 {
		t.Errorf("somebody else's reader is a foreign holder %d times", foreign)
	}
}

// Items outlive the person, the group, and the wish.
func TestLaw6LicensesOutliveWhatTheyCameFrom(t *testing.T) {
	ctx := context.Background()
	s := installed(t, 3, 1, nil)
	s.assign(t)
	must(t, s.Rest(ctx))
	before := s.license(t, s.titles[0], s.people[0])
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ)))
	must(t, s.Directory.DeletePerson(ctx, s.people[0], ""))
	must(t, s.Directory.DeleteGroup(ctx, s.group, ""))
	must(t, s.Rest(ctx))
	s.sync(t, s.Site, "full")
	after := s.license(t, s.titles[0], s.people[0])
	if after.State != license.Licensed || before.Cause == nil || after.Cause == nil || *after.Cause != *before.Cause {
		t.Errorf("the license was %+v and is %+v", before, after)
	}
	s.checkEqual(t, "at rest")
}

// A refund takes a license back. It leaves our rows at the next full sync, and a tombstone that still says why it was. The
// wish still stands, and spends no second license: only a new order does.
func TestLaw6ARefundLeavesATombstone(t *testing.T) {
	ctx := context.Background()
	s := installed(t, 3, 1, library)
	s.assign(t)
	must(t, s.Rest(ctx))
	must(t, s.Site.RefundFrom(s.titles[0], apple.PricingSTDQ, s.client(t, s.Site, s.people[0])))
	foreign := s.foreign()
	must(t, s.Site.RefundFrom(foreign.AdamID, foreign.PricingParam, foreign.ClientUserID))
	s.sync(t, s.Site, "full")
	l := s.license(t, s.titles[0], s.people[0])
	if l.State != license.Gone || l.Has() || l.Cause == nil || l.Given.IsZero() {
		t.Errorf("the refunded license is %+v", l)
	}
	if got := s.lastRun(t, s.Site).Counts.LicensesRemoved; got != 2 {
		t.Errorf("the sync removed %d licenses, want 2", got)
	}
	s.checkEqual(t, "at rest")
	b := bookAt(s.Site, s.titles[0], apple.PricingSTDQ)
	must(t, s.wish(ctx, b))
	s.Clock.Advance(time.Minute)
	must(t, s.wish(ctx, b, s.group))
	must(t, s.Rest(ctx))
	if l := s.license(t, s.titles[0], s.people[0]); l.State != license.Licensed || !l.Lost.IsZero() {
		t.Errorf("ordered anew: %+v", l)
	}
	gifts := s.license(t, s.titles[0], s.people[0]).Gifts()
	if len(gifts) != 2 || gifts[0].Lost.IsZero() || !gifts[1].Lost.IsZero() || gifts[0].Event == gifts[1].Event ||
		gifts[0].Cause.AssignmentID == gifts[1].Cause.AssignmentID {
		t.Errorf("two were spent, and the item knows of %+v", gifts)
	}
	s.checkEqual(t, "in the end")
}

// foreign is one of the licenses that somebody else gave.
func (s *school) foreign() (found applefake.License) {
	for l := range s.Site.Licenses() {
		if l.By == "someone else" {
			found = l
		}
	}
	return found
}
