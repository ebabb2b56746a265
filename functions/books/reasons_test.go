package books_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/functions/assignments"
	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/directory"
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

// Who has the title in the other quality is covered all the same, and is told why nothing comes.
func TestWhoHasTheTitleElsewhereIsToldWhereAndSinceWhen(t *testing.T) {
	r := newRig(t)
	const title = "900000004"
	r.give(t, title, r.Group(t, "7b", desk.Domain, "ana", "ben").ID)
	plus := book.ID(r.Place.UID(), apple.AssetKey{AdamID: title, PricingParam: apple.PricingPLUS})
	ana, err := r.Directory.FindPerson(t.Context(), "ana@"+desk.Domain)
	desk.Must(t, err)
	var only directory.Membership
	only.Add(directory.Member{ID: ana.ID})
	one, err := r.Directory.CreateGroup(t.Context(), directory.Group{DisplayName: "only ana"}, only)
	desk.Must(t, err)
	r.Want(t, 204, r.assignments, "manager", "POST", booksPath+"/"+plus+"/assign",
		`{"managedEBookAssignments":[{"installIntent":"required","target":`+
			`{"@odata.type":"#microsoft.graph.groupAssignmentTarget","groupId":"`+one.ID+`"}}]}`)
	r.Work(t, r.Place.UID())
	list := r.get(t, ours+"/grants?book="+plus).List()
	if len(list) != 1 {
		t.Fatalf("%d people, want the one whom the assignment covers: %v", len(list), list)
	}
	text, _ := list[0]["text"].(string)
	if g := list[0]; g["userName"] != "ana@"+desk.Domain || g["state"] != "refused" || g["reason"] != "owned" ||
		!strings.Contains(text, "since 2030-09-01") || g["next"] == nil {
		t.Errorf("%v", g)
	}
}
