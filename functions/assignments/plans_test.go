package assignments_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/functions/assignments"
	"github.com/bookplate/bookplate/infra/desk"
)

// many is a rig whose plans have at most two people while their caller waits.
func many(t *testing.T) rig {
	t.Helper()
	r := newRig(t)
	r.Handler = assignments.New(assignments.Config{
		Config: r.Door(), Store: r.Store, Directory: r.Directory.Reader, Queue: r.Queue, ApprovalAbove: 1,
		PlanInline: 2, Federated: []string{desk.Domain},
	})
	return r
}

func TestAPlanOfManyPeopleIsComputedByTheWorkerAndApprovedByName(t *testing.T) {
	r := many(t)
	class := r.Group(t, "7b", desk.Domain, "ana", "ben", "cem")
	at, body := r.book(plenty), ""
	body = list(groupTarget("required", class.ID))
	r.Want(t, 204, r, "manager", "POST", at+"/assign", body)
	waiting := r.Want(t, 200, r, "viewer", "GET", at+"/assignments", "").List()[0]
	if waiting["x_approval"] != "pending" || waiting["x_planId"] != nil {
		t.Errorf("%v", waiting)
	}
	r.Queue.Woken = nil
	first := r.Want(t, 202, r, "viewer", "POST", at+"/bookplate.plan", body)
	where := first.Header.Get("Location")
	id, _ := first.Body["id"].(string)
	if first.Body["status"] != "running" || first.Header.Get("Retry-After") == "" || len(r.Queue.Woken) != 1 ||
		where[len(where)-len(id):] != id || first.Body["planId"] != "" {
		t.Fatalf("%s at %q; woken: %v", first.Raw, where, r.Queue.Woken)
	}
	if a := r.Want(t, 200, r, "viewer", "GET", where+"/people", ""); len(a.List()) != 0 {
		t.Error(a.Raw)
	}
	r.Work(t, r.Place.UID())
	plan := r.Want(t, 200, r, "viewer", "GET", where, "")
	if plan.Body["status"] != "done" || plan.Body["willReceive"] != 3.0 || plan.Body["peopleTotal"] != 3.0 ||
		plan.Body["peopleDone"] != 3.0 || plan.Body["needsApproval"] != true || plan.Body["licenses"] != 3.0 ||
		plan.Body["approval"] != nil || plan.Body["endedDateTime"] == nil {
		t.Errorf("%s", plan.Raw)
	}
	names, _ := plan.Body["peopleUrl"].(string)
	people := r.Want(t, 200, r, "viewer", "GET", names, "").List()
	if len(people) != 3 || people[0]["verdict"] != "give" || people[0]["displayName"] == "" || people[0]["groupId"] != class.ID {
		t.Errorf("%v", people)
	}
	r.Send(t, r, "viewer", "GET", names+"?$skiptoken=x", "").Refused(t, 400, "BadRequest")
	r.Send(t, r, "reader", "GET", where, "").Refused(t, 403, "Forbidden")

	approve := func(id any) desk.Answer {
		t.Helper()
		a := r.Want(t, 202, r, "administrator", "POST", at+"/bookplate.approve", fmt.Sprintf(`{"planId":%q}`, id))
		r.Work(t, r.Place.UID())
		return r.Want(t, 200, r, "viewer", "GET", a.Header.Get("Location"), "")
	}
	state := func(a desk.Answer) any {
		approval, _ := a.Body["approval"].(map[string]any)
		return approval["state"]
	}
	if a := approve("another"); state(a) != "refused" || len(r.Place.Ledger()) != 0 {
		t.Errorf("%s", a.Raw)
	}
	if a := approve(plan.Body["planId"]); state(a) != "approved" || len(r.Place.Ledger()) != 3 {
		t.Errorf("%d licenses were spent: %s", len(r.Place.Ledger()), a.Raw)
	}
	if a := approve(plan.Body["planId"]); state(a) != "refused" || !strings.Contains(a.Raw, "waits for approval") {
		t.Errorf("approved a second time: %s", a.Raw)
	}
	r.Clock.Advance(8 * 24 * time.Hour)
	r.Send(t, r, "viewer", "GET", where, "").Refused(t, 404, "ResourceNotFound", "again")
}

func TestALargePlanSaysWhyNobodyGoesOnWithIt(t *testing.T) {
	r := many(t)
	class := r.Group(t, "7b", desk.Domain, "ana", "ben", "cem")
	where := r.Want(t, 202, r, "viewer", "POST", r.book(plenty)+"/bookplate.plan", list(groupTarget("required", class.ID))).
		Header.Get("Location")
	r.Want(t, 204, r.tokens, "administrator", "DELETE", "/v1.0/deviceAppManagement/vppTokens/"+r.token, "")
	a := r.Want(t, 200, r, "viewer", "GET", where, "")
	if text, _ := a.Body["text"].(string); a.Body["status"] != "running" || !strings.Contains(text, "deleted") {
		t.Error(a.Raw)
	}
}

func TestALargePlanForAStoppedLocationIsRefused(t *testing.T) {
	r := many(t)
	class := r.Group(t, "7b", desk.Domain, "ana", "ben", "cem")
	body := list(groupTarget("required", class.ID))
	where := r.Want(t, 202, r, "viewer", "POST", r.book(plenty)+"/bookplate.plan", body).Header.Get("Location")
	r.Clock.Advance(400 * 24 * time.Hour) // the token has expired
	r.Send(t, r, "viewer", "POST", r.book(plenty)+"/bookplate.plan", body).Refused(t, 409, "LocationStopped", "expired")
	r.Send(t, r, "viewer", "GET", where, "").Refused(t, 404, "ResourceNotFound")
}
