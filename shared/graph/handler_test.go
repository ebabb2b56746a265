package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/shared/graph"
)

func segments() []string {
	return []string{"deviceAppManagement", "managedEBooks", "vppTokens", "assign", "$count", "getLicensesForApp"}
}

// api answers with what the mux made of the request.
func api() server {
	mux := http.NewServeMux()
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		graph.WriteEntity(w, r, http.StatusOK, "x", graph.Entity{"pattern": r.Pattern, "id": r.PathValue("id"), "beta": graph.Beta(r)})
	})
	graph.Handle(mux, "GET", "/deviceAppManagement/vppTokens", echo)
	graph.Handle(mux, "GET", "/deviceAppManagement/vppTokens/{id}", echo)
	graph.Handle(mux, "GET", "/deviceAppManagement/managedEBooks/$count", echo)
	graph.Handle(mux, "POST", "/deviceAppManagement/managedEBooks/{id}/assign", echo)
	graph.HandleOne(mux, "GET", "/beta/only", echo)
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // as auth does, with a request of its own
		type key struct{}
		mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, 1)))
	})
	return serve(inner, func(o *graph.Options) { o.Segments = segments() })
}

func TestRoutesServeBothVersionsInAnyLetterCase(t *testing.T) {
	for target, want := range map[string]string{
		"/v1.0/deviceAppManagement/vppTokens":                "/v1.0/deviceAppManagement/vppTokens||false",
		"/beta/deviceAppManagement/vppTokens":                "/beta/deviceAppManagement/vppTokens||true",
		"/BETA/DeviceAppManagement/vpptokens":                "/beta/deviceAppManagement/vppTokens||true",
		"/v1.0/deviceAppManagement/vppTokens/":               "/v1.0/deviceAppManagement/vppTokens||false",
		"//v1.0//deviceAppManagement/vppTokens":              "/v1.0/deviceAppManagement/vppTokens||false",
		"/v1.0/deviceappmanagement/VPPTOKENS/AbC":            "/v1.0/deviceAppManagement/vppTokens/{id}|AbC|false",
		"/v1.0/deviceAppManagement/vpptokens/a%2Fb%20C":      "/v1.0/deviceAppManagement/vppTokens/{id}|a/b C|false",
		"/v1.0/deviceAppManagement/vppTokens('AbC')":         "/v1.0/deviceAppManagement/vppTokens/{id}|AbC|false",
		"/v1.0/deviceAppManagement/vppTokens(%27AbC%27)":     "/v1.0/deviceAppManagement/vppTokens/{id}|AbC|false",
		"/v1.0/deviceAppManagement/managedEbooks/%24Count":   "/v1.0/deviceAppManagement/managedEBooks/$count||false",
		"/v1.0/deviceAppManagement/vppTokens/AbC?$filter=Xy": "/v1.0/deviceAppManagement/vppTokens/{id}|AbC|false",
	} {
		w := api().do(get("http://books.example" + target))
		var got struct {
			Pattern, ID string
			Beta        bool
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v: %s", target, err, w.Body)
		}
		text := strings.TrimPrefix(got.Pattern, "GET ") + "|" + got.ID + "|" + map[bool]string{true: "true", false: "false"}[got.Beta]
		if text != want {
			t.Errorf("%s: %s, want %s", target, text, want)
		}
	}
}

