package stage_test

import (
	"context"
	"testing"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
)

// offer makes the first title available to the class.
func (s *school) offer(t *testing.T) {
	t.Helper()
	asks := []assign.Ask{{GroupID: s.group, Intent: assign.Available}}
	b := bookAt(s.Site, s.titles[0], apple.PricingSTDQ)
	due, err := s.Assigner.Replace(context.Background(), b, asks, "anna")
	must(t, err)
	must(t, s.Worker.Queue.Wake(context.Background(), b.Location, due))
}

func (s *school) request(t *testing.T, person int) {
	t.Helper()
	ctx := context.Background()
	p, err := s.Readers.PersonEvenDeleted(ctx, s.people[person])
	must(t, err)
	b := bookAt(s.Site, s.titles[0], apple.PricingSTDQ)
	_, _, err = s.Assigner.Request(ctx, b, p, p.ExternalID)
	must(t, err)
	must(t, s.Worker.Queue.Wake(ctx, b.Location, s.Clock.Now()))
}

// Law 1, of requests: one license, however often and whenever somebody asks, and none for who didn't.
func TestLaw1ARequestTwiceIsOneLicense(t *testing.T) {
	ctx := context.Background()
	s := newSchool(t, 5, 1, nil)
	must(t, s.Install(ctx))
	must(t, s.Rest(ctx))
	s.offer(t)
	must(t, s.Rest(ctx))
	if n := len(s.Site.Ledger()); n != 0 {
		t.Fatalf("%d licenses were given before anybody had asked", n)
	}
	for range 6 { // the second while the first is under way
		s.request(t, 1)
		_, err := s.Step(ctx)
		must(t, err)
	}
	must(t, s.Rest(ctx))
	s.request(t, 1)
	must(t, s.Rest(ctx))
	ledger := s.Site.Ledger()
	if len(ledger) != 1 || len(s.Apple.DoubleSpends()) != 0 {
		t.Fatalf("given %v", ledger)
	}
}

// Law 3, of requests: who leaves the group, or sees the offer withdrawn, between request and sending gets nothing.
func TestLaw3ARequestThatNoWishCoversAnyMoreSpendsNothing(t *testing.T) {
	ctx := context.Background()
	s := newSchool(t, 3, 1, nil)
	must(t, s.Install(ctx))
	must(t, s.Rest(ctx))
	s.offer(t)
	s.request(t, 0)
	b := bookAt(s.Site, s.titles[0], apple.PricingSTDQ)
	_, err := s.Assigner.Replace(ctx, b, nil, "anna")
	must(t, err)
	must(t, s.Rest(ctx))
	if n := len(s.Site.Ledger()); n != 0 {
		t.Errorf("%d licenses were given after the offer was withdrawn", n)
	}
	s.offer(t)
	s.request(t, 1)
	must(t, s.Directory.DeletePerson(ctx, s.people[1], ""))
	must(t, s.Rest(ctx))
	if n := len(s.Site.Ledger()); n != 1 { // the first one's, who is offered it again
		t.Errorf("%d licenses were given, want one", n)
	}
}
