package front_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/infra/desk"
)

// answers sends a batch and returns its responses by id.
func answers(t *testing.T, s *desk.Desk, h http.Handler, version, body string) map[string]map[string]any {
	t.Helper()
	got := s.Want(t, 200, h, "viewer", "POST", version+"/$batch", body)
	byID := map[string]map[string]any{}
	list, _ := got.Body["responses"].([]any)
	for _, one := range list {
		r, _ := one.(map[string]any)
		id, _ := r["id"].(string)
		byID[id] = r
	}
	return byID
}

func TestABatchIsItsRequestsEachWithTheCallersBearer(t *testing.T) {
	s := desk.New(t)
	a := &api{answer: func(c call) (int, string) {
		if c.method == "DELETE" {
			return 204, ""
		}
		return 200, `{"was":"` + c.target + `"}`
	}}
	got := answers(t, s, newFront(s, a), "/beta", `{"requests":[
		{"id":"a","method":"GET","url":"/deviceAppManagement/vppTokens?$filter=x eq 'y'"},
		{"id":"b","method":"get","url":"deviceappmanagement/VPPTOKENS('7')"},
		{"id":"c","method":"POST","url":"/deviceAppManagement/vppTokens","body":{"n":1},
			"headers":{"Authorization":"Bearer made-up-other","content-type":"application/json"}},
		{"id":"d","method":"POST","url":"/deviceAppManagement/vppTokens","body":"bWFkZS11cA","headers":{"Content-Type":"text/plain"}},
		{"id":"e","method":"DELETE","url":"/deviceAppManagement/vppTokens/9"}]}`)
	want := map[string]call{
		"a": {method: "GET", target: "/beta/deviceAppManagement/vppTokens?$filter=x eq 'y'"},
		"b": {method: "GET", target: "/beta/deviceAppManagement/vppTokens/7"},
		"c": {method: "POST", target: "/beta/deviceAppManagement/vppTokens", body: `{"n":1}`},
		"d": {method: "POST", target: "/beta/deviceAppManagement/vppTokens", body: "made-up"},
		"e": {method: "DELETE", target: "/beta/deviceAppManagement/vppTokens/9"},
	}
	if len(a.seen) != len(want) || len(got) != len(want) {
		t.Fatalf("%d asked, %d answered", len(a.seen), len(got))
	}
	for id, w := range want {
		if !slices.ContainsFunc(a.seen, func(c call) bool {
			return c.method == w.method && c.target == w.target && c.body == w.body && c.header.Get("Authorization") == "Bearer viewer"
		}) {
			t.Errorf("%s: not asked: %+v", id, w)
		}
	}
	if body, _ := got["b"]["body"].(map[string]any); body["was"] != want["b"].target || got["b"]["status"] != 200.0 {
		t.Errorf("b: %v", got["b"])
	}
	if _, has := got["e"]["body"]; has || got["e"]["status"] != 204.0 {
		t.Errorf("e: %v", got["e"])
	}
	headers, _ := got["a"]["headers"].(map[string]any)
	if headers["Content-Type"] != "application/json" || headers["Retry-After"] != "7" || headers["Set-Cookie"] != nil {
		t.Errorf("headers %v", headers)
	}
}

func TestWhatDependsWaitsAndFailsWithWhatItNeeds(t *testing.T) {
	s := desk.New(t)
	a := &api{answer: func(c call) (int, string) {
		if strings.HasSuffix(c.target, "/bad") {
			return 409, `{"error":{}}`
		}
		return 200, "{}"
	}}
	got := answers(t, s, newFront(s, a), "/v1.0", `{"requests":[
		{"id":"last","method":"POST","url":"/last","dependsOn":["middle","first"]},
		{"id":"middle","method":"POST","url":"/middle","dependsOn":["first"]},
		{"id":"first","method":"POST","url":"/first"},
		{"id":"lost","method":"POST","url":"/lost","dependsOn":["bad"]},
		{"id":"lost too","method":"POST","url":"/lost","dependsOn":["lost"]},
		{"id":"bad","method":"POST","url":"/bad"}]}`)
	var order []string
	for _, c := range a.seen {
		if c.target != "/v1.0/bad" {
			order = append(order, c.target)
		}
	}
	if !slices.Equal(order, []string{"/v1.0/first", "/v1.0/middle", "/v1.0/last"}) {
		t.Errorf("asked in the order %v", order)
	}
	for id, status := range map[string]float64{"first": 200, "middle": 200, "last": 200, "bad": 409, "lost": 424, "lost too": 424} {
		if got[id]["status"] != status {
			t.Errorf("%s: %v, not %v", id, got[id]["status"], status)
		}
	}
}

