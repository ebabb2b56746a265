package books_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/bookplate/bookplate/functions/assignments"
	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/directory"
)

// offer assigns a title to a group without letting the worker look.
func (r rig) offer(t *testing.T, adamID, intent, group string) {
	t.Helper()
	r.Want(t, 204, r.assignments, "manager", "POST", booksPath+"/"+r.book(adamID)+"/assign",
		`{"managedEBookAssignments":[{"installIntent":"`+intent+`","target":`+
			`{"@odata.type":"#microsoft.graph.groupAssignmentTarget","groupId":"`+group+`"}}]}`)
}

// look has the worker look at everything, until nothing is left to do.
func (r rig) look(t *testing.T) {
	t.Helper()
	r.Want(t, 200, r.tokens, "manager", "POST", "/v1.0/deviceAppManagement/vppTokens/"+r.token+"/syncLicenses", "")
	r.Work(t, r.Place.UID())
}

// move puts a person into a group, or out of it.
func (r rig) move(t *testing.T, group, userName string, in bool) {
	t.Helper()
	p, err := r.Directory.FindPerson(t.Context(), userName)
	desk.Must(t, err)
	var change directory.Membership
	if change.Remove(p.ID); in {
		change = directory.Membership{}
		change.Add(directory.Member{ID: p.ID})
	}
	_, err = r.Directory.ChangeGroup(t.Context(), group, "", func(*directory.Group) error { return nil }, change)
	desk.Must(t, err)
}

// waiter is somebody of a group of seven for whom a title with five licenses has none.
func (r rig) waiter(t *testing.T) (group, userName string) {
	t.Helper()
	group = r.Group(t, "7b", desk.Domain, "a", "b", "c", "d", "e", "f", "g").ID
	r.give(t, scarce, group)
	for _, g := range r.get(t, ours+"/grants?book="+r.book(scarce)).List() {
		if g["reason"] == "noStock" {
			userName, _ = g["userName"].(string)
		}
	}
	return group, userName
}

// back is somebody who had left, and is in the group again without anybody's having looked.
func (r rig) back(t *testing.T) string {
	t.Helper()
	group, who := r.waiter(t)
	r.move(t, group, who, false)
	r.look(t)
	for _, g := range r.get(t, ours+"/grants?book="+r.book(scarce)).List() {
		if g["userName"] == who && g["reason"] != "left" {
			t.Fatalf("hasn't left: %v", g)
		}
	}
	r.move(t, group, who, true)
	return who
}

