package applefake_test

import (
	"strings"
	"testing"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

func who(id, more string) string { return `{"users":[{"clientUserId":"` + id + `"` + more + `}]}` }

// states lists the states of a client user id's rows, the oldest first.
func (r *rig) states(id string) string {
	r.t.Helper()
	var all []string
	for _, u := range r.get("/users?clientUserId=" + id).Users {
		all = append(all, u.Status)
	}
	return strings.Join(all, " ")
}

func (r *rig) accept(id, account string) {
	r.t.Helper()
	u, ok := r.at.User(id)
	if !ok {
		r.t.Fatalf("no active user %s", id)
	}
	if err := r.at.AcceptInvitation(u.InviteCode, account); err != nil {
		r.t.Fatal(err)
	}
}

func TestAUserLivesFromRegisteredToRetired(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	if a := r.finish("/users/create", who("u", `,"email":"u@school.example"`)); a.EventStatus != "COMPLETE" ||
		a.EventType != "CREATE" || a.NumRequested != 1 || a.NumCompleted != 1 {
		t.Fatal(a.raw)
	}
	u := r.get("/users?clientUserId=u").Users[0]
	if u.Status != "Registered" || len(u.InviteCode) != 32 || u.IDHash != "" || u.Email != "u@school.example" {
		t.Errorf("after create: %+v", u)
	}
	r.accept("u", "someone@private.example")
	if u = r.get("/users?clientUserId=u").Users[0]; u.Status != "Associated" || len(u.IDHash) != 28 {
		t.Errorf("after accepting: %+v", u)
	}
	if err := r.at.AcceptInvitation(u.InviteCode, "third@private.example"); err == nil {
		t.Error("an invitation was accepted twice")
	}
	r.finish("/users/retire", who("u", ""))
	hash := u.IDHash
	if u = r.get("/users?clientUserId=u").Users[0]; u.Status != "Retired" || u.IDHash != hash {
		t.Errorf("after retiring: %+v", u)
	}
}

func TestALinkFollowsTheOrganization(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	if err := r.at.AddManagedAccount("guest@elsewhere.example"); err != nil {
		t.Fatal(err)
	}
	if err := r.at.LinkElsewhere("busy@school.example"); err != nil {
		t.Fatal(err)
	}
	r.users("first")
	for address, number := range map[string]int{
		"Ann@School.example": 0, "guest@elsewhere.example": 0,
		"foreign@elsewhere.example": 9635, "busy@school.example": 9641, "FIRST@school.example": 9641,
	} {
		id := "u-" + address
		a := r.finish("/users/create", who(id, `,"managedAppleId":"`+address+`"`))
		if number == 0 {
			if a.EventStatus != "COMPLETE" || r.states(id) != "Associated" {
				t.Errorf("%s: %s %s", address, a.raw, r.states(id))
			}
			continue
		}
		if a.EventStatus != "FAILED" || a.Failures[0].ErrorNumber != number || a.NumCompleted != 0 ||
			r.states(id) != "" {
			t.Errorf("%s: want %d, got %s and %q", address, number, a.raw, r.states(id))
		}
	}
}

func TestALinkThatFailsMayLeaveTheUserRegistered(t *testing.T) {
	r := build(t, applefake.Options{RegisterOnLinkFailure: true}, spec())
	if a := r.finish("/users/create", who("u",
		`,"managedAppleId":"a@foreign.example"`)); a.Failures[0].ErrorNumber != 9635 || r.states("u") != "Registered" {
		t.Errorf("got %s and %q", a.raw, r.states("u"))
	}
}

func TestCreatingAnActiveUserFailsLater(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.users("u")
	a := r.finish("/users/create", `{"users":[{"clientUserId":"u"},{"clientUserId":"v"}]}`)
	if a.EventStatus != "FAILED" || a.NumCompleted != 1 || a.Failures[0].ErrorNumber != 9716 ||
		a.Failures[0].ErrorInfo.ClientUserIDs[0] != "u" {
		t.Errorf("got %s", a.raw)
	}
	if r.states("v") != "Registered" {
		t.Error("one failure undid the rest")
	}
}

func TestUpdatesLinkAndKeepWhatTheyLeaveOut(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.finish("/users/create", who("u", `,"email":"u@school.example"`))
	if a := r.finish("/users/update", who("u", `,"managedAppleId":"u@school.example"`)); a.EventType != "UPDATE" ||
		a.EventStatus != "COMPLETE" {
		t.Fatal(a.raw)
	}
	if u := r.get("/users?clientUserId=u").Users[0]; u.Status != "Associated" || u.Email != "u@school.example" {
		t.Errorf("got %+v", u)
	}
	if a := r.finish("/users/update", who("u", `,"managedAppleId":"v@school.example"`)); a.EventStatus != "FAILED" {
		t.Errorf("a linked account was changed: %s", a.raw)
	}
	for _, path := range []string{"/users/update", "/users/retire"} {
		if a := r.finish(path, who("nobody", "")); a.Failures[0].ErrorNumber != 9609 {
			t.Errorf("%s of an unknown user: %s", path, a.raw)
		}
	}
}

func TestAUserWhoReturns(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.finish("/users/create", who("never", ""))
	r.finish("/users/retire", who("never", ""))
	r.finish("/users/create", who("never", ""))
	if got := r.states("never"); got != "Registered" {
		t.Errorf("never linked: %q, want the same row again", got)
	}

	r.users("same")
	r.finish("/assets/associate", want(book, "same"))
	r.finish("/users/retire", who("same", ""))
	r.finish("/users/create", who("same", ""))
	if got := r.states("same"); got != "Retired Registered" {
		t.Errorf("linked before: %q, want a new row beside the old", got)
	}
	r.accept("same", "same@school.example")
	if got := r.states("same"); got != "Deleted Associated" {
		t.Errorf("same account again: %q, want the old row merged", got)
	}
	a := r.get("/assignments?includeUserState=true&excludeInactiveUsers=true&clientUserId=same")
	if len(a.Assignments) != 1 || a.Assignments[0].UserStatus != "Associated" {
		t.Errorf("the book didn't move to the new row: %s", a.raw)
	}
	if done := r.finish("/assets/associate", want(book, "same")); done.EventStatus != "COMPLETE" ||
		len(r.get("/assignments?clientUserId=same").Assignments) != 1 {
		t.Error("the account was given the book again")
	}

	r.users("changed")
	r.finish("/assets/associate", want(book, "changed"))
	r.finish("/users/retire", who("changed", ""))
	r.finish("/users/create", who("changed", ""))
	r.accept("changed", "new@school.example")
	a = r.get("/assignments?includeUserState=true&clientUserId=changed")
	if len(a.Assignments) != 1 || a.Assignments[0].UserStatus != "Retired" {
		t.Errorf("another account accepted, so the book stays with the old one: %s", a.raw)
	}
	r.sound()
}

func TestRetiringKeepsBooksAndFreesApps(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.users("u")
	r.finish("/assets/associate", want(book, "u"))
	r.finish("/assets/associate", want(app, "u"))
	r.finish("/users/retire", who("u", ""))
	if assigned, available := r.counts(book); assigned != 1 || available != 2 {
		t.Errorf("book: %d assigned, %d available", assigned, available)
	}
	if assigned, available := r.counts(app); assigned != 0 || available != 5 {
		t.Errorf("app: %d assigned, %d available", assigned, available)
	}
	if got := r.holders(book); got != "u" {
		t.Errorf("a retired user's book isn't listed: %q", got)
	}
	if a := r.get("/assignments?excludeInactiveUsers=true"); a.Size != 0 {
		t.Errorf("excludeInactiveUsers: %s", a.raw)
	}
	r.sound()
}

func TestUsersAreFiltered(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.users("a", "b")
	r.finish("/users/retire", who("a", ""))
	for query, want := range map[string]string{
		"": "a b", "?activeOnly=true": "b", "?retiredOnly=true": "a",
		"?clientUserId=b": "b",
	} {
		var ids []string
		for _, u := range r.get("/users" + query).Users {
			ids = append(ids, u.ClientUserID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%q lists %q, want %q", query, got, want)
		}
	}
}

func TestUnknownUsersCanBeRefusedAtOnce(t *testing.T) {
	r := build(t, applefake.Options{UnknownUser: applefake.UnknownUserSync}, spec())
	r.users("a")
	for path, body := range map[string]string{
		"/assets/associate": want(book, "a", "nobody"), "/assets/disassociate": want(app, "nobody"),
		"/assets/revoke": `{"clientUserIds":["nobody"]}`, "/users/retire": who("nobody", ""),
		"/users/update": who("nobody", ""),
	} {
		if a := r.post(path, body); a.ErrorNumber != 9609 || a.code != 400 || a.ErrorInfo.ClientUserIDs[0] != "nobody" {
			t.Errorf("%s: got %s", path, a.raw)
		}
	}
}
