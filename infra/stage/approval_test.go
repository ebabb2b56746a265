package stage_test

import (
	"context"
	"testing"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/directory"
)

// What nobody has approved spends nothing, whatever happens around it; and what was approved is one plan.
func TestUnapprovedSpendsNothingAndAGrownPlanIsntApproved(t *testing.T) {
	ctx := context.Background()
	s := newSchool(t, 6, 1, nil)
	must(t, s.Install(ctx))
	must(t, s.Rest(ctx))
	s.Assigner.ApprovalAbove = 5
	doc, err := book.Load(ctx, s.Store.ReadStore, bookAt(s.Site, s.titles[0], apple.PricingSTDQ).ID)
	must(t, err)
	b := doc.Value
	must(t, s.wish(ctx, b, s.group))
	must(t, s.Rest(ctx))
	plan, needs, err := s.Assigner.Plan(ctx, b, []assign.Ask{{GroupID: s.group, Intent: assign.Required}}, "anna")
	must(t, err)
	if !needs || plan.Give != 6 {
		t.Fatalf("%d would be given, needs approval: %t: %v", plan.Give, needs, plan.Reasons)
	}
	if n := len(s.Site.Ledger()); n != 0 {
		t.Fatalf("%d licenses were given unapproved", n)
	}
	// The school grows before the approval.
	late, err := s.Directory.CreatePerson(ctx, directory.Person{UserName: "late@school.example", Active: true})
	must(t, err)
	must(t, s.wish(ctx, b, s.group, assign.Everybody))
	must(t, s.Rest(ctx))
	if err := s.Assigner.Approve(ctx, b, plan.ID, "otto"); err == nil {
		t.Fatal("a plan was approved that had grown")
	}
	must(t, s.Rest(ctx))
	if n := len(s.Site.Ledger()); n != 0 {
		t.Fatalf("%d licenses were given on an approval that was refused", n)
	}
	grown, _, err := s.Assigner.Plan(ctx, b, []assign.Ask{
		{GroupID: s.group, Intent: assign.Required}, {GroupID: assign.Everybody, Intent: assign.Required},
	}, "anna")
	must(t, err)
	must(t, s.Assigner.Approve(ctx, b, grown.ID, "otto"))
	must(t, s.Worker.Queue.Wake(ctx, b.Location, s.Clock.Now()))
	must(t, s.Rest(ctx))
	if n := len(s.Site.Ledger()); n != 7 || len(s.Apple.DoubleSpends()) != 0 {
		t.Errorf("%d licenses were given, want one for each of 7", n)
	}
	// Somebody who comes later is covered by all users, and the location hears of it without any group.
	_, err = s.Directory.CreatePerson(ctx, directory.Person{UserName: "later@school.example", Active: true})
	must(t, err)
	must(t, s.Directory.DeletePerson(ctx, late.ID, ""))
	must(t, s.Rest(ctx))
	if n := len(s.Site.Ledger()); n != 8 {
		t.Errorf("%d licenses were given, want 8", n)
	}
}
