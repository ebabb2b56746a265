package assignments_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/token"
)

const readersPath = "/v1.0/bookplate/readers/"

// readerOf is the clientUserId of a person in the rig's location.
func (r rig) readerOf(t *testing.T, personID string) string {
	t.Helper()
	record, err := token.OfLocation(t.Context(), r.Store.ReadStore, r.Place.UID())
	desk.Must(t, err)
	id := reader.Identity{Location: r.Place.UID(), MDMID: record.Value.MDMID}
	ids, err := reader.IDs(t.Context(), r.Store.ReadStore, id, []string{personID})
	desk.Must(t, err)
	return ids[personID]
}

func (r rig) person(t *testing.T, userName string) string {
	t.Helper()
	p, err := r.Directory.FindPerson(t.Context(), userName)
	desk.Must(t, err)
	return p.ID
}

// pass lets time pass while the worker works.
func (r rig) pass(t *testing.T, d time.Duration) {
	t.Helper()
	const step = 10 * time.Second
	for range d / step {
		r.Wake(t, r.Place.UID())
		r.Clock.Advance(step)
	}
}

func TestAnAdministratorRetiresAReaderWhoKeepsTheBooksAndRestoresThem(t *testing.T) {
	r := newRig(t)
	class := r.Group(t, "7b", desk.Domain, "ana", "ben")
	at := r.book(plenty)
	r.Want(t, 204, r, "manager", "POST", at+"/assign", list(groupTarget("required", class.ID)))
	r.pass(t, 2*hold)
	ana := r.readerOf(t, r.person(t, "ana@school.example"))
	const why = `{"reason":"left the school"}`
	a := r.Want(t, 202, r, "administrator", "POST", readersPath+strings.ToUpper(ana)+"/retire", why)
	if a.Body["state"] != "ordered" || a.Body["booksKept"] != 1.0 || a.Body["displayName"] != "ana" ||
		a.Body["orderedBy"] != "administrator@school.example" || !strings.Contains(a.Raw, "stay with the person's Apple Account") {
		t.Error(a.Raw)
	}
	if again := r.Want(t, 202, r, "administrator", "POST", readersPath+ana+"/retire", why); again.Raw != a.Raw {
		t.Errorf("%s, then %s", a.Raw, again.Raw)
	}
	if len(r.Queue.Woken) == 0 {
		t.Error("nobody was woken")
	}
	r.Send(t, r, "administrator", "POST", readersPath+ana+"/restore", why).Refused(t, 409, "RetirementUnderWay", "when it is done")
	r.Work(t, r.Place.UID())
	if user, active := r.Place.User(ana); active {
		t.Fatalf("at Apple the reader is %s", user.Status)
	}
	b := r.Want(t, 202, r, "administrator", "POST", readersPath+ana+"/restore", `{"reason":"came back"}`)
	if b.Body["state"] != "restored" || b.Body["generation"] != 1.0 {
		t.Error(b.Raw)
	}
	r.Work(t, r.Place.UID())
	next := r.readerOf(t, r.person(t, "ana@school.example"))
	if user, _ := r.Place.User(next); next == ana || user.Status != applefake.Associated {
		t.Errorf("restored as %s, who is %q at Apple", next, user.Status)
	}
	if n := len(r.Place.Ledger()); n != 2 {
		t.Errorf("%d licenses were spent on 2 people", n)
	}
	r.Send(t, r, "administrator", "POST", readersPath+ana+"/retire", why).Refused(t, 409, "FormerReader")
}

func TestOrdersToRetireThatAreRefused(t *testing.T) {
	r := newRig(t)
	class := r.Group(t, "7b", desk.Domain, "ana")
	r.Want(t, 204, r, "manager", "POST", r.book(plenty)+"/assign", list(groupTarget("required", class.ID)))
	r.pass(t, hold/2)
	ana := readersPath + r.readerOf(t, r.person(t, "ana@school.example"))
	const why = `{"reason":"left the school"}`
	var foreign string
	for user := range r.Place.Users() {
		if user.ClientUserID != r.readerOf(t, r.person(t, "ana@school.example")) {
			foreign = user.ClientUserID
		}
	}
	r.Send(t, r, "manager", "POST", ana+"/retire", why).Refused(t, 403, "Forbidden", "administrator")
	r.Send(t, r, "manager", "POST", ana+"/restore", why).Refused(t, 403, "Forbidden", "administrator")
	for _, body := range []string{`{}`, `{"reason":" "}`, `{"reason":"` + strings.Repeat("é", 501) + `"}`} {
		r.Send(t, r, "administrator", "POST", ana+"/retire", body).Refused(t, 400, "BadRequest", "why", "500 characters")
	}
	longest := `{"reason":"` + strings.Repeat("é", 500) + `"}` // characters, as openapi.yaml's maxLength counts
	r.Send(t, r, "administrator", "POST", readersPath+"nobody/retire", longest).Refused(t, 404, "ReaderNotFound")
	for _, what := range []string{"/retire", "/restore"} {
		r.Send(t, r, "administrator", "POST", readersPath+foreign+what, why).Refused(t, 409, "ForeignReader", "another product")
		r.Send(t, r, "administrator", "POST", readersPath+"nobody"+what, why).Refused(t, 404, "ReaderNotFound", "nobody")
	}
	r.Send(t, r, "administrator", "POST", ana+"/restore", why).Refused(t, 409, "NotRetired", "associated")
	for user := range r.Place.Users() {
		if user.ClientUserID == foreign && user.Status == applefake.Retired {
			t.Error("a foreign reader was retired")
		}
	}
}
