package lambda

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
)

// invoke sends an event to a handler behind the gateway.
func invoke(t *testing.T, event map[string]any, handler http.HandlerFunc) response {
	t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := gateway{handler}.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var out response
	if err := json.Unmarshal(answer, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func event(method, path, query string) map[string]any {
	return map[string]any{
		"version": "2.0", "rawPath": path, "rawQueryString": query,
		"headers":        map[string]string{"host": "books.school.example", "x-made-up": "a,b"},
		"requestContext": map[string]any{"http": map[string]any{"method": method, "path": path, "sourceIp": "192.0.2.7"}},
	}
}

func TestTheHandlerSeesTheRequestAsFromTheWire(t *testing.T) {
	for _, c := range []struct{ path, query, wantPath, wantURI string }{
		{"/v1.0/a", "", "/v1.0/a", "/v1.0/a"},
		{"/v1.0/a/$count", "$top=2&$filter=x%20eq%201", "/v1.0/a/$count", "/v1.0/a/$count?$top=2&$filter=x%20eq%201"},
		{"/scim/v2/Schemas/urn:a:b", "", "/scim/v2/Schemas/urn:a:b", "/scim/v2/Schemas/urn:a:b"},
		{"/a%2Fb/c", "", "/a/b/c", "/a%2Fb/c"},
		{"/a b/ü", "", "/a b/ü", "/a%20b/%C3%BC"}, // the gateway unescapes
		{"/a?b", "", "/a?b", "/a%3Fb"},
	} {
		var got *http.Request
		out := invoke(t, event("GET", c.path, c.query), func(_ http.ResponseWriter, r *http.Request) { got = r })
		if out.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d", c.path, out.StatusCode)
		}
		if got.URL.Path != c.wantPath || got.URL.RequestURI() != c.wantURI || got.Host != "books.school.example" ||
			got.Header.Get("X-Made-Up") != "a,b" || got.RemoteAddr != "192.0.2.7" {
			t.Errorf("%s: path %q, URI %q, host %q", c.path, got.URL.Path, got.URL.RequestURI(), got.Host)
		}
	}
}

// Otherwise the links in answers would begin with http, where the gateway doesn't listen.
func TestRequestsCameOverTLSIfTheGatewaySaysSo(t *testing.T) {
	for proto, want := range map[string]bool{"https": true, "http": false} {
		e := event("GET", "/a", "")
		e["headers"] = map[string]string{"x-forwarded-proto": proto}
		invoke(t, e, func(_ http.ResponseWriter, r *http.Request) {
			if (r.TLS != nil) != want {
				t.Errorf("%s: TLS is %v", proto, r.TLS != nil)
			}
		})
	}
}

func TestBodiesArriveWhole(t *testing.T) {
	binary := "\x00\xff\x1f"
	for _, encoded := range []bool{false, true} {
		e, want := event("POST", "/a", ""), `{"a":"ü"}`
		e["body"] = want
		if encoded {
			want = binary
			e["body"], e["isBase64Encoded"] = base64.StdEncoding.EncodeToString([]byte(binary)), true
		}
		out := invoke(t, e, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || string(body) != want || r.ContentLength != int64(len(want)) {
				t.Errorf("read %q of length %d: %v", body, r.ContentLength, err)
			}
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Add("Vary", "A")
			w.Header().Add("Vary", "B")
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, string(body))
		})
		body := out.Body
		if out.IsBase64Encoded {
			decoded, err := base64.StdEncoding.DecodeString(body)
			if err != nil {
				t.Fatal(err)
			}
			body = string(decoded)
		}
		if body != want || out.IsBase64Encoded != encoded || out.StatusCode != 201 || out.Headers["Vary"] != "A, B" {
			t.Errorf("got %+v", out)
		}
	}
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	e := event("POST", "/a", "")
	e["body"], e["isBase64Encoded"] = "%", true
	for name, e := range map[string]map[string]any{"body": e, "method": event("G T", "/a", "")} {
		out := invoke(t, e, func(http.ResponseWriter, *http.Request) { t.Errorf("%s: handled", name) })
		if out.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", name, out.StatusCode)
		}
	}
	if _, err := (gateway{http.NotFoundHandler()}).Invoke(t.Context(), []byte("[")); err == nil {
		t.Error("an event that is no JSON was taken")
	}
}
