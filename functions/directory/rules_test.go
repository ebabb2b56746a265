package directory_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	scim "github.com/bookplate/bookplate/functions/directory"
	"github.com/bookplate/bookplate/shared/table/mem"
)

func TestDiscoveryShowsWhatIsKeptAndNothingElse(t *testing.T) {
	s := newServer(t)
	config := s.want(t, 200, "GET", "/ServiceProviderConfig", "")
	config.same(t, map[string]any{
		"patch/supported": true, "filter/supported": true, "filter/maxResults": 200, "bulk/supported": false,
		"sort/supported": false, "authenticationSchemes/0/type": "oauthbearertoken",
	})
	s.want(t, 200, "GET", "/ResourceTypes", "").same(t, map[string]any{
		"totalResults": 2, "Resources/0/name": "User", "Resources/1/endpoint": "/Groups",
	})
	s.want(t, 200, "GET", "/ResourceTypes/Group", "").same(t, map[string]any{"name": "Group"})
	s.want(t, 404, "GET", "/ResourceTypes/Device", "")
	schemas := s.want(t, 200, "GET", "/Schemas", "")
	for urn, attributes := range map[string][]string{
		"urn:ietf:params:scim:schemas:core:2.0:User":                 {"userName", "displayName", "active", "emails", "name"},
		"urn:ietf:params:scim:schemas:core:2.0:Group":                {"displayName", "members"},
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber"},
		"urn:ietf:params:scim:schemas:extension:bookplate:2.0:User":  {"managedAppleAccount"},
		"urn:ietf:params:scim:schemas:extension:bookplate:2.0:Group": {"kind"},
	} {
		if !strings.Contains(schemas.raw, `"`+urn+`"`) {
			t.Errorf("%s isn't listed", urn)
		}
		var names []string
		defined, _ := s.want(t, 200, "GET", "/Schemas/"+urn, "").body["attributes"].([]any)
		for _, a := range defined {
			names = append(names, textIn(a, "name"))
		}
		if !slices.Equal(names, attributes) {
			t.Errorf("%s has %v, want %v", urn, names, attributes)
		}
	}
	if strings.Contains(schemas.raw, "null") {
		t.Error("a property is null")
	}
	s.want(t, 404, "GET", "/Schemas/urn:nothing", "")
}

