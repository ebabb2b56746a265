package books_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/functions/assignments"
	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/apple/applefake"
)

const scarce = "900000002" // 5 licenses

func TestWhoWaitsForStockIsToldTheirPlaceInTheLine(t *testing.T) {
	r := newRig(t)
	r.give(t, scarce, r.Group(t, "7b", desk.Domain, "a", "b", "c", "d", "e", "f", "g", "h").ID)
	places := map[float64]bool{}
	for _, g := range r.get(t, ours+"/grants?book="+r.book(scarce)).List() {
		place, waits := g["placeInLine"].(float64)
		if waits != (g["reason"] == "noStock") {
			t.Errorf("%v", g)
		}
		text, _ := g["text"].(string)
		if waits && (!strings.Contains(text, "in the line") || g["next"] == nil) {
			t.Errorf("%v", g)
		}
		places[place] = waits
	}
	if !places[1] || !places[2] || !places[3] || len(places) != 4 {
		t.Errorf("places %v", places)
	}
}

func TestWhoWaitsBecauseTheLocationHasStoppedIsToldTheCause(t *testing.T) {
	r := newRig(t)
	r.give(t, scarce, r.Group(t, "7b", desk.Domain, "a", "b", "c", "d", "e", "f").ID)
	stopped := func(cause string) {
		t.Helper()
		n := 0
		for _, g := range r.get(t, ours+"/grants?book="+r.book(scarce)).List() {
			if g["state"] == "licensed" {
				continue
			}
			n++
			text, _ := g["text"].(string)
			if next, _ := g["next"].(string); g["reason"] != "stopped" || g["state"] != "waiting" ||
				!strings.Contains(text, cause) || next == "" || g["placeInLine"] != nil {
				t.Errorf("%v", g)
			}
		}
		if n != 1 {
			t.Errorf("%d wait", n)
		}
	}
	r.Clock.Advance(366 * 24 * time.Hour)
	stopped("expired")
	r.Want(t, 204, r.tokens, "administrator", "DELETE", "/v1.0/deviceAppManagement/vppTokens/"+r.token, "")
	stopped("deleted")
}

// What has been sent isn't waited for in vain without a word: nobody asks Apple about it while the location has stopped.
func TestWhoHasBeenSentToAppleByALocationThatHasStoppedIsToldTheCause(t *testing.T) {
	r := newRig(t)
	r.Fake.Script(func(in *applefake.Incoming) (f applefake.Fault) {
		if in.Endpoint == applefake.EndpointAssociate {
			f.EventDelay = time.Hour
		}
		return f
	})
	group := r.Group(t, "one", desk.Domain, "ana").ID
	r.give(t, plenty, group)
	r.Clock.Advance(366 * 24 * time.Hour)
	list := r.get(t, ours+"/grants?book="+r.book(plenty)).List()
	if len(list) != 1 {
		t.Fatalf("%d grants", len(list))
	}
	g := list[0]
	text, _ := g["text"].(string)
	if next, _ := g["next"].(string); g["state"] != "sent" || g["reason"] != nil || !strings.Contains(text, "expired") ||
		!strings.Contains(next, "renew") {
		t.Errorf("%v", g)
	}
}

func TestWhoWaitsForTheEndOfAHoldOrForApprovalIsToldSo(t *testing.T) {
	r := newRig(t)
	r.assignments = assignments.New(assignments.Config{
		Config: r.Door(), Store: r.Store, Directory: r.Directory.Reader, Queue: r.Queue, Hold: 24 * time.Hour, ApprovalAbove: 1,
	})
	r.give(t, plenty, r.Group(t, "one", desk.Domain, "ana").ID)
	r.give(t, scarce, r.Group(t, "two", desk.Domain, "ben", "cem").ID)
	for title, want := range map[string]string{plenty: "until 2030-09-02T", scarce: "plan "} {
		list := r.get(t, ours+"/grants?book="+r.book(title)).List()
		if len(list) == 0 {
			t.Fatalf("nobody waits for %s", title)
		}
		for _, g := range list {
			if text, _ := g["text"].(string); g["state"] != "waiting" || !strings.Contains(text, want) || g["next"] == nil {
				t.Errorf("%v", g)
			}
		}
	}
}
