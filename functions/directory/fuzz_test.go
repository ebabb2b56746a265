package directory_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzBodies: whatever the body, the server answers, and never blames itself.
func FuzzBodies(f *testing.F) {
	for _, seed := range []string{
		entraUser, oktaUser, `{}`, `null`, `[1]`, `{"members":{"value":[[]]}}`, `{"userName":["a"],"emails":"x","name":7}`,
		patchOp(`{"op":"replace","value":{"emails[type eq \"work\"].value":[null],"name":{"$ref":1}}}`),
		patchOp(`{"op":"add","path":"members[value eq \"a\" and not (type eq \"b\")]","value":[{"value":{}}]}`),
		patchOp(`{"op":"remove","path":"emails[primary eq true or value sw \"x\"].type","value":{}}`),
		patchOp(`{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value","value":[1,2]}`),
		patchOp(`{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:bookplate:2.0:User","value":null}`),
		patchOp(`7,{"op":7,"path":[],"value":true},{"Path":"x509Certificates","op":"add","value":["%"]}`),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		s := newServer(t)
		user, group := s.newUser(t, "a@school.example"), s.newGroup(t, "G", "a")
		for _, to := range [][2]string{
			{"POST", "/Users"},
			{"PUT", "/Users/" + user},
			{"PATCH", "/Users/" + user},
			{"POST", "/Groups"},
			{"PUT", "/Groups/" + group},
			{"PATCH", "/Groups/" + group},
		} {
			if a := s.send(t, to[0], to[1], body); a.status >= 500 {
				t.Errorf("%s %s: %d %s\n%s", to[0], to[1], a.status, a.raw, s.log)
			}
		}
		s.want(t, 200, "GET", "/Users", "")
		s.want(t, 200, "GET", "/Groups", "")
	})
}

// FuzzQueries: whatever the filter and the other parameters.
func FuzzQueries(f *testing.F) {
	for _, seed := range []string{
		`userName eq "x"`, `id eq "1" and members eq "u1"`, `emails[type eq "work"].value eq "x"`, `not (id eq "1")`,
		`members[value eq "u" and (type eq "v" or id pr)]`, `meta.lastModified gt "2026-01-01T00:00:00Z"`,
		`urn:ietf:params:scim:schemas:core:2.0:User:name.givenName eq null`, `emails[`, `a[b].c eq "\""`, `id eq 1.5e400`,
	} {
		f.Add(seed, "members.value", "id,x.y.z", "1")
	}
	f.Fuzz(func(t *testing.T, filter, attributes, excluded, count string) {
		s := newServer(t)
		s.newUser(t, "a@school.example")
		s.newGroup(t, "G", "a")
		for _, at := range []string{"/Users", "/Groups", "/Schemas", "/ResourceTypes"} {
			query := url.Values{"filter": {filter}, "attributes": {attributes}, "excludedAttributes": {excluded}, "count": {count}}
			if a := s.send(t, "GET", at+"?"+query.Encode(), ""); a.status >= 500 {
				t.Errorf("%s %q: %d %s\n%s", at, filter, a.status, a.raw, s.log)
			}
		}
		r := httptest.NewRequest("GET", "/scim/v2/Users", nil)
		r.URL.Path = "/scim/v2/Users/" + filter
		r.Header.Set("Authorization", "Bearer "+madeUpToken)
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code >= 500 && !strings.Contains(w.Body.String(), `"501"`) {
			t.Errorf("path %q: %d %s", filter, w.Code, w.Body)
		}
	})
}