func TestErrorsHaveTheirStatusAndKeyword(t *testing.T) {
	s := newServer(t)
	user, group := s.newUser(t, "a"), s.newGroup(t, "G")
	long, ourGroup := strings.Repeat("x", 2000), "urn:ietf:params:scim:schemas:extension:bookplate:2.0:Group"
	for _, c := range []struct {
		status                       int
		method, path, body, scimType string
	}{
		{400, "GET", `/Users?filter=title co "x"`, "", "invalidFilter"},
		{400, "GET", `/Users?filter=userName co "x"`, "", "invalidFilter"},
		{400, "GET", `/Users?filter=userName eq "x" or userName eq "y"`, "", "invalidFilter"},
		{400, "GET", `/Users?filter=not (userName eq "x")`, "", "invalidFilter"},
		{400, "GET", `/Users?filter=userName pr`, "", "invalidFilter"},
		{400, "GET", `/Users?filter=userName eq 7`, "", "invalidFilter"},
		{400, "GET", `/Users?filter=userName`, "", "invalidFilter"},
		{400, "GET", `/Groups?filter=userName eq "x"`, "", "invalidFilter"},
		{400, "POST", "/Users", `{"userName":""}`, "invalidValue"},
		{400, "POST", "/Users", `{"displayName":"x"}`, "invalidValue"},
		{400, "POST", "/Users", `{"userName":"a\u0000b"}`, "invalidValue"},
		{400, "POST", "/Users", `{"userName":"` + long + `"}`, "invalidValue"},
		{400, "POST", "/Users", `{"userName":"x","active":"perhaps"}`, "invalidValue"},
		{400, "POST", "/Users", `[]`, "invalidSyntax"},
		{400, "POST", "/Users", `{"userName":"x"`, "invalidSyntax"},
		{400, "POST", "/Users", `{"userName":"x"} {}`, "invalidSyntax"},
		{400, "POST", "/Users", ``, "invalidSyntax"},
		{400, "POST", "/Groups", `{"displayName":"x","members":[{"value":"` + long + `"}]}`, "invalidValue"},
		{400, "POST", "/Groups", `{"displayName":"x","members":[{}]}`, "invalidValue"},
		{400, "POST", "/Groups", `{"displayName":"x","` + ourGroup + `":{"kind":"cars"}}`, "invalidValue"},
		{400, "PATCH", "/Users/" + user, patchOp(`{"op":"remove","path":"userName"}`), "invalidValue"},
		{400, "PATCH", "/Users/" + user, patchOp(`{"op":"replace","path":"shoeSize","value":"9"}`), "invalidPath"},
		{400, "PATCH", "/Users/" + user, patchOp(`{"op":"replace","path":"emails[","value":"9"}`), "invalidPath"},
		{400, "PATCH", "/Users/" + user, patchOp(`{"op":"jump","path":"active","value":true}`), "invalidValue"},
		{400, "PATCH", "/Users/" + user, patchOp(`{"op":"remove"}`), "noTarget"},
		{400, "PATCH", "/Users/" + user, patchOp(``), "invalidSyntax"},
		{400, "PATCH", "/Groups/" + group, patchOp(`{"op":"add","path":"members[value eq \"x\"].type","value":"y"}`), "mutability"},
		{400, "PATCH", "/Groups/" + group, patchOp(`{"op":"remove","path":"displayName"}`), "invalidValue"},
		{404, "PATCH", "/Groups/nothing", patchOp(`{"op":"remove","path":"members"}`), ""},
		{404, "GET", "/Users/" + long, "", ""},
		{404, "GET", "/Users/%00", "", ""},
		{404, "GET", "/Nothing", "", ""},
		{405, "POST", "/Users/" + user, "{}", ""},
		{405, "DELETE", "/Schemas", "", ""},
		{501, "POST", "/Bulk", "{}", ""},
		{501, "GET", "/Me", "", ""},
		{501, "POST", "/Users/.search", "{}", ""},
		{413, "PUT", "/Groups/" + group, `{"displayName":"` + strings.Repeat("x", scim.MaxBody) + `"}`, ""},
	} {
		a := s.send(t, c.method, c.path, c.body)
		if got, _ := a.body["scimType"].(string); a.status != c.status || got != c.scimType {
			t.Errorf("%s %.60s %.80s: %d %q, want %d %q: %.200s", c.method, c.path, c.body, a.status, got, c.status,
				c.scimType, a.raw)
		}
	}
}

func TestOurOwnTroubleIsLoggedAndNotShown(t *testing.T) {
	s := newServer(t)
	s.table.SetFaults(mem.Faults{Before: func(mem.Call) error { return errors.New("the table's own words") }})
	a := s.want(t, 500, "GET", "/Users/8f14e45f", "")
	if strings.Contains(a.raw, "own words") || !strings.Contains(s.log.String(), "own words") {
		t.Errorf("answer %s, log %s", a.raw, s.log)
	}
	s.table.SetFaults(mem.Faults{Before: func(mem.Call) error { panic("a made-up panic") }})
	a = s.want(t, 500, "GET", "/Users/8f14e45f", "")
	if strings.Contains(a.raw, "made-up") || !strings.Contains(s.log.String(), "a made-up panic") {
		t.Errorf("answer %s, log %s", a.raw, s.log)
	}
	if strings.Contains(s.log.String(), madeUpToken) {
		t.Error("the token is in the log")
	}
}

