package books_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/desk"
)

// Apple's counts are read a minute after licenses were given; what stays is known before.
func TestTheDeletionOfATokenTellsWhatIsKnownToBeGiven(t *testing.T) {
	r := newRig(t)
	r.offer(t, plenty, "required", r.Group(t, "7b", desk.Domain, "ana", "ben", "cem").ID)
	for n := 0; len(r.get(t, ours+"/licenses?book="+r.book(plenty)).List()) < 3; n++ {
		if n == 40 {
			t.Fatal("nothing is given")
		}
		r.Clock.Advance(10 * time.Second)
		r.Wake(t, r.Place.UID())
	}
	r.Want(t, 204, r.tokens, "administrator", "DELETE", "/v1.0/deviceAppManagement/vppTokens/"+r.token, "")
	text, _ := r.get(t, ours+"/acts?$top=1").List()[0]["text"].(string)
	if !strings.Contains(text, "stay 12 licenses of 4 books") { // nine of three are others'
		t.Error(text)
	}
}
