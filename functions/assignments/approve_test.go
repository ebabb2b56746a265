package assignments_test

import (
	"testing"

	"github.com/bookplate/bookplate/functions/assignments"
	"github.com/bookplate/bookplate/infra/desk"
)

func TestWhatIsLargeOrForAllUsersWaitsForApproval(t *testing.T) {
	r := newRig(t)
	r.Handler = assignments.New(assignments.Config{
		Config: r.Door(), Store: r.Store, Directory: r.Directory.Reader, Queue: r.Queue, ApprovalAbove: 1, Federated: []string{desk.Domain},
	})
	class := r.Group(t, "7b", desk.Domain, "ana", "ben")
	at := r.book(plenty)
	allUsers := `{"installIntent":"required","target":{"@odata.type":"#microsoft.graph.allLicensedUsersAssignmentTarget"}}`
	for name, body := range map[string]string{
		"large":     list(groupTarget("required", class.ID)),
		"all users": list(allUsers),
	} {
		t.Run(name, func(t *testing.T) {
			r.Want(t, 204, r, "manager", "POST", at+"/assign", list())
			plan := r.Want(t, 200, r, "viewer", "POST", at+"/bookplate.plan", body)
			if plan.Body["needsApproval"] != true || plan.Body["planId"] == "" || plan.Body["willReceive"] != 2.0 {
				t.Fatal(plan.Raw)
			}
			r.Want(t, 204, r, "manager", "POST", at+"/assign", body)
			waiting := r.Want(t, 200, r, "viewer", "GET", at+"/assignments", "").List()[0]
			if waiting["x_approval"] != "pending" || waiting["x_planId"] != plan.Body["planId"] || waiting["x_planLicenses"] != 2.0 {
				t.Fatalf("%v", waiting)
			}
			r.Work(t, r.Place.UID())
			if n := len(r.Place.Ledger()); n != 0 {
				t.Fatalf("%d licenses were spent unapproved", n)
			}
		})
	}
	waiting := r.Want(t, 200, r, "viewer", "GET", at+"/assignments", "").List()[0]
	id, _ := waiting["x_planId"].(string)
	body := `{"planId":"` + id + `"}`
	r.Send(t, r, "manager", "POST", at+"/bookplate.approve", body).Refused(t, 403, "Forbidden", "administrator")
	r.Send(t, r, "administrator", "POST", at+"/bookplate.approve", `{}`).Refused(t, 400, "BadRequest", "planId")
	r.Send(t, r, "administrator", "POST", at+"/bookplate.approve", `{"planId":"x"}`).Refused(t, 409, "PlanChanged", id)
	r.Want(t, 204, r, "administrator", "POST", at+"/bookplate.approve", body)
	approved := r.Want(t, 200, r, "viewer", "GET", at+"/assignments", "").List()[0]
	if approved["x_approval"] != "approved" || approved["x_approver"] != "administrator@school.example" {
		t.Errorf("%v", approved)
	}
	r.Work(t, r.Place.UID())
	if n := len(r.Place.Ledger()); n != 2 {
		t.Errorf("%d licenses were spent on what was approved", n)
	}
	r.Send(t, r, "administrator", "POST", at+"/bookplate.approve", body).Refused(t, 409, "NothingToApprove")
}
