package assignments_test

import (
	"testing"

	"github.com/bookplate/bookplate/infra/desk"
)

func TestAPlanSaysWhatWouldBeSpentAndSpendsNothing(t *testing.T) {
	r := newRig(t)
	at := r.book(scarce)
	known := r.Group(t, "known", desk.Domain, "ana", "ben", "cem", "dea", "eli", "fay")
	strangers := r.Group(t, "strangers", "elsewhere.example", "gus")
	both := list(groupTarget("required", known.ID), groupTarget("required", strangers.ID))

	first := r.Want(t, 200, r, "viewer", "POST", at+"/bookplate.plan", both)
	if first.Body["willReceive"] != 0.0 || first.Body["willWait"] != 7.0 || first.Body["holdUntil"] == nil {
		t.Errorf("before Apple knows anybody: %s", first.Raw)
	}
	if got := r.assigned(t, at); len(got) != 0 {
		t.Errorf("the plan has assigned: %v", got)
	}
	r.Want(t, 204, r, "manager", "POST", at+"/assign", both)
	r.Wake(t, r.Place.UID()) // readers needn't wait for the hold
	for range 12 {
		r.Clock.Advance(hold / 60)
		r.Wake(t, r.Place.UID())
	}
	plan := r.Want(t, 200, r, "viewer", "POST", at+"/bookplate.plan", both)
	if plan.Body["freeBefore"] != 5.0 || plan.Body["freeAfter"] != 0.0 || plan.Body["willReceive"] != 5.0 ||
		plan.Body["willWait"] != 2.0 || plan.Body["peopleTotal"] != 7.0 || plan.Body["displayName"] != "Five Copies of Winter" {
		t.Fatalf("%s", plan.Raw)
	}
	why := map[any]bool{}
	reasons, _ := plan.Body["reasons"].([]any)
	for _, one := range reasons {
		reason, _ := one.(map[string]any)
		why[reason["reason"]] = reason["count"] == 1.0 && reason["text"] != "" && reason["next"] != ""
	}
	if !why["noStock"] || !why["invitation"] || len(why) != 2 {
		t.Errorf("reasons %v", plan.Body["reasons"])
	}
	people, _ := plan.Body["people"].([]any)
	if first, _ := people[0].(map[string]any); len(people) != 7 || first["verdict"] != "wait" || first["text"] == "" {
		t.Errorf("people %v", people)
	}

	r.Clock.Advance(hold)
	r.Work(t, r.Place.UID())
	after := r.Want(t, 200, r, "viewer", "POST", at+"/bookplate.plan", both)
	if after.Body["willReceive"] != 0.0 || after.Body["refused"] != 5.0 || after.Body["freeBefore"] != 0.0 {
		t.Errorf("what was planned wasn't done: %s", after.Raw)
	}
}

func TestWhatNeverEndsHasNoNumber(t *testing.T) {
	r := newRig(t)
	group := r.Group(t, "a", desk.Domain, "ana")
	plan := r.Want(t, 200, r, "viewer", "POST", r.book(free)+"/bookplate.plan", list(groupTarget("required", group.ID)))
	if plan.Body["freeBefore"] != nil || plan.Body["freeAfter"] != nil {
		t.Error(plan.Raw)
	}
}
