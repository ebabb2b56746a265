package books_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/desk"
)

func TestAReaderShowsItsGenerationAndItsRetirement(t *testing.T) {
	r := newRig(t)
	class := r.Group(t, "7b", desk.Domain, "ana")
	r.give(t, plenty, class.ID)
	first := r.get(t, ours+"/readers").List()[0]
	id, _ := first["clientUserId"].(string)
	if first["generation"] != 0.0 || first["retirement"] != nil {
		t.Errorf("%v", first)
	}
	retired := func() map[string]any {
		t.Helper()
		a := r.get(t, ours+"/readers/"+strings.ToUpper(id))
		state, _ := a.Body["retirement"].(map[string]any)
		return state
	}
	r.Want(t, 202, r.assignments, "administrator", "POST", ours+"/readers/"+id+"/retire", `{"reason":"left the school"}`)
	got := retired()
	if got["state"] != "ordered" || got["reason"] != "left the school" || got["orderedBy"] != "administrator@school.example" ||
		got["endedDateTime"] != nil || got["text"] == "" || got["next"] == "" {
		t.Errorf("%v", got)
	}
	r.Work(t, r.Place.UID())
	if got = retired(); got["state"] != "done" || got["endedDateTime"] == nil {
		t.Errorf("%v", got)
	}
	r.Want(t, 202, r.assignments, "administrator", "POST", ours+"/readers/"+id+"/restore", `{"reason":"came back"}`)
	r.Work(t, r.Place.UID())
	both := r.get(t, ours+"/readers").List()
	if len(both) != 2 {
		t.Fatalf("%v", both)
	}
	for _, one := range both {
		former := one["clientUserId"] == id
		if former != (one["generation"] == 0.0) || former != (one["status"] == "retired") || former != (one["retirement"] != nil) {
			t.Errorf("%v", one)
		}
	}
	if got = retired(); got["state"] != "restored" || got["restoredDateTime"] == nil {
		t.Errorf("%v", got)
	}
	r.Send(t, r, "viewer", "GET", ours+"/readers/nobody", "").Refused(t, 404, "ReaderNotFound")
	for user := range r.Place.Users() {
		if user.ClientUserID != id && user.ClientUserID != both[0]["clientUserId"] && user.ClientUserID != both[1]["clientUserId"] {
			r.Send(t, r, "viewer", "GET", ours+"/readers/"+user.ClientUserID, "").Refused(t, 404, "ForeignReader")
		}
	}
}

// Nobody wonders why a retirement takes long: what it waits for is told.
func TestARetirementThatWaitsForABatchSaysSo(t *testing.T) {
	r := newRig(t)
	class := r.Group(t, "7b", desk.Domain, "ana")
	r.Want(t, 204, r.assignments, "manager", "POST", booksPath+"/"+r.book(plenty)+"/assign",
		`{"managedEBookAssignments":[{"installIntent":"required","target":`+
			`{"@odata.type":"#microsoft.graph.groupAssignmentTarget","groupId":"`+class.ID+`"}}]}`)
	for range 100 {
		r.Wake(t, r.Place.UID())
		if batches := r.get(t, ours+"/batches").List(); len(batches) > 0 {
			break
		}
		r.Clock.Advance(time.Second)
	}
	id, _ := r.get(t, ours+"/readers").List()[0]["clientUserId"].(string)
	r.Want(t, 202, r.assignments, "administrator", "POST", ours+"/readers/"+id+"/retire", `{"reason":"left the school"}`)
	r.Wake(t, r.Place.UID())
	got, _ := r.get(t, ours+"/readers/"+id).Body["retirement"].(map[string]any)
	batch, _ := r.get(t, ours+"/batches").List()[0]["id"].(string)
	text, _ := got["text"].(string)
	if got["state"] != "ordered" || batch == "" || !strings.Contains(text, batch) {
		t.Errorf("batch %q: %v", batch, got)
	}
	if _, active := r.Place.User(id); !active {
		t.Error("retired while the batch is open")
	}
}

// Whoever sees a grant that waits for an invitation can send the invitation from there.
func TestAGrantThatWaitsForAnInvitationNamesItsLink(t *testing.T) {
	r := newRig(t)
	guests := r.Group(t, "guests", "elsewhere.example", "gus")
	r.give(t, plenty, guests.ID)
	path := ours + "/grants?book=" + r.book(plenty)
	got := r.get(t, path).List()[0]
	listed := r.get(t, ours+"/readers?status=invited").List()[0]
	if got["reason"] != "invitation" || got["invitationUrl"] == nil || got["invitationUrl"] != listed["invitationUrl"] ||
		got["invitedDateTime"] == nil || got["invitedDateTime"] != listed["sinceDateTime"] {
		t.Errorf("%v\nlisted: %v", got, listed)
	}
	for _, role := range []string{"reader", "identityProvider"} {
		r.Send(t, r, role, "GET", path, "").Refused(t, 403, "Forbidden")
	}
	var code string
	for user := range r.Place.Users() {
		if user.ClientUserID == listed["clientUserId"] {
			code = user.InviteCode
		}
	}
	desk.Must(t, r.Place.AcceptInvitation(code, "gus@elsewhere.example"))
	r.Want(t, 200, r.tokens, "manager", "POST", "/v1.0/deviceAppManagement/vppTokens/"+r.token+"/syncLicenses", "")
	r.Work(t, r.Place.UID())
	got = r.get(t, path).List()[0]
	if got["state"] != "licensed" || got["invitationUrl"] != nil || got["invitedDateTime"] != nil {
		t.Errorf("accepted: %v", got)
	}
}
