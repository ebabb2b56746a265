package front_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/functions/front"
	"github.com/bookplate/bookplate/infra/desk"
)

func TestFrontAnswersWhatNobodyElseDoes(t *testing.T) {
	s := desk.New(t)
	var trouble error
	h := front.New(front.Config{
		Config: s.Door(), OpenAPI: []byte("openapi: 3.1.0\n"), Ready: func(context.Context) error { return trouble },
	})
	if a := s.Want(t, 200, h, "", "GET", "/openapi.yaml", ""); a.Raw != "openapi: 3.1.0\n" ||
		a.Header.Get("Content-Type") != "application/yaml" {
		t.Errorf("%v %s", a.Header, a.Raw)
	}
	if a := s.Want(t, 200, h, "", "GET", "/healthz", ""); a.Body["status"] != "ok" {
		t.Error(a.Raw)
	}
	trouble = errors.New("the table is away")
	s.Send(t, h, "", "GET", "/healthz", "").Refused(t, 503, "NotReady")
	for _, path := range []string{"/", "/v1.0/nothing", "/beta/deviceAppManagement/mobileApps", "/favicon.ico"} {
		s.Send(t, h, "", "GET", path, "").Refused(t, 404, "ResourceNotFound", "segment")
		s.Send(t, h, "", "POST", path, "{}").Refused(t, 404, "ResourceNotFound")
	}
	s.Send(t, h, "", "DELETE", "/healthz", "").Refused(t, 405, "MethodNotAllowed")
	if routes := front.Routes(); len(routes) != 4 { // two, and the batch under each version
		t.Errorf("%q", routes)
	}
}

// Whatever no function answers comes here, a wrong method on a path that there is too.
func TestAWrongMethodIsToldWhichThereAre(t *testing.T) {
	s := desk.New(t)
	a := &api{}
	h := newFront(s, a)
	for request, allow := range map[string]string{
		"DELETE /v1.0/deviceAppManagement/vppTokens":             "GET, POST",
		"PUT /beta/deviceAppManagement/vppTokens/x":              "DELETE, GET, PATCH",
		"GET /v1.0/deviceAppManagement/vppTokens/x/syncLicenses": "POST",
		"PATCH /v1.0/deviceAppManagement/managedEBooks/$count":   "GET",
		"DELETE /v1.0/deviceAppManagement/managedEBooks/x":       "GET, PATCH",
	} {
		method, path, _ := strings.Cut(request, " ")
		got := s.Send(t, h, "viewer", method, path, "")
		if got.Refused(t, 405, "MethodNotAllowed", method, "It answers "+allow+"."); got.Header.Get("Allow") != allow {
			t.Errorf("%s: Allow is %q", request, got.Header.Get("Allow"))
		}
	}
	if got := s.Send(t, h, "", "DELETE", "/healthz", ""); got.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("%v", got.Header)
	}
	s.Send(t, h, "", "DELETE", "/v1.0/nothing", "").Refused(t, 404, "ResourceNotFound")
	if len(a.seen) != 0 {
		t.Errorf("passed on: %v", a.seen)
	}
}