func TestABatchIsReadWholeOrNotAtAll(t *testing.T) {
	const good = `{"id":"1","method":"GET","url":"/x"}`
	var many []string
	for i := range 21 {
		many = append(many, fmt.Sprintf(`{"id":"%d","method":"GET","url":"/x"}`, i))
	}
	for name, c := range map[string]struct{ requests, target string }{
		"none":                  {"", "requests"},
		"more than 20":          {strings.Join(many, ","), "requests"},
		"the same id twice":     {good + "," + good, "requests[1].id"},
		"no id":                 {good + `,{"method":"GET","url":"/x"}`, "requests[1].id"},
		"no method":             {`{"id":"1","url":"/x"}`, "requests[0].method"},
		"another method":        {`{"id":"1","method":"TRACE","url":"/x"}`, "requests[0].method"},
		"no url":                {`{"id":"1","method":"GET"}`, "requests[0].url"},
		"another host":          {good + `,{"id":"2","method":"GET","url":"https://elsewhere.example/x"}`, "requests[1].url"},
		"another host, briefly": {`{"id":"1","method":"GET","url":"//elsewhere.example/x"}`, "requests[0].url"},
		"out of the version":    {`{"id":"1","method":"GET","url":"/../scim/v2/Users"}`, "requests[0].url"},
		"out of it, escaped":    {`{"id":"1","method":"GET","url":"/a%2f%2e%2e/scim/v2/Users"}`, "requests[0].url"},
		"a batch":               {`{"id":"1","method":"POST","url":"/$BATCH"}`, "requests[0].url"},
		"text that isn't":       {`{"id":"1","method":"POST","url":"/x","body":{},"headers":{"Content-Type":"text/plain"}}`, "requests[0].body"},
		"needs a stranger":      {`{"id":"1","method":"GET","url":"/x","dependsOn":["2"]}`, "requests[0].dependsOn"},
		"needs itself":          {`{"id":"1","method":"GET","url":"/x","dependsOn":["1"]}`, "requests[0].dependsOn"},
	} {
		t.Run(name, func(t *testing.T) {
			s := desk.New(t)
			a := &api{}
			got := s.Send(t, newFront(s, a), "viewer", "POST", "/v1.0/$batch", `{"requests":[`+c.requests+`]}`)
			got.Refused(t, 400, "BadRequest")
			if got.Target() != c.target || len(a.seen) != 0 {
				t.Errorf("target %q, not %q; asked %+v", got.Target(), c.target, a.seen)
			}
		})
	}
}

func TestABatchNeedsACallerAndAVersion(t *testing.T) {
	s := desk.New(t)
	a := &api{}
	h := newFront(s, a)
	const body = `{"requests":[{"id":"1","method":"GET","url":"/x"}]}`
	s.Send(t, h, "", "POST", "/v1.0/$batch", body).Refused(t, 401, "InvalidAuthenticationToken")
	s.Send(t, h, "identityProvider", "POST", "/v1.0/$batch", body).Refused(t, 403, "Forbidden")
	s.Send(t, h, "viewer", "GET", "/v1.0/$batch", "").Refused(t, 405, "MethodNotAllowed")
	s.Send(t, h, "viewer", "POST", "/$batch", body).Refused(t, 404, "ResourceNotFound")
	if len(a.seen) != 0 {
		t.Errorf("asked %+v", a.seen)
	}
	s.Want(t, 200, h, "reader", "POST", "/V1.0/$Batch", body)
}

func TestABatchIsAnsweredWhateverItsAnswersAre(t *testing.T) {
	s := desk.New(t)
	a := &api{kind: "text/plain", answer: func(call) (int, string) { return 200, "12" }}
	got := answers(t, s, newFront(s, a), "/v1.0", `{"requests":[{"id":"1","method":"GET","url":"/deviceAppManagement/managedEBooks/$count"}]}`)
	if got["1"]["body"] != "MTI=" {
		t.Errorf("text is %v", got["1"]["body"])
	}

	long, err := json.Marshal(strings.Repeat("x", 3<<20))
	desk.Must(t, err)
	a = &api{answer: func(c call) (int, string) {
		switch c.target {
		case "/v1.0/long":
			return 200, string(long)
		case "/v1.0/none":
			return 0, ""
		}
		return 200, `"short"`
	}}
	got = answers(t, s, newFront(s, a), "/v1.0", `{"requests":[{"id":"1","method":"POST","url":"/long"},
		{"id":"2","method":"POST","url":"/long"},{"id":"3","method":"POST","url":"/none"},{"id":"4","method":"GET","url":"/short"}]}`)
	for id, status := range map[string]float64{"1": 200, "2": 413, "3": 502, "4": 200} {
		if got[id]["status"] != status {
			t.Errorf("%s: %v, not %v", id, got[id]["status"], status)
		}
	}
	if text := fmt.Sprint(got["2"]["body"]); !strings.Contains(text, "carried out, with the status 200") {
		t.Error(text)
	}
	if text := fmt.Sprint(got["3"]["body"]); !strings.Contains(text, "may have been carried out") {
		t.Error(text)
	}
}

// AWS's gateway gives up on front after 30 s: what is left over then was surely not sent.
func TestWhatABatchHasNoTimeForIsNotSent(t *testing.T) {
	s := desk.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	a := &api{answer: func(call) (int, string) { cancel(); return 200, "{}" }}
	r := httptest.NewRequestWithContext(ctx, "POST", "/v1.0/$batch", strings.NewReader(
		`{"requests":[{"id":"1","method":"POST","url":"/x"},{"id":"2","method":"POST","url":"/x","dependsOn":["1"]}]}`))
	r.Header.Set("Authorization", "Bearer viewer")
	w := httptest.NewRecorder()
	newFront(s, a).ServeHTTP(w, r)
	var got struct {
		Responses []struct {
			Status  int
			Headers map[string]string
		}
	}
	desk.Must(t, json.Unmarshal(w.Body.Bytes(), &got))
	if len(got.Responses) != 2 || got.Responses[0].Status != 200 || got.Responses[1].Status != 503 ||
		got.Responses[1].Headers["Retry-After"] == "" || len(a.seen) != 1 {
		t.Errorf("%d asked: %s", len(a.seen), w.Body)
	}
}