func TestCanonicalPathLeavesTheRest(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "": "/",
		"/v1.0/other/Thing": "/v1.0/other/Thing",
		"/v1.0/vppTokens/getlicensesforapp(bundleId='X')": "/v1.0/vppTokens/getlicensesforapp(bundleId='X')",
		"/v1.0/vppTokens('a''b')":                         "/v1.0/vppTokens('a''b')",
		"/v1.0/Other('a')":                                "/v1.0/Other('a')",
		"/v1.0/vppTokens/%zz":                             "/v1.0/vppTokens/%zz",
	} {
		if got := graph.CanonicalPath(path, segments()); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestEveryErrorIsJSON(t *testing.T) {
	for _, c := range []struct {
		name, method, target string
	}{
		{"unknown-segment", "GET", "/v1.0/deviceAppManagement/mobileApps"},
		{"unknown-under-id", "GET", "/v1.0/deviceAppManagement/managedEBooks/b1/Chapters"},
		{"unknown-version", "GET", "/v2.0/deviceAppManagement/vppTokens"},
		{"known-but-unmatched", "GET", "/v1.0/deviceAppManagement"},
		{"beta-only", "GET", "/v1.0/only"},
		{"method", "DELETE", "/v1.0/deviceAppManagement/vppTokens"},
	} {
		r := httptest.NewRequestWithContext(context.Background(), c.method, "http://books.example"+c.target, nil)
		golden(t, "route-"+c.name+".txt", shape(api().do(r)))
	}
}

func TestPlainTextErrorsOfHandlersBecomeJSON(t *testing.T) {
	for status, code := range map[int]string{
		400: "BadRequest", 409: "Conflict", 418: "BadRequest", 413: "RequestEntityTooLarge",
		500: "InternalServerError", 501: "InternalServerError", 503: "ServiceUnavailable",
	} {
		s := serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "plain words", status) }))
		w := s.do(get("http://books.example/v1.0/x"))
		if !strings.Contains(w.Body.String(), `{"error":{"code":"`+code+`"`) || strings.Contains(w.Body.String(), "plain words") {
			t.Errorf("%d: %s", status, w.Body)
		}
	}
	s := serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json")
		w.WriteHeader(http.StatusNotFound)
		if _, err := io.WriteString(w, `{"status":"404"}`); err != nil {
			t.Error(err)
		}
	}))
	if w := s.do(get("http://books.example/v1.0/x")); w.Body.String() != `{"status":"404"}` {
		t.Errorf("another protocol's error was replaced: %s", w.Body)
	}
}

func TestPanicsAreAnsweredAndTellNoSecret(t *testing.T) {
	for name, v := range map[string]any{"text": "made-up-secret", "error": errors.New("made-up-secret")} {
		s := serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(v) }))
		w := s.do(get("http://books.example/v1.0/x"))
		if w.Code != 500 || !strings.Contains(w.Body.String(), "request-id 00000000-0000-4000-8000-000000000001") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if !strings.Contains(s.log.String(), "handler panicked") || !strings.Contains(s.log.String(), "handler_test.go") {
			t.Errorf("%s: the log doesn't say where: %s", name, s.log)
		}
		if strings.Contains(w.Body.String()+s.log.String(), "made-up-secret") {
			t.Errorf("%s: the secret got out: %s %s", name, w.Body, s.log)
		}
	}
	s := serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _ = []int{}[len(r.Method)] }))
	s.do(get("http://books.example/v1.0/x"))
	if !strings.Contains(s.log.String(), "index out of range") {
		t.Errorf("a runtime error isn't told: %s", s.log)
	}
}

func TestAbortedHandlersStayAborted(t *testing.T) {
	defer func() {
		if v := recover(); v != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
			t.Errorf("recovered %v", v)
		}
	}()
	serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).do(get("http://books.example/"))
}

func TestOneLineARequestWithoutIdsAndValues(t *testing.T) {
	s := api()
	r := get("http://books.example/beta/deviceAppManagement/VPPTokens/id-4711?$select=id&$filter=made-up-4711")
	r.Header.Set("Client-Request-Id", "mine")
	r.Header.Set("Authorization", "Bearer made-up-4711")
	w := s.do(r)
	var line map[string]any
	if err := json.Unmarshal([]byte(s.log.String()), &line); err != nil {
		t.Fatalf("not one line: %v: %s", err, s.log)
	}
	for name, want := range map[string]any{
		"msg": "request", "method": "GET", "route": "GET /beta/deviceAppManagement/vppTokens/{id}", "status": 200.0, "duration": 0.0,
		"requestId": "00000000-0000-4000-8000-000000000001", "clientRequestId": "mine",
	} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
	if strings.Contains(s.log.String(), "4711") {
		t.Errorf("the log tells too much: %s", s.log)
	}
	if w.Header().Get("Request-Id") != line["requestId"] || w.Header().Get("Client-Request-Id") != "mine" {
		t.Errorf("headers %v", w.Header())
	}
}

func TestOddClientRequestIdsAreNotEchoed(t *testing.T) {
	for _, id := range []string{strings.Repeat("x", 129), "a\x01b", "é"} {
		r := get("http://books.example/v1.0/x")
		r.Header["Client-Request-Id"] = []string{id}
		w := api().do(r)
		if got := w.Header().Get("Client-Request-Id"); got != "" || strings.Contains(w.Body.String(), "client-request-id") {
			t.Errorf("%q is echoed", id)
		}
	}
}

func TestOutsideAHandlerErrorsStillParse(t *testing.T) {
	w := httptest.NewRecorder()
	graph.WriteError(w, get("http://books.example/x"), errors.New("made-up"))
	if w.Code != 500 || !strings.Contains(w.Body.String(), `"date":"0001-01-01T00:00:00"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
