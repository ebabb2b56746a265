package directory_test

import (
	"fmt"
	"reflect"
	"testing"
)

// entraUser is what Entra creates a user with, by its default mappings and ours; addresses and phone numbers come
// along whether anybody wants them or not.
const entraUser = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User",
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
	"urn:ietf:params:scim:schemas:extension:bookplate:2.0:User"],
	"externalId":"0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef","userName":"Test_User@School.example","active":true,
	"addresses":[{"primary":false,"type":"work","country":"DE","formatted":"Somewhere 1"}],
	"displayName":"Test User","emails":[{"primary":true,"type":"work","value":"test_user@mail.example"}],
	"meta":{"resourceType":"User"},"name":{"formatted":"Test User","familyName":"User","givenName":"Test"},
	"phoneNumbers":[{"primary":null,"type":"work","value":"425-555-0100"}],"preferredLanguage":null,"roles":[],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"4711","manager":"boss-id"},
	"urn:ietf:params:scim:schemas:extension:bookplate:2.0:User":{"managedAppleAccount":"test@appleid.school.example"}}`

func TestEntraCreatesAndReadsBackWhatItWrote(t *testing.T) {
	s := newServer(t)
	s.want(t, 200, "GET", `/Users?filter=userName eq "8be3d4a2-random-guid"`, "").same(t, map[string]any{
		"totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": "[]",
	})
	want := map[string]any{
		"externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef", "userName": "Test_User@School.example", "active": true,
		"displayName": "Test User", "name/givenName": "Test", "name/familyName": "User", "name/formatted": "Test User",
		"emails/0/value": "test_user@mail.example", "emails/0/type": "work", "emails/0/primary": true,
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/employeeNumber":     "4711",
		"urn:ietf:params:scim:schemas:extension:bookplate:2.0:User/managedAppleAccount": "test@appleid.school.example",
		"meta/resourceType": "User",
	}
	created := s.want(t, 201, "POST", "/Users?aadOptscim062020", entraUser)
	created.same(t, want)
	location := "https://books.school.example/scim/v2/Users/" + created.id()
	created.same(t, map[string]any{"meta/location": location})
	if got := created.header.Get("Location"); got != location {
		t.Errorf("Location is %q", got)
	}
	s.want(t, 200, "GET", "/Users/"+created.id(), "").same(t, want)
	for _, filter := range []string{
		`userName eq "TEST_USER@school.example"`, `USERNAME EQ "test_user@school.example"`,
		`externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"`, `emails[type eq "work"].value eq "Test_User@mail.example"`,
		`emails[type eq "work" and value eq "test_user@mail.example"]`, `emails.value eq "test_user@mail.example"`,
		`id eq "` + created.id() + `"`,
		`urn:ietf:params:scim:schemas:core:2.0:User:userName eq "test_user@school.example"`,
		`externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef" and userName eq "test_user@school.example"`,
	} {
		s.want(t, 200, "GET", "/Users?filter="+filter, "").same(t, map[string]any{
			"totalResults": 1, "itemsPerPage": 1, "Resources/0/id": created.id(),
		})
	}
	for _, filter := range []string{
		`emails[type eq "home"].value eq "test_user@mail.example"`, `externalId eq "0A21F0F2-8d2a-4f8e-bf98-7363c4aed4ef"`,
		`userName eq "test_user@school.example" and externalId eq "other"`, `id eq "nobody"`,
	} {
		s.want(t, 200, "GET", "/Users?filter="+filter, "").same(t, map[string]any{"totalResults": 0})
	}
	duplicate := s.want(t, 409, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],
		"userName":"TEST_USER@SCHOOL.EXAMPLE","externalId":"another"}`)
	duplicate.same(t, map[string]any{"scimType": "uniqueness"})
}

// Both columns of Entra's PATCH shapes: without and with its compliance flag.
func TestEntraPatchesAUserInBothOfItsDialects(t *testing.T) {
	enterprise := "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	ours := "urn:ietf:params:scim:schemas:extension:bookplate:2.0:User"
	for name, c := range map[string]struct {
		ops  string
		want map[string]any
	}{
		"disable, text":          {`{"op":"Replace","path":"active","value":"False"}`, map[string]any{"active": false}},
		"disable, boolean":       {`{"op":"replace","path":"active","value":false}`, map[string]any{"active": false}},
		"disable, pathless text": {`{"op":"Replace","value":{"active":"False"}}`, map[string]any{"active": false}},
		"one operation an attribute": {
			`{"op":"Replace","path":"displayName","value":"New"},{"op":"Add","path":"name.givenName","value":"G"},
			 {"op":"Replace","path":"` + enterprise + `:employeeNumber","value":"9"}`,
			map[string]any{
				"displayName": "New", "name/givenName": "G", "name/familyName": "User", enterprise + "/employeeNumber": "9",
			},
		},
		"one pathless operation with dotted and URN keys": {
			`{"op":"replace","value":{"displayName":"New","name.givenName":"G","` + enterprise + `:employeeNumber":"9",
			 "` + ours + `:managedAppleAccount":"n@a.example","emails[type eq \"work\"].value":"n@mail.example"}}`,
			map[string]any{
				"displayName": "New", "name/givenName": "G", "name/familyName": "User", enterprise + "/employeeNumber": "9",
				ours + "/managedAppleAccount": "n@a.example", "emails/0/value": "n@mail.example", "emails/1": nil,
			},
		},
		"pathless with nested objects": {
			`{"op":"replace","value":{"name":{"familyName":"F"},"` + enterprise + `":{"employeeNumber":"9"}}}`,
			map[string]any{"name/familyName": "F", "name/givenName": "Test", enterprise + "/employeeNumber": "9"},
		},
		"an extension as the path": {
			`{"op":"replace","path":"` + enterprise + `","value":{"schemas":["x"],"employeeNumber":"9","costCenter":"c"}},
			 {"op":"remove","path":"` + ours + `"}`,
			map[string]any{enterprise + "/employeeNumber": "9", ours: nil},
		},
		"typed part of an address": {
			`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"n@mail.example"}`,
			map[string]any{"emails/0/value": "n@mail.example", "emails/0/type": "work", "emails/0/primary": true},
		},
		"typed part of an address that isn't there": {
			`{"op":"Add","path":"emails[type eq \"home\"].value","value":"h@mail.example"}`,
			map[string]any{"emails/0/type": "work", "emails/1/value": "h@mail.example", "emails/1/type": "home"},
		},
		"primary as text": {
			`{"op":"Replace","path":"emails[type eq \"work\"].primary","value":"False"}`,
			map[string]any{"emails/0/primary": false, "emails/0/type": "work"},
		},
		"value in an array of one": {
			`{"op":"Replace","path":"displayName","value":[{"$ref":null,"value":"New"}]}`, map[string]any{"displayName": "New"},
		},
		"null means none": {
			`{"op":"Replace","path":"displayName","value":null},{"op":"replace","value":{"name":{"givenName":null},"` +
				enterprise + `:employeeNumber":null}}`,
			map[string]any{"displayName": nil, "name/givenName": nil, "name/familyName": "User", enterprise: nil},
		},
		"empty means none": {
			`{"op":"Replace","path":"displayName","value":""},{"op":"Replace","path":"externalId","value":""}`,
			map[string]any{"displayName": nil, "externalId": nil},
		},
		"remove": {
			`{"op":"Remove","path":"name"},{"op":"Remove","path":"emails[type eq \"work\"]"}`,
			map[string]any{"name": nil, "emails": nil},
		},
		"what isn't kept is dropped": {
			`{"op":"Add","path":"addresses[type eq \"work\"].locality","value":"Berlin"},{"op":"Add","path":"` + enterprise +
				`:manager","value":"boss"},{"op":"Add","path":"` + enterprise +
				`:manager","value":[{"$ref":"x","value":"boss"}]},{"op":"Add","path":"phoneNumbers","value":null}`,
			map[string]any{"addresses": nil, "displayName": "Test User"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			id := s.want(t, 201, "POST", "/Users", entraUser).id()
			for range 2 { // repeated after a time-out: the same
				s.want(t, 200, "PATCH", "/Users/"+id, patchOp(c.ops)).same(t, c.want)
				s.want(t, 200, "GET", "/Users/"+id, "").same(t, c.want)
			}
		})
	}
}

