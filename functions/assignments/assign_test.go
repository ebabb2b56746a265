package assignments_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/functions/assignments"
	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/directory"
)

const (
	plenty = "900000001" // 30 licenses
	scarce = "900000002" // 5 licenses
	free   = "900000005" // never ends
)

func TestARequiredAssignmentGivesAfterItsHoldAndNotBefore(t *testing.T) {
	r := newRig(t)
	class := r.Group(t, "7b", desk.Domain, "ana", "ben")
	r.Want(t, 204, r, "manager", "POST", r.book(plenty)+"/assign", list(groupTarget("required", class.ID)))
	if !slices.Equal(r.Queue.Woken, []string{r.Place.UID()}) {
		t.Errorf("woken %v", r.Queue.Woken)
	}
	for range 3 {
		r.Wake(t, r.Place.UID())
	}
	if n := len(r.Fake.Wire()); slices.Contains(r.endpoints(n), "associateAssets") {
		t.Fatal("licenses were spent during the hold")
	}
	r.Clock.Advance(hold)
	r.Work(t, r.Place.UID())
	if !slices.Contains(r.endpoints(len(r.Fake.Wire())), "associateAssets") {
		t.Error("nothing was given after the hold")
	}
	desk.Must(t, r.Fake.Invariants())
}

func (r rig) endpoints(n int) []string {
	var names []string
	for _, c := range r.Fake.Wire()[:n] {
		names = append(names, c.Endpoint)
	}
	return names
}

