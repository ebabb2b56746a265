package auth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/problem"
)

func TestRolesAllowWhatTheyShould(t *testing.T) {
	const yes, no = true, false
	needs := []auth.Role{auth.None, auth.Reader, auth.Viewer, auth.Manager, auth.Administrator, auth.IdentityProvider}
	for role, want := range map[auth.Role][]bool{
		auth.None:             {no, no, no, no, no, no},
		auth.Reader:           {no, yes, no, no, no, no},
		auth.Viewer:           {no, yes, yes, no, no, no},
		auth.Manager:          {no, yes, yes, yes, no, no},
		auth.Administrator:    {no, yes, yes, yes, yes, no},
		auth.IdentityProvider: {no, no, no, no, no, yes},
	} {
		for i, need := range needs {
			if got := role.Allows(need); got != want[i] {
				t.Errorf("%v allows %v: %v", role, need, got)
			}
		}
	}
}

// through sends a request with the Authorization headers through a gate, and returns whom the handler behind it saw, the
// answer, and the error that was answered.
func through(
	need auth.Role, verify auth.VerifyFunc, headers ...string,
) (passed *auth.Caller, w *httptest.ResponseRecorder, refusal error) {
	gate := auth.Gate{Verify: verify, Fail: func(w http.ResponseWriter, _ *http.Request, err error) {
		refusal = err
		w.WriteHeader(problem.KindOf(err).Status())
	}}
	h := gate.Require(need, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		c := auth.From(r.Context())
		passed = &c
	}))
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil)
	for _, v := range headers {
		r.Header.Add("Authorization", v)
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return passed, w, refusal
}

func TestGateRefusesWhatIsNoBearer(t *testing.T) {
	verify, err := auth.Opaque(auth.Caller{Subject: "local", Role: auth.Administrator}, newSecret)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		headers []string
		says    string
	}{
		"nothing":          {nil, "no access token"},
		"empty":            {[]string{" "}, "no access token"},
		"another scheme":   {[]string{"Basic " + newSecret}, "Bearer scheme"},
		"no scheme":        {[]string{newSecret}, "Bearer scheme"},
		"no token":         {[]string{"Bearer "}, "no token after"},
		"two headers":      {[]string{"Bearer " + newSecret, "Bearer " + newSecret}, "more than one"},
		"endless":          {[]string{"Bearer " + strings.Repeat("x", 1<<15)}, "longer"},
		"unknown":          {[]string{"Bearer " + oldSecret}, "not known"},
		"two in one value": {[]string{"Bearer " + newSecret + ", Bearer " + newSecret}, "not known"},
	} {
		passed, w, err := through(auth.Viewer, verify, c.headers...)
		if passed != nil || w.Code != 401 || w.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: passed %v, %d", name, passed, w.Code)
		}
		unauthenticated(t, err, newSecret, c.says)
	}
	for _, header := range []string{"Bearer " + newSecret, "bearer   " + newSecret + " "} {
		if passed, _, err := through(auth.Viewer, verify, header); err != nil || passed == nil || passed.Subject != "local" {
			t.Errorf("%v, %v", passed, err)
		}
	}
}

func TestGateKeepsRolesApart(t *testing.T) {
	for _, c := range []struct {
		has, needs auth.Role
		passes     bool
	}{
		{auth.Viewer, auth.Viewer, true},
		{auth.Administrator, auth.Manager, true},
		{auth.Viewer, auth.Manager, false},
		{auth.None, auth.Viewer, false},
		{auth.IdentityProvider, auth.Viewer, false},        // the directory's token on Graph's routes
		{auth.Administrator, auth.IdentityProvider, false}, // an administrator's on the directory's
		{auth.IdentityProvider, auth.IdentityProvider, true},
	} {
		verify, err := auth.Opaque(auth.Caller{Subject: "anna", Role: c.has}, newSecret)
		if err != nil {
			t.Fatal(err)
		}
		passed, w, err := through(c.needs, verify, "Bearer "+newSecret)
		if (passed != nil) != c.passes {
			t.Errorf("%v through %v: %v", c.has, c.needs, passed)
		}
		if c.passes {
			continue
		}
		if w.Code != http.StatusForbidden {
			t.Errorf("%v through %v: %d", c.has, c.needs, w.Code)
		}
		for _, says := range []string{"needs the role " + c.needs.String(), "has the role " + c.has.String()} {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%v doesn't tell %q", err, says)
			}
		}
	}
}

func TestWithoutAGateNobodyMayDoAnything(t *testing.T) {
	if c := auth.From(context.Background()); c.Role.Allows(auth.Viewer) || c != (auth.Caller{}) {
		t.Errorf("got %+v", c)
	}
	want := auth.Caller{Subject: "anna", Role: auth.Manager}
	if got := auth.From(auth.With(context.Background(), want)); got != want {
		t.Errorf("got %+v", got)
	}
}
