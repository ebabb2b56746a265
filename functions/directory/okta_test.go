package directory_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const oktaUser = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"runscope@school.example",
	"name":{"givenName":"Run","familyName":"Scope"},"emails":[{"primary":true,"value":"runscope@mail.example","type":"work"}],
	"displayName":"Run Scope","locale":"en-US","externalId":"00ujl29u0le5T6Aj10h7","groups":[],
	"password":"a-made-up-password","active":true}`

func TestOktasSpecTest(t *testing.T) {
	s := newServer(t)
	s.newUser(t, "seed@school.example")
	s.want(t, 200, "GET", "/Users?count=1&startIndex=1", "").same(t, map[string]any{
		"totalResults": 1, "itemsPerPage": 1, "startIndex": 1, "Resources/0/active": true,
	})
	s.want(t, 404, "GET", "/Users/unknown", "")
	s.want(t, 200, "GET", `/Users?filter=userName eq "nobody@school.example"&startIndex=1&count=100`, "").same(t,
		map[string]any{"totalResults": 0})
	echo := map[string]any{
		"name/givenName": "Run", "name/familyName": "Scope", "emails/0/value": "runscope@mail.example", "active": true,
		"userName": "runscope@school.example", "password": nil, "groups": nil,
	}
	created := s.want(t, 201, "POST", "/Users", oktaUser, "Content-Type", "application/json")
	created.same(t, echo)
	s.want(t, 200, "GET", "/Users/"+created.id(), "").same(t, echo)
	s.want(t, 409, "POST", "/Users", oktaUser)
	s.want(t, 200, "GET", `/Users?filter=userName eq "RUNSCOPE@SCHOOL.EXAMPLE"`, "").same(t, map[string]any{"totalResults": 1})
	s.want(t, 401, "GET", "/Users", "", "Authorization", "Bearer wrong").same(t, map[string]any{"status": "401"})
	s.want(t, 200, "GET", "/Groups?startIndex=1&count=100", "").same(t, map[string]any{"totalResults": 0})
	if strings.Contains(string(s.table.Dump())+s.log.String(), "a-made-up-password") {
		t.Error("the password was kept")
	}
}

// A custom application made in Okta's wizard uses PUT for everything.
func TestOktasCustomApplicationReplacesUsersAndGroups(t *testing.T) {
	s := newServer(t)
	id := s.want(t, 201, "POST", "/Users", oktaUser).id()
	put := strings.NewReplacer(`"active":true`, `"active":false,"id":"`+id+`","meta":{"version":"x"}`,
		`"displayName":"Run Scope",`, "").Replace(oktaUser)
	gone := map[string]any{"active": false, "displayName": nil, "id": id, "userName": "runscope@school.example"}
	s.want(t, 200, "PUT", "/Users/"+id, put).same(t, gone)
	s.want(t, 200, "GET", "/Users/"+id, "").same(t, gone)
	s.want(t, 200, "PUT", "/Users/"+id, strings.ReplaceAll(oktaUser, `,"active":true`, "")).same(t, map[string]any{
		"active": false, "displayName": "Run Scope", // who doesn't say active doesn't enable
	})
	s.want(t, 404, "PUT", "/Users/unknown", oktaUser)

	other := s.newUser(t, "other")
	group := s.newGroup(t, "Class 5", id)
	replace := func(status int, name, members string) {
		t.Helper()
		s.want(t, status, "PUT", "/Groups/"+group, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],
			"id":"`+group+`","displayName":"`+name+`"`+members+`}`)
	}
	check := func(want ...string) {
		t.Helper()
		set := map[string]bool{}
		for _, id := range want {
			set[id] = true
		}
		if got := s.memberIDs(t, group); !reflect.DeepEqual(got, set) {
			t.Errorf("members %v, want %v", got, set)
		}
	}
	replace(200, "Class 6", fmt.Sprintf(`,"members":[{"value":%q,"display":"x"},{"value":"later"}]`, other))
	check(other, "later")
	replace(200, "Class 7", "")
	check(other, "later") // no list: left alone
	replace(200, "Class 7", `,"members":[]`)
	check()
	s.want(t, 200, "GET", "/Groups/"+group, "").same(t, map[string]any{"displayName": "Class 7"})
	replace(400, "", `,"members":[]`)
}

