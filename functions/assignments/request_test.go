package assignments_test

import (
	"net/http"
	"path"
	"testing"

	"github.com/bookplate/bookplate/functions/assignments"
	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/auth"
)

const requestsPath = "/v1.0/bookplate/requests"

// as is a handler that takes every caller for the reader with that externalId.
func (r rig) as(externalID string) http.Handler {
	door := r.Door()
	door.Verify = func(string) (auth.Caller, error) { return auth.Caller{Subject: externalID, Role: auth.Reader}, nil }
	return assignments.New(assignments.Config{Config: door, Store: r.Store, Directory: r.Directory.Reader, Queue: r.Queue})
}

func ask(book, person string) string {
	return `{"book":"` + path.Base(book) + `","person":"` + person + `"}`
}

func TestAReaderAsksForThemselvesAndIsGivenTheBookOnce(t *testing.T) {
	r := newRig(t)
	class := r.Group(t, "7b", desk.Domain, "ana", "ben")
	at := r.book(plenty)
	r.Want(t, 204, r, "manager", "POST", at+"/assign", list(groupTarget("available", class.ID)))
	r.Work(t, r.Place.UID())
	ana := r.as("x-ana")
	first := r.Want(t, 201, ana, "x", "POST", requestsPath, ask(at, ""))
	if first.Body["state"] != "waiting" || first.Body["reason"] != "notAtApple" ||
		first.Body["requester"] != "x-ana" || first.Body["displayName"] != "ana" {
		t.Error(first.Raw)
	}
	again := r.Want(t, 200, ana, "x", "POST", requestsPath, ask(at, "ana@school.example"))
	if again.Body["requestedDateTime"] != first.Body["requestedDateTime"] {
		t.Errorf("%s, then %s", first.Raw, again.Raw)
	}
	r.Work(t, r.Place.UID())
	r.Want(t, 200, ana, "x", "POST", requestsPath, ask(at, ""))
	r.Work(t, r.Place.UID())
	if n := len(r.Place.Ledger()); n != 1 {
		t.Errorf("%d licenses were spent", n)
	}
	mine := r.Want(t, 200, ana, "x", "GET", requestsPath, "").List()
	if len(mine) != 1 || mine[0]["state"] != "licensed" || mine[0]["text"] == nil {
		t.Errorf("%v", mine)
	}
}

func TestReadersKeepToThemselves(t *testing.T) {
	r := newRig(t)
	class := r.Group(t, "7b", desk.Domain, "ana", "ben")
	at := r.book(plenty)
	r.Want(t, 204, r, "manager", "POST", at+"/assign", list(groupTarget("available", class.ID)))
	ana := r.as("x-ana")
	for _, other := range []string{"x-ben", "ben@school.example", "nobody"} {
		r.Send(t, ana, "x", "POST", requestsPath, ask(at, other)).Refused(t, 403, "NotYourself")
		r.Send(t, ana, "x", "GET", requestsPath+"?person="+other, "").Refused(t, 403, "NotYourself")
	}
	r.Want(t, 201, r, "manager", "POST", requestsPath, ask(at, "x-ben"))
	if list := r.Want(t, 200, ana, "x", "GET", requestsPath+"?book="+path.Base(at), "").List(); len(list) != 0 {
		t.Errorf("ana sees %v", list)
	}
	r.Send(t, r.as("x-nobody"), "x", "POST", requestsPath, ask(at, "")).Refused(t, 403, "UnknownReader", "x-nobody")
	r.Send(t, ana, "x", "POST", at+"/assign", list()).Refused(t, 403, "Forbidden")
	r.Send(t, ana, "x", "GET", at+"/assignments", "").Refused(t, 403, "Forbidden")
}

func TestAManagerAsksOnBehalf(t *testing.T) {
	r := newRig(t)
	class := r.Group(t, "7b", desk.Domain, "ana", "ben")
	r.Group(t, "8a", desk.Domain, "cem")
	at := r.book(plenty)
	r.Want(t, 204, r, "manager", "POST", at+"/assign", list(groupTarget("available", class.ID)))
	r.Want(t, 201, r, "manager", "POST", requestsPath, ask(at, "ben@school.example"))
	r.Want(t, 201, r, "manager", "POST", requestsPath, ask(at, "x-ana"))
	r.Work(t, r.Place.UID())
	all := r.Want(t, 200, r, "viewer", "GET", requestsPath+"?book="+path.Base(at)+"&$top=1", "")
	next, _ := all.Body["@odata.nextLink"].(string)
	if rest := r.Want(t, 200, r, "viewer", "GET", next, ""); len(all.List()) != 1 || len(rest.List()) != 1 {
		t.Errorf("%s, then %s", all.Raw, rest.Raw)
	}
	ben := r.Want(t, 200, r, "viewer", "GET", requestsPath+"?person=x-ben", "").List()
	if len(ben) != 1 || ben[0]["state"] != "licensed" || ben[0]["requester"] != "manager@school.example" {
		t.Errorf("%v", ben)
	}
	r.Send(t, r, "manager", "POST", requestsPath, ask(at, "x-cem")).Refused(t, 409, "NotOffered", "cem", "available")
	r.Send(t, r, "manager", "POST", requestsPath, ask(at, "")).Refused(t, 400, "BadRequest", "for whom")
	r.Send(t, r, "manager", "POST", requestsPath, `{"person":"x-ana"}`).Refused(t, 400, "BadRequest", "which book")
	for _, a := range []desk.Answer{
		r.Send(t, r, "manager", "POST", requestsPath, ask("none", "x-ana")),
		r.Send(t, r, "manager", "GET", requestsPath+"?book=none", ""),
	} {
		if a.Refused(t, 404, "ResourceNotFound"); a.Target() != "book" {
			t.Error(a.Raw)
		}
	}
	r.Send(t, r, "manager", "POST", requestsPath, ask(at, "nobody")).Refused(t, 404, "PersonNotFound")
	r.Send(t, r, "viewer", "POST", requestsPath, ask(at, "x-ana")).Refused(t, 403, "Forbidden", "manager")
	r.Send(t, r, "viewer", "GET", requestsPath, "").Refused(t, 400, "BadRequest", "book=")
}