func TestAssignReplacesAllAndAnEmptyListRemovesAll(t *testing.T) {
	r := newRig(t)
	a, b := r.Group(t, "a", desk.Domain), r.Group(t, "b", desk.Domain)
	at := r.book(plenty)
	r.Want(t, 204, r, "manager", "POST", at+"/assign", list(groupTarget("required", a.ID)))
	first := r.Want(t, 200, r, "viewer", "GET", at+"/assignments", "").List()[0]
	r.Clock.Advance(time.Minute)
	r.Want(t, 204, r, "manager", "POST", at+"/assign", list(groupTarget("available", b.ID), groupTarget("required", a.ID)))
	again := r.Want(t, 200, r, "viewer", "GET", at+"/assignments?$filter=installIntent eq 'required'", "").List()
	if len(again) != 1 || again[0]["id"] != first["id"] || again[0]["x_holdUntil"] != first["x_holdUntil"] {
		t.Errorf("a repeated assignment has changed from %v to %v", first, again)
	}
	if n := r.Want(t, 200, r, "viewer", "GET", at+"/assignments/$count", ""); n.Raw != "2" {
		t.Errorf("count %s", n.Raw)
	}
	r.Send(t, r, "manager", "POST", at+"/assign", "{}").Refused(t, 400, "BadRequest", "an empty list removes")
	if got := r.assigned(t, at); len(got) != 2 {
		t.Errorf("a body without the list has removed something: %v", got)
	}
	r.Want(t, 204, r, "manager", "POST", at+"/assign", list())
	if got := r.assigned(t, at); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

func TestTargetsAreReadWithAndWithoutTheirHash(t *testing.T) {
	r := newRig(t)
	group := r.Group(t, "a", desk.Domain)
	for _, name := range []string{"#microsoft.graph.groupAssignmentTarget", "microsoft.graph.groupAssignmentTarget"} {
		r.Want(t, 204, r, "manager", "POST", r.book(plenty)+"/assign",
			list(`{"installIntent":"Required","target":{"@odata.type":"`+name+`","groupId":"`+strings.ToUpper(group.ID)+`"}}`))
		e := r.Want(t, 200, r, "viewer", "GET", r.book(plenty)+"/assignments", "").List()[0]
		target, _ := e["target"].(map[string]any)
		if target["@odata.type"] != "#microsoft.graph.groupAssignmentTarget" || target["groupId"] != group.ID {
			t.Errorf("%v", e)
		}
	}
}

// Each is refused whole: nothing of the request is kept, and what was assigned before stays.
func TestWhatBooksCantBeAssignedToIsRefusedWithTheFieldAtFault(t *testing.T) {
	const asked = "managedEBookAssignments[1]"
	const unknown = "00000000-0000-4000-8000-000000000000"
	typed := func(name string) string {
		return `{"installIntent":"required","target":{"@odata.type":"#microsoft.graph.` + name + `","groupId":"` + unknown + `"}}`
	}
	for name, test := range map[string]struct {
		assignment func(*testing.T, rig) string
		code       string
		target     string
		words      []string
	}{
		"to be uninstalled": {
			func(t *testing.T, r rig) string { return groupTarget("uninstall", r.Group(t, "g", desk.Domain).ID) },
			"IntentNotForBooks", ".installIntent",
			[]string{"uninstall", "for ever"},
		},
		"without enrollment": {
			func(t *testing.T, r rig) string {
				return groupTarget("availableWithoutEnrollment", r.Group(t, "g", desk.Domain).ID)
			},
			"IntentNotForBooks", ".installIntent",
			[]string{"availableWithoutEnrollment", "Use available"},
		},
		"with an intent that there isn't": {
			func(t *testing.T, r rig) string { return groupTarget("given", r.Group(t, "g", desk.Domain).ID) },
			"BadRequest", ".installIntent",
			[]string{"available or required"},
		},
		"without intent": {
			func(*testing.T, rig) string {
				return `{"target":{"@odata.type":"#microsoft.graph.groupAssignmentTarget","groupId":"x"}}`
			},
			"BadRequest", ".installIntent",
			[]string{"no installIntent"},
		},
		"to all devices": {
			func(*testing.T, rig) string { return typed("allDevicesAssignmentTarget") },
			"TargetNotForBooks", ".target.@odata.type",
			[]string{"devices", "people"},
		},
		"with an exclusion": {
			func(*testing.T, rig) string { return typed("exclusionGroupAssignmentTarget") },
			"TargetNotForBooks", ".target.@odata.type",
			[]string{"exclusions"},
		},
		"to a collection": {
			func(*testing.T, rig) string { return typed("configurationManagerCollectionAssignmentTarget") },
			"TargetNotForBooks", ".target.@odata.type",
			[]string{"Configuration Manager"},
		},
		"to a type that there isn't": {
			func(*testing.T, rig) string { return typed("somethingElse") },
			"TargetNotForBooks", ".target.@odata.type",
			[]string{"somethingElse"},
		},
		"to no type": {
			func(*testing.T, rig) string {
				return `{"installIntent":"required","target":{"groupId":"` + unknown + `"}}`
			},
			"TargetNotForBooks", ".target.@odata.type",
			[]string{"no type"},
		},
		"to nothing": {
			func(*testing.T, rig) string { return `{"installIntent":"required"}` },
			"TargetNotForBooks", ".target",
			[]string{"no target"},
		},
		"null": {func(*testing.T, rig) string { return `null` }, "BadRequest", "", []string{"null"}},
		"to no group": {
			func(*testing.T, rig) string { return groupTarget("required", "") }, "TargetNotForBooks",
			".target.groupId",
			[]string{"names no group"},
		},
		"to a group that there isn't": {
			func(*testing.T, rig) string { return groupTarget("required", unknown) },
			"UnknownGroup", ".target.groupId",
			[]string{unknown, "SCIM"},
		},
		"to a group that was deleted": {
			func(t *testing.T, r rig) string {
				group := r.Group(t, "g", desk.Domain)
				desk.Must(t, r.Directory.DeleteGroup(t.Context(), group.ID, ""))
				return groupTarget("required", group.ID)
			}, "UnknownGroup", ".target.groupId", nil,
		},
		"to a group of devices": {
			func(t *testing.T, r rig) string {
				group, err := r.Directory.CreateGroup(t.Context(), directory.Group{
					DisplayName: "iPads",
					Kind:        directory.Devices,
				}, directory.Membership{})
				desk.Must(t, err)
				return groupTarget("required", group.ID)
			}, "DeviceGroup", ".target.groupId", []string{"iPads", "people"},
		},
		"to a group with a device in it": {
			func(t *testing.T, r rig) string {
				var members directory.Membership
				members.Add(directory.Member{ID: "ipad-1", Type: "Device"})
				group, err := r.Directory.CreateGroup(t.Context(), directory.Group{DisplayName: "Mixed"}, members)
				desk.Must(t, err)
				return groupTarget("available", group.ID)
			}, "DeviceGroup", ".target.groupId", []string{"Mixed"},
		},
		"to all users and to a group": {
			func(*testing.T, rig) string {
				return strings.Replace(groupTarget("required", "x"), "groupAssignmentTarget", "allLicensedUsersAssignmentTarget", 1)
			}, "TargetNotForBooks", ".target.groupId", []string{"everybody", "Leave the groupId out"},
		},
		"to the same group twice": {
			func(t *testing.T, r rig) string { return groupTarget("available", r.assigned(t, r.book(plenty))[0]) },
			"DuplicateGroup", ".target.groupId",
			[]string{"twice", "managedEBookAssignments[0]"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			before := r.Group(t, "before", desk.Domain)
			at := r.book(plenty)
			r.Want(t, 204, r, "manager", "POST", at+"/assign", list(groupTarget("required", before.ID)))
			body := list(groupTarget("required", before.ID), test.assignment(t, r))
			for _, action := range []string{"/assign", "/bookplate.plan"} {
				a := r.Send(t, r, "manager", "POST", at+action, body)
				a.Refused(t, 400, test.code, test.words...)
				if a.Target() != asked+test.target {
					t.Errorf("target %q", a.Target())
				}
			}
			if got := r.assigned(t, at); !slices.Equal(got, []string{before.ID}) {
				t.Errorf("assigned is now %v", got)
			}
		})
	}
}

func TestMoreGroupsThanABookTakesAreRefused(t *testing.T) {
	r := newRig(t)
	many := make([]string, 201)
	for i := range many {
		many[i] = groupTarget("required", "x")
	}
	r.Send(t, r, "manager", "POST", r.book(plenty)+"/assign", list(many...)).
		Refused(t, 400, "TooManyAssignments", "200", "201")
	r.Send(t, r, "manager", "POST", r.book(plenty)+"/assign", list(`"`+strings.Repeat("x", 1<<20)+`"`)).
		Refused(t, 413, "RequestEntityTooLarge")
	r.Send(t, r, "manager", "POST", r.book(plenty)+"/assign", "x", "Content-Type", "text/plain").
		Refused(t, 415, "UnsupportedMediaType", "JSON")
}

func TestOneAssignmentIsAddedFoundAndRemoved(t *testing.T) {
	r := newRig(t)
	a, b := r.Group(t, "a", desk.Domain), r.Group(t, "b", desk.Domain)
	at := r.book(plenty)
	first := r.Want(t, 201, r, "manager", "POST", at+"/assignments", groupTarget("required", a.ID))
	id, _ := first.Body["id"].(string)
	r.Want(t, 201, r, "manager", "POST", at+"/assignments", groupTarget("available", b.ID))
	again := r.Want(t, 201, r, "manager", "POST", at+"/assignments", groupTarget("required", a.ID))
	if again.Body["id"] != id {
		t.Errorf("the repeated request has made another: %s", again.Raw)
	}
	if !strings.HasSuffix(first.Header.Get("Location"), at+"/assignments/"+id) {
		t.Errorf("Location %q", first.Header.Get("Location"))
	}
	refused := r.Send(t, r, "manager", "POST", at+"/assignments", groupTarget("available", a.ID))
	refused.Refused(t, 409, "DuplicateGroup", id)
	if refused.Target() != "target.groupId" {
		t.Errorf("target %q", refused.Target())
	}
	unknown := r.Send(t, r, "manager", "POST", at+"/assignments", groupTarget("available", "x"))
	unknown.Refused(t, 400, "UnknownGroup")
	if unknown.Target() != "target.groupId" {
		t.Errorf("target %q", unknown.Target())
	}
	if e := r.Want(t, 200, r, "viewer", "GET", at+"/assignments/"+id, ""); e.Body["installIntent"] != "required" ||
		e.Body["x_requester"] != "manager@school.example" {
		t.Error(e.Raw)
	}
	// A group that has gone meanwhile keeps nobody from removing the other's assignment.
	desk.Must(t, r.Directory.DeleteGroup(t.Context(), b.ID, ""))
	r.Want(t, 204, r, "manager", "DELETE", at+"/assignments/"+id, "")
	if got := r.assigned(t, at); !slices.Equal(got, []string{b.ID}) {
		t.Errorf("left: %v", got)
	}
	r.Send(t, r, "manager", "DELETE", at+"/assignments/"+id, "").Refused(t, 404, "ResourceNotFound", id)
	r.Send(t, r, "viewer", "GET", at+"/assignments/"+id, "").Refused(t, 404, "ResourceNotFound")
}

func TestUnknownBooksAndThoseWithoutATokenAreToldSo(t *testing.T) {
	r := newRig(t)
	group := r.Group(t, "a", desk.Domain)
	r.Send(t, r, "manager", "POST", "/v1.0/deviceAppManagement/managedEBooks/no-book/assign", list()).
		Refused(t, 404, "ResourceNotFound", "no-book")
	r.Want(t, 204, r, "manager", "POST", r.book(plenty)+"/assign", list(groupTarget("required", group.ID)))
	r.Want(t, 204, r.tokens, "administrator", "DELETE", "/v1.0/deviceAppManagement/vppTokens/"+r.token, "")
	for _, action := range []string{"/assign", "/bookplate.plan"} {
		r.Send(t, r, "manager", "POST", r.book(plenty)+action, list()).Refused(t, 404, "TokenDeleted", "Upload a token")
	}
	if got := r.assigned(t, r.book(plenty)); len(got) != 1 {
		t.Errorf("what was assigned doesn't show any more: %v", got)
	}
}

func TestRolesKeepTheirPlaces(t *testing.T) {
	r := newRig(t)
	for _, action := range []string{"/assign", "/assignments"} {
		r.Send(t, r, "viewer", "POST", r.book(plenty)+action, list()).Refused(t, 403, "Forbidden")
	}
	r.Send(t, r, "viewer", "DELETE", r.book(plenty)+"/assignments/x", "").Refused(t, 403, "Forbidden")
	r.Want(t, 200, r, "viewer", "POST", r.book(plenty)+"/bookplate.plan", list())
	r.Want(t, 200, r, "viewer", "GET", strings.Replace(r.book(plenty), "managedEBooks", "managedebooks", 1)+"/Assignments", "")
}

func TestRoutesAreTheMuxPatterns(t *testing.T) {
	if routes := assignments.Routes(); len(routes) != 28 ||
		!slices.Contains(routes, "POST /v1.0/deviceAppManagement/managedEBooks/{id}/assign") {
		t.Errorf("%q", routes)
	}
}