func TestEntraDisablesRestoresAndAtLastDeletesAUserWhoKeepsTheirMemberships(t *testing.T) {
	s := newServer(t)
	id := s.want(t, 201, "POST", "/Users", entraUser).id()
	group := s.newGroup(t, "Class 5", id)
	s.want(t, 200, "PATCH", "/Users/"+id, patchOp(`{"op":"Replace","path":"active","value":"False"}`))
	s.want(t, 200, "GET", "/Users/"+id, "").same(t, map[string]any{"active": false})
	if !s.memberIDs(t, group)[id] {
		t.Error("disabling took the membership")
	}
	s.want(t, 200, "PATCH", "/Users/"+id, patchOp(`{"op":"Replace","path":"active","value":"True"}`)).same(t,
		map[string]any{"active": true})

	s.want(t, 204, "DELETE", "/Users/"+id, "")
	s.want(t, 404, "DELETE", "/Users/"+id, "")
	s.want(t, 404, "GET", "/Users/"+id, "")
	s.want(t, 404, "PATCH", "/Users/"+id, patchOp(`{"op":"Replace","path":"active","value":"True"}`))
	s.want(t, 200, "GET", `/Users?filter=userName eq "test_user@school.example"`, "").same(t, map[string]any{"totalResults": 0})
	if len(s.memberIDs(t, group)) != 0 {
		t.Error("deletion left the membership")
	}
	if again := s.want(t, 201, "POST", "/Users", entraUser); again.id() != id {
		t.Error("the returning user isn't the same person")
	}
}

