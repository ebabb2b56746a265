package door_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/world"
)

func say(text string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		_, err := w.Write([]byte(text + " " + r.PathValue("id")))
		return err
	}
}

func routes() []door.Route {
	return []door.Route{
		{Method: "GET", Path: "/deviceAppManagement/vppTokens/{id}", Need: auth.Viewer, Answer: say("one")},
		{Method: "DELETE", Path: "/deviceAppManagement/vppTokens/{id}", Need: auth.Administrator, Answer: say("deleted")},
		{Method: "GET", Path: "/openapi.yaml", Need: auth.None, Answer: say("public"), Bare: true},
	}
}

// verify takes a role's name for a token.
func verify(bearer string) (auth.Caller, error) {
	role, err := auth.ParseRole(bearer)
	if err != nil {
		return auth.Caller{}, problem.New(problem.Unauthenticated, "", "made up")
	}
	return auth.Caller{Subject: "anna", Role: role}, nil
}

func call(method, path, bearer string) *httptest.ResponseRecorder {
	w := world.NewVirtual(1, time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)).World()
	h := door.New(door.Config{Verify: verify, World: w, Log: slog.New(slog.DiscardHandler)}, routes())
	r := httptest.NewRequest(method, path, nil)
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer
}

func TestADoorLetsInWhoMayAndSaysWhyToWhoMayNot(t *testing.T) {
	tests := []struct {
		name, method, path, bearer string
		status                     int
		body                       string // "" when it isn't the route's own
	}{
		{"who may read, reads", "GET", "/v1.0/deviceAppManagement/vppTokens/7", "viewer", 200, "one 7"},
		{"beta is the same", "GET", "/beta/deviceAppManagement/vppTokens/7", "viewer", 200, "one 7"},
		{"letter case doesn't matter", "GET", "/v1.0/DEVICEappmanagement/vpptokens/7", "viewer", 200, "one 7"},
		{"who may more, may less", "GET", "/v1.0/deviceAppManagement/vppTokens/7", "administrator", 200, "one 7"},
		{"who may less, may not more", "DELETE", "/v1.0/deviceAppManagement/vppTokens/7", "manager", 403, ""},
		{"the identity provider reads nothing", "GET", "/v1.0/deviceAppManagement/vppTokens/7", "identityProvider", 403, ""},
		{"no token, no entrance", "GET", "/v1.0/deviceAppManagement/vppTokens/7", "", 401, ""},
		{"a bad token, no entrance", "GET", "/v1.0/deviceAppManagement/vppTokens/7", "made-up", 401, ""},
		{"no version, no route", "GET", "/deviceAppManagement/vppTokens/7", "administrator", 404, ""},
		{"a bare route needs no version and no token", "GET", "/openapi.yaml", "", 200, "public "},
		{"a bare route has no versions", "GET", "/v1.0/openapi.yaml", "", 404, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := call(test.method, test.path, test.bearer)
			if answer.Code != test.status {
				t.Fatalf("status %d, want %d: %s", answer.Code, test.status, answer.Body)
			}
			if body := answer.Body.String(); test.body != "" && body != test.body {
				t.Errorf("body %q, want %q", body, test.body)
			} else if test.body == "" && !strings.Contains(body, `"error"`) {
				t.Errorf("body %q isn't an OData error", body)
			}
		})
	}
}

func TestARouteNamesWhatTheMuxServes(t *testing.T) {
	want := []string{
		"GET /v1.0/deviceAppManagement/vppTokens/{id}", "GET /beta/deviceAppManagement/vppTokens/{id}",
		"DELETE /v1.0/deviceAppManagement/vppTokens/{id}", "DELETE /beta/deviceAppManagement/vppTokens/{id}",
		"GET /openapi.yaml",
	}
	if got := door.Patterns(routes()); !slices.Equal(got, want) {
		t.Errorf("patterns %v, want %v", got, want)
	}
}

func TestSegmentsAreTheLiteralOnesOnceEach(t *testing.T) {
	want := []string{"v1.0", "deviceAppManagement", "vppTokens", "beta", "openapi.yaml"}
	if got := door.Segments(door.Patterns(routes())); !slices.Equal(got, want) {
		t.Errorf("segments %v, want %v", got, want)
	}
}

func TestAnIDIsOursInLowerCaseOrSomethingHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"6BA7B810-9DAD-11D1-80B4-00C04FD430C8": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		"":                                     "?",
		"not an id":                            "not an id",
		"nul \x00 and bad \xff":                "nul ? and bad ?",
	} {
		if got := door.ID(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	for _, part := range []string{"x", "ü", "\U0001F4D6", "\xff-"} {
		text := strings.Repeat(part, 5000)
		if got := door.ID(text); len(got) > 80 || len(got) == 0 || !utf8.ValidString(got) {
			t.Errorf("%.20q… became %q of %d bytes", text, got, len(got))
		}
	}
}