func TestACallerWhomNobodyCouldCheckIsNotCalledWrong(t *testing.T) {
	s := newServer(t)
	h, err := scim.New(scim.Config{
		Directory: s.Directory, Clock: s.virtual, Log: slog.New(slog.DiscardHandler),
		Verify: func(*http.Request) error { return errors.New("the keys can't be read") },
	})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/scim/v2/Users", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "keys") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestIfMatchIsHonored(t *testing.T) {
	s := newServer(t)
	user := s.newUser(t, "a")
	old := s.want(t, 200, "GET", "/Users/"+user, "")
	version := old.header.Get("ETag")
	if version == "" || old.at("meta", "version") != version {
		t.Fatalf("ETag %q, meta.version %v", version, old.at("meta", "version"))
	}
	disable := patchOp(`{"op":"replace","path":"active","value":false}`)
	s.want(t, 200, "PATCH", "/Users/"+user, disable, "If-Match", version)
	s.want(t, 412, "PATCH", "/Users/"+user, disable, "If-Match", version)
	s.want(t, 412, "DELETE", "/Users/"+user, "", "If-Match", version)
	s.want(t, 200, "PATCH", "/Users/"+user, disable, "If-Match", "*")
}

func TestOnlyTheAttributesAskedForAreShown(t *testing.T) {
	s := newServer(t)
	id := s.want(t, 201, "POST", "/Users", entraUser).id()
	enterprise := "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	for query, want := range map[string][]string{
		"attributes=userName":                                          {"userName"},
		"attributes=USERNAME,name.givenName":                           {"userName", "name"},
		"attributes=" + enterprise + ":employeeNumber":                 {enterprise},
		"attributes=urn:ietf:params:scim:schemas:core:2.0:User:active": {"active"},
		"attributes=emails.value":                                      {"emails"},
		"attributes=nothing":                                           {},
		"excludedAttributes=id,schemas,meta,name,emails,externalId,displayName,active," + enterprise +
			",urn:ietf:params:scim:schemas:extension:bookplate:2.0:User": {"userName"},
	} {
		a := s.want(t, 200, "GET", "/Users/"+id+"?"+query, "")
		want = append(want, "id", "schemas")
		slices.Sort(want)
		var got []string
		for key := range a.body {
			got = append(got, key)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	s.want(t, 200, "GET", "/Users/"+id+"?attributes=name.givenName,emails.value", "").same(t, map[string]any{
		"name": "map[givenName:Test]", "emails/0": "map[value:test_user@mail.example]",
	})
	s.want(t, 200, "GET", "/Users/"+id+"?excludedAttributes=name.givenName", "").same(t, map[string]any{
		"name": "map[familyName:User formatted:Test User]",
	})
}

func TestWhatIsNotAUserInAGroupIsKeptApart(t *testing.T) {
	s := newServer(t)
	user := s.newUser(t, "a")
	group := s.want(t, 201, "POST", "/Groups", fmt.Sprintf(`{"displayName":"G","members":[
		{"value":%[1]q,"type":"user","$ref":"https://idp.example/Users/%[1]s"},{"value":"ipad","type":"Device"},
		{"value":"sub","$ref":"https://idp.example/scim/Groups/sub"}],
		"urn:ietf:params:scim:schemas:extension:bookplate:2.0:Group":{"kind":"Devices"}}`, user)).id()
	others, err := s.Others(context.Background(), group)
	if err != nil || others.Count != 2 || others.Types["Device"] != 1 || others.Types["Group"] != 1 {
		t.Errorf("others %+v, %v", others, err)
	}
	in, err := s.AreMembers(context.Background(), group, []string{user, "ipad", "sub"})
	if err != nil || len(in) != 1 || !in[user] {
		t.Errorf("members %v, %v", in, err)
	}
	s.want(t, 204, "PATCH", "/Groups/"+group, patchOp(`{"op":"remove","path":"members[value eq \"ipad\"]"},
		{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:bookplate:2.0:Group:kind","value":"users"}`))
	s.want(t, 200, "GET", "/Groups/"+group, "").same(t, map[string]any{
		"members/0/value": user, "members/0/$ref": "https://books.school.example/scim/v2/Users/" + user,
		"members/1/value": "sub", "members/1/type": "Group", "members/2": nil,
		"urn:ietf:params:scim:schemas:extension:bookplate:2.0:Group/kind": "users",
	})
}