func TestEntraRenamesAUser(t *testing.T) {
	s := newServer(t)
	id := s.want(t, 201, "POST", "/Users", entraUser).id()
	s.newUser(t, "taken@school.example")
	s.want(t, 409, "PATCH", "/Users/"+id, patchOp(`{"op":"Replace","path":"userName","value":"TAKEN@school.example"}`))
	s.want(t, 200, "PATCH", "/Users/"+id, patchOp(`{"op":"Replace","path":"userName","value":"married@school.example"}`))
	s.want(t, 200, "GET", `/Users?filter=userName eq "married@school.example"`, "").same(t,
		map[string]any{"totalResults": 1, "Resources/0/id": id})
	s.newUser(t, "test_user@school.example")
}

func TestEntraMovesMembersInBothOfItsDialects(t *testing.T) {
	s := newServer(t)
	a, b := s.newUser(t, "a"), s.newUser(t, "b")
	group := s.want(t, 201, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group",
		"http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
		"externalId":"8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159","displayName":"Class 5","meta":{"resourceType":"Group"}}`).id()
	for _, step := range []struct {
		ops  string
		want []string
	}{
		{`{"op":"Add","path":"members","value":[{"$ref":null,"value":"A"},{"$ref":null,"value":"B"}]}`, []string{a, b}},
		{`{"op":"Add","path":"members","value":[{"$ref":null,"value":"A"}]}`, []string{a, b}},
		{`{"op":"Remove","path":"members","value":[{"$ref":null,"value":"A"}]}`, []string{b}},
		{`{"op":"Remove","path":"members","value":[]}`, []string{b}},
		{`{"op":"add","path":"members","value":null}`, []string{b}},
		{`{"op":"add","path":"members","value":[{"value":"A"}]}`, []string{a, b}},
		{`{"op":"remove","path":"members[value eq \"B\"]"}`, []string{a}},
		{`{"op":"Remove","path":"members","value":[{"value":"A"}]},{"op":"Add","path":"members","value":[{"value":"A"}]}`, []string{a}},
		{`{"op":"Add","path":"members","value":[{"value":"unknown-yet"},{"value":"B"}]}`, []string{a, b, "unknown-yet"}},
		{`{"op":"Remove","path":"members","value":[{"value":"never-seen"},{"value":"unknown-yet"}]}`, []string{a, b}},
		{`{"op":"Remove","path":"members"}`, nil},
	} {
		want := map[string]bool{}
		for _, id := range step.want {
			want[id] = true
		}
		ops := replaceIDs(step.ops, map[string]string{"A": a, "B": b})
		if got := s.want(t, 204, "PATCH", "/Groups/"+group, patchOp(ops)); got.raw != "" {
			t.Errorf("204 with a body: %s", got.raw)
		}
		if got := s.memberIDs(t, group); !reflect.DeepEqual(got, want) {
			t.Errorf("after %s: %v, want %v", ops, got, want)
		}
	}
}

func TestEntraMatchesProbesAndRefreshesAGroup(t *testing.T) {
	s := newServer(t)
	user := s.newUser(t, "a")
	group, twin := s.newGroup(t, "Class 5", user), s.newGroup(t, "Class 5")
	found := s.want(t, 200, "GET", `/Groups?excludedAttributes=members&filter=displayName eq "CLASS 5"`, "")
	found.same(t, map[string]any{"totalResults": 2, "Resources/0/members": nil, "Resources/1/members": nil})
	s.want(t, 200, "GET", "/Groups/"+group+"?excludedAttributes=members", "").same(t, map[string]any{
		"displayName": "Class 5", "members": nil,
	})
	for probe, total := range map[string]int{
		fmt.Sprintf(`id eq %q and members eq %q`, group, user):        1,
		fmt.Sprintf(`id eq %q and members[value eq %q]`, group, user): 1,
		fmt.Sprintf(`id eq %q and members eq %q`, twin, user):         0,
		fmt.Sprintf(`id eq %q and members eq "nobody"`, group):        0,
		fmt.Sprintf(`members[value eq %q]`, user):                     1,
		fmt.Sprintf(`members.value eq %q and id eq %q`, user, group):  1,
		`id eq "nothing"`: 0,
		`displayName eq "class 5" and id eq "` + twin + `"`: 1,
	} {
		a := s.want(t, 200, "GET", "/Groups?attributes=id&filter="+probe, "")
		a.same(t, map[string]any{"totalResults": total, "Resources/0/displayName": nil, "Resources/0/meta": nil})
	}
	s.want(t, 204, "PATCH", "/Groups/"+group, patchOp(`{"op":"Replace","path":"displayName","value":"Class 6"}`))
	s.want(t, 200, "GET", `/Groups?filter=displayName eq "class 6"`, "").same(t, map[string]any{
		"totalResults": 1, "Resources/0/members/0/value": user,
	})
	s.want(t, 204, "DELETE", "/Groups/"+group, "")
	s.want(t, 404, "DELETE", "/Groups/"+group, "")
	s.want(t, 404, "PATCH", "/Groups/"+group, patchOp(`{"op":"Add","path":"members","value":[{"value":"x"}]}`))
	s.want(t, 200, "GET", `/Groups?filter=displayName eq "class 6"`, "").same(t, map[string]any{"totalResults": 0})
}