// An accepted request shows what is the case, also where nobody has looked yet: what the list and the grants show.
func TestARequestShowsHowThePersonStands(t *testing.T) {
	for name, test := range map[string]struct {
		arrange       func(t *testing.T, r rig) (title, who string)
		state, reason string
		inLine        bool
	}{
		"back in the group, and in the line": {func(t *testing.T, r rig) (string, string) {
			return scarce, r.back(t)
		}, "waiting", "noStock", true},
		"back in the group at a stopped location": {func(t *testing.T, r rig) (string, string) {
			who := r.back(t)
			r.Clock.Advance(366 * 24 * time.Hour)
			return scarce, who
		}, "waiting", "stopped", false},
		"back in the group at a location whose token is gone": {func(t *testing.T, r rig) (string, string) {
			who := r.back(t)
			r.Want(t, 201, r.assignments, "manager", "POST", ours+"/requests", asks(r, scarce, who))
			r.Want(t, 204, r.tokens, "administrator", "DELETE", "/v1.0/deviceAppManagement/vppTokens/"+r.token, "")
			return scarce, who
		}, "waiting", "stopped", false},
		"in the line": {func(t *testing.T, r rig) (string, string) {
			_, who := r.waiter(t)
			return scarce, who
		}, "waiting", "noStock", true},
		"in the line of a stopped location": {func(t *testing.T, r rig) (string, string) {
			_, who := r.waiter(t)
			r.Clock.Advance(366 * 24 * time.Hour)
			return scarce, who
		}, "waiting", "stopped", false},
		"new to a title without stock": {func(t *testing.T, r rig) (string, string) {
			group := r.Group(t, "7b", desk.Domain, "a", "b", "c", "d", "e", "f").ID
			r.give(t, plenty, group)
			r.give(t, scarce, group)
			r.give(t, scarce, r.Group(t, "late", desk.Domain, "zoe").ID)
			return scarce, "zoe@" + desk.Domain
		}, "waiting", "noStock", true},
		"asks where there is no stock, and nobody has looked": {func(t *testing.T, r rig) (string, string) {
			late := r.Group(t, "late", desk.Domain, "zoe").ID
			r.give(t, plenty, late)
			r.waiter(t)
			r.offer(t, scarce, "available", late)
			return scarce, "zoe@" + desk.Domain
		}, "waiting", "noStock", true},
		"not known to Apple": {func(t *testing.T, r rig) (string, string) {
			r.offer(t, plenty, "available", r.Group(t, "7b", desk.Domain, "ana").ID)
			return plenty, "ana@" + desk.Domain
		}, "waiting", "notAtApple", false},
		"invited": {func(t *testing.T, r rig) (string, string) {
			group := r.Group(t, "guests", "elsewhere.example", "gus").ID
			r.give(t, scarce, group)
			r.offer(t, plenty, "available", group)
			return plenty, "gus@elsewhere.example"
		}, "waiting", "invitation", false},
		"on hold": {func(t *testing.T, r rig) (string, string) {
			group := r.Group(t, "7b", desk.Domain, "ana").ID
			r.give(t, scarce, group)
			r.assignments = holding(r)
			r.offer(t, plenty, "required", group)
			return plenty, "ana@" + desk.Domain
		}, "waiting", "onHold", false},
		"nothing stands in the way": {func(t *testing.T, r rig) (string, string) {
			group := r.Group(t, "7b", desk.Domain, "ana").ID
			r.give(t, scarce, group)
			r.offer(t, plenty, "available", group)
			return plenty, "ana@" + desk.Domain
		}, "wanted", "", false},
		"has the title": {func(t *testing.T, r rig) (string, string) {
			r.give(t, plenty, r.Group(t, "7b", desk.Domain, "ana").ID)
			return plenty, "ana@" + desk.Domain
		}, "licensed", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			title, who := test.arrange(t, r)
			asked := r.Send(t, r.assignments, "manager", "POST", ours+"/requests", asks(r, title, who))
			list := r.Want(t, 200, r.assignments, "viewer", "GET", ours+"/requests?person="+who, "").List()
			if len(list) != 1 {
				t.Fatalf("%d requests", len(list))
			}
			shown := []map[string]any{list[0]}
			if asked.Status == 201 || asked.Status == 200 {
				shown = append(shown, asked.Body)
			} else if asked.Code() != "TokenDeleted" {
				t.Fatal(asked.Raw)
			}
			for _, g := range r.get(t, ours+"/grants?book="+r.book(title)).List() {
				if g["userName"] == who {
					shown = append(shown, g)
				}
			}
			for _, one := range shown {
				reason, _ := one["reason"].(string)
				place, _ := one["placeInLine"].(float64)
				if one["state"] != test.state || reason != test.reason || place > 0 != test.inLine || one["text"] == "" {
					t.Errorf("%v", one)
				}
				for _, field := range []string{"text", "next", "detail", "placeInLine"} {
					if one[field] != list[0][field] {
						t.Errorf("%s is %v, and %v in the list of requests", field, one[field], list[0][field])
					}
				}
			}
		})
	}
}

func asks(r rig, title, who string) string {
	return `{"book":"` + r.book(title) + `","person":"` + who + `"}`
}

func holding(r rig) http.Handler {
	return assignments.New(assignments.Config{
		Config: r.Door(), Store: r.Store, Directory: r.Directory.Reader, Queue: r.Queue, Hold: 24 * time.Hour,
	})
}

// Who asked and has left since isn't told to wait.
func TestARequestOfSomebodyWhoHasLeftSaysSo(t *testing.T) {
	r := newRig(t)
	group := r.Group(t, "7b", desk.Domain, "ana").ID
	r.offer(t, plenty, "available", group)
	r.Want(t, 201, r.assignments, "manager", "POST", ours+"/requests", asks(r, plenty, "x-ana"))
	r.move(t, group, "x-ana", false)
	list := r.Want(t, 200, r.assignments, "viewer", "GET", ours+"/requests?person=x-ana", "").List()
	if len(list) != 1 || list[0]["state"] != "refused" || list[0]["reason"] != "left" {
		t.Errorf("%v", list)
	}
}

// Who else is linked to an Apple Account is seen by a look only: what that has found stays so.
func TestWhoseAppleAccountHasTheTitleIsStillToldSo(t *testing.T) {
	r := newRig(t)
	guests := r.Group(t, "guests", "elsewhere.example", "gus", "hal").ID
	r.give(t, plenty, guests)
	var codes []string
	for user := range r.Place.Users() {
		if user.InviteCode != "" && user.Status != applefake.Associated {
			codes = append(codes, user.InviteCode)
		}
	}
	for _, code := range codes {
		desk.Must(t, r.Place.AcceptInvitation(code, "both@elsewhere.example"))
	}
	r.look(t)
	for range 40 {
		r.Wake(t, r.Place.UID())
		r.Clock.Advance(10 * time.Second)
	}
	states := map[any]any{}
	for _, g := range r.get(t, ours+"/grants?book="+r.book(plenty)).List() {
		states[g["state"]] = g["reason"]
	}
	if len(states) != 2 || states["licensed"] != nil || states["refused"] != "ownedAsOther" {
		t.Errorf("%v", states)
	}
}
