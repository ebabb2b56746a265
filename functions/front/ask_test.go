package front_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/bookplate/bookplate/functions/front"
	"github.com/bookplate/bookplate/infra/desk"
)

// api notes what it is asked, and answers as it is told.
type api struct {
	seen   []call
	answer func(call) (int, string) // status and body; 0 is no answer at all
	kind   string                   // of the body; JSON if empty
}

type call struct {
	method, target, body string
	header               http.Header
	ctx                  context.Context // to look at its deadline
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	c := call{r.Method, r.URL.RequestURI(), string(body), r.Header, r.Context()}
	a.seen = append(a.seen, c)
	status, text := http.StatusOK, `{"it":"is done"}`
	if a.answer != nil {
		status, text = a.answer(c)
	}
	if status == 0 {
		return nil, errors.New("made-up broken wire")
	}
	if a.kind == "" {
		a.kind = "application/json"
	}
	return &http.Response{
		StatusCode: status, Body: io.NopCloser(bytes.NewBufferString(text)),
		Header: http.Header{"Content-Type": {a.kind}, "Retry-After": {"7"}, "Set-Cookie": {"made=up"}, "Connection": {"close"}},
	}, nil
}

// paths of the API, enough of them.
func paths() map[string][]string {
	return map[string][]string{
		"/deviceAppManagement/vppTokens": {"GET", "POST"}, "/deviceAppManagement/vppTokens/{id}": {"GET", "PATCH", "DELETE"},
		"/deviceAppManagement/vppTokens/{id}/syncLicenses": {"POST"},
		"/deviceAppManagement/managedEBooks/$count":        {"GET"}, "/deviceAppManagement/managedEBooks/{id}": {"GET", "PATCH"},
		"/$batch": {"POST"},
	}
}

func newFront(s *desk.Desk, a *api) http.Handler {
	return front.New(front.Config{Config: s.Door(), OpenAPI: []byte("openapi: 3.1.0\n"), Paths: paths(), API: a})
}

// Graph's clients spell paths as they like; AWS's gateway sends what isn't spelled right to front.
func TestAnOddSpellingIsAskedForAgainInTheRightOne(t *testing.T) {
	s := desk.New(t)
	for odd, right := range map[string]string{
		"/v1.0/deviceappmanagement/VppTokens":                      "/v1.0/deviceAppManagement/vppTokens",
		"/V1.0/DEVICEAPPMANAGEMENT/VPPTOKENS?$top=1&$filter=a%20b": "/v1.0/deviceAppManagement/vppTokens?$top=1&$filter=a%20b",
		"/beta/deviceAppManagement/vppTokens/":                     "/beta/deviceAppManagement/vppTokens",
		"/beta//deviceAppManagement/vppTokens":                     "/beta/deviceAppManagement/vppTokens",
		"/v1.0/deviceAppManagement/vppTokens('AbC')":               "/v1.0/deviceAppManagement/vppTokens/AbC",
		"/v1.0/deviceAppManagement/vppTokens/AbC/synclicenses":     "/v1.0/deviceAppManagement/vppTokens/AbC/syncLicenses",
		"/v1.0/deviceAppManagement/managedEbooks/$COUNT":           "/v1.0/deviceAppManagement/managedEBooks/$count",
	} {
		a := &api{answer: func(call) (int, string) { return 202, `{"x":"y"}` }}
		got := s.Want(t, 202, newFront(s, a), "viewer", "PATCH", odd, `{"some":"thing"}`, "Cookie", "made=up", "Prefer", "odata.maxpagesize=3")
		if got.Raw != `{"x":"y"}` || got.Header.Get("Retry-After") != "7" || got.Header.Get("Connection") != "" {
			t.Errorf("%s: answered %v %s", odd, got.Header, got.Raw)
		}
		if len(a.seen) != 1 || a.seen[0].target != right || a.seen[0].method != "PATCH" || a.seen[0].body != `{"some":"thing"}` {
			t.Fatalf("%s: asked %+v", odd, a.seen)
		}
		h := a.seen[0].header
		if h.Get("Authorization") != "Bearer viewer" || h.Get("Prefer") != "odata.maxpagesize=3" || h.Get("Cookie") != "" {
			t.Errorf("%s: headers %v", odd, slices.Sorted(maps.Keys(h)))
		}
		if _, limited := a.seen[0].ctx.Deadline(); !limited {
			t.Errorf("%s: asked without a deadline", odd)
		}
	}
}

func TestWhatTheAPILacksIsNotAskedForAndNothingGoesInCircles(t *testing.T) {
	s := desk.New(t)
	a := &api{}
	h := newFront(s, a)
	for _, path := range []string{
		"/v1.0/deviceAppManagement/vppTokens", // spelled right: its function has let it through to here
		"/v1.0/deviceAppManagement/vppTokens/x/y/z",
		"/v1.0/DEVICEAPPMANAGEMENT/mobileApps",
		"/V2.0/deviceAppManagement/vppTokens",
		"/deviceappmanagement/vpptokens",
		"/SCIM/v2/Users",
	} {
		s.Send(t, h, "viewer", "GET", path, "").Refused(t, 404, "ResourceNotFound")
	}
	s.Send(t, h, "viewer", "GET", "/v1.0/deviceappmanagement/vppTokens", "", "Bookplate-Front", "1").
		Refused(t, 404, "ResourceNotFound")
	if len(a.seen) != 0 {
		t.Errorf("asked %+v", a.seen)
	}
}

func TestWhatFrontAsksIsMarked(t *testing.T) {
	s := desk.New(t)
	a := &api{}
	h := newFront(s, a)
	s.Want(t, 200, h, "viewer", "GET", "/v1.0/deviceappmanagement/vppTokens", "")
	s.Want(t, 200, h, "viewer", "POST", "/v1.0/$batch", `{"requests":[{"id":"1","method":"GET","url":"/x"}]}`)
	for _, c := range a.seen {
		if c.header.Get("Bookplate-Front") == "" {
			t.Errorf("%s isn't marked", c.target)
		}
	}
	s.Send(t, h, "viewer", "POST", "/v1.0/$batch", `{"requests":[{"id":"1","method":"GET","url":"/x"}]}`, "Bookplate-Front", "1").
		Refused(t, 400, "BadRequest", "batch")
}

func TestNoAnswerSaysWhetherSomethingMayHaveHappened(t *testing.T) {
	s := desk.New(t)
	h := newFront(s, &api{answer: func(call) (int, string) { return 0, "" }})
	s.Send(t, h, "viewer", "GET", "/v1.0/deviceappmanagement/vppTokens", "").Refused(t, 502, "BadGateway", "Ask again")
	s.Send(t, h, "viewer", "POST", "/v1.0/deviceappmanagement/vppTokens", "{}").
		Refused(t, 502, "BadGateway", "may have been carried out")
}
