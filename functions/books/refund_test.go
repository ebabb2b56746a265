package books_test

import (
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/apple"
)

// Two licenses were spent on Ana, of which Apple has taken one back: the ledger forgets neither.
func TestTheLedgerShowsAlsoWhatAppleHasTakenBackOfATitleThatWasGivenAnew(t *testing.T) {
	r := newRig(t)
	class := r.Group(t, "7b", desk.Domain, "ana")
	r.give(t, plenty, class.ID)
	first := r.get(t, ours+"/ledger?person=ana@school.example").List()[0]
	holder := ""
	for l := range r.Place.Licenses() {
		if l.AdamID == plenty {
			holder = l.ClientUserID
		}
	}
	desk.Must(t, r.Place.RefundFrom(plenty, apple.PricingSTDQ, holder))
	r.Want(t, 200, r.tokens, "administrator", "POST", "/v1.0/deviceAppManagement/vppTokens/"+r.token+"/syncLicenses?full=true", "")
	r.Work(t, r.Place.UID())
	if gone := r.get(t, ours+"/ledger?title="+plenty).List(); len(gone) != 1 || gone[0]["state"] != "gone" || gone[0]["lostDateTime"] == nil {
		t.Fatalf("after the refund: %v", gone)
	}
	r.Clock.Advance(time.Minute)
	r.Want(t, 204, r.assignments, "manager", "POST", booksPath+"/"+r.book(plenty)+"/assign", `{"managedEBookAssignments":[]}`)
	r.give(t, plenty, class.ID) // made anew
	entries := r.get(t, ours+"/ledger?title="+plenty).List()
	if len(entries) != 2 {
		t.Fatalf("%v", entries)
	}
	gone, given := entries[0], entries[1]
	if gone["state"] != "gone" || gone["licenses"] != 0.0 || gone["eventId"] != first["eventId"] || gone["lostDateTime"] == nil ||
		gone["givenDateTime"] != first["givenDateTime"] {
		t.Errorf("the first is shown as %v, and was %v", gone, first)
	}
	if given["state"] != "licensed" || given["licenses"] != 1.0 || given["eventId"] == first["eventId"] || given["lostDateTime"] != nil {
		t.Errorf("the second is shown as %v", given)
	}
}