func TestOktasCatalogApplicationPatches(t *testing.T) {
	s := newServer(t)
	id := s.want(t, 201, "POST", "/Users", oktaUser).id()
	s.want(t, 200, "PATCH", "/Users/"+id, patchOp(`{"op":"replace","value":{"active":false}}`)).same(t,
		map[string]any{"active": false})
	other := s.newUser(t, "other")
	group := s.want(t, 201, "POST", "/Groups",
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Class 5","members":[]}`).id()
	ops := replaceIDs(`{"op":"replace","value":{"id":"G","displayName":"Class 6"}},
		{"op":"add","path":"members","value":[{"value":"A","display":"a@school.example"},{"value":"B"}]},
		{"op":"remove","path":"members[value eq \"A\"]"}`, map[string]string{"G": group, "A": id, "B": other})
	s.want(t, 204, "PATCH", "/Groups/"+group, patchOp(ops))
	if got := s.memberIDs(t, group); len(got) != 1 || !got[other] {
		t.Errorf("members %v", got)
	}
	s.want(t, 200, "GET", "/Groups/"+group, "").same(t, map[string]any{"displayName": "Class 6"})
	ops = replaceIDs(`{"op":"replace","path":"members","value":[{"value":"A"}]}`, map[string]string{"A": id})
	s.want(t, 204, "PATCH", "/Groups/"+group, patchOp(ops))
	ops = replaceIDs(`{"op":"remove","path":"members[value eq \"B\" or value eq \"A\"]"}`, map[string]string{"A": id, "B": other})
	s.want(t, 204, "PATCH", "/Groups/"+group, patchOp(ops))
	if got := s.memberIDs(t, group); len(got) != 0 {
		t.Errorf("members %v", got)
	}
}

func TestOktaImportsByPagesThatHoldEverybodyOnce(t *testing.T) {
	s := newServer(t)
	want := map[string]bool{}
	for i := range 23 {
		want[s.newUser(t, fmt.Sprintf("user-%d", i))] = true
	}
	deleted := s.newUser(t, "gone")
	s.want(t, 204, "DELETE", "/Users/"+deleted, "")
	got := map[string]bool{}
	for start := 1; start <= 25; start += 5 {
		a := s.want(t, 200, "GET", fmt.Sprintf("/Users?startIndex=%d&count=5", start), "")
		list, _ := a.body["Resources"].([]any)
		a.same(t, map[string]any{"totalResults": 23, "startIndex": start, "itemsPerPage": min(5, 24-start)})
		if len(list) != min(5, 24-start) {
			t.Errorf("from %d: %d users", start, len(list))
		}
		for _, u := range list {
			got[textIn(u, "id")] = true
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %d different users of %d", len(got), len(want))
	}
	for query, want := range map[string]map[string]any{
		"count=0":                             {"totalResults": 23, "itemsPerPage": 0, "Resources": "[]"},
		"count=-1":                            {"totalResults": 23, "itemsPerPage": 0},
		"startIndex=0&count=1":                {"startIndex": 1, "itemsPerPage": 1},
		"startIndex=99":                       {"totalResults": 23, "itemsPerPage": 0, "startIndex": 99},
		"count=1000000":                       {"totalResults": 23, "itemsPerPage": 23},
		`count=1&filter=userName eq "user-1"`: {"totalResults": 1, "itemsPerPage": 1},
		`startIndex=2&filter=userName eq "user-1"`: {"totalResults": 1, "itemsPerPage": 0},
	} {
		s.want(t, 200, "GET", "/Users?"+query, "").same(t, want)
	}
	s.want(t, 400, "GET", "/Users?count=many", "")
}
