package graph_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
)

type order struct {
	Name   string    `json:"name"`
	Count  int       `json:"count"`
	When   time.Time `json:"when"`
	Target struct {
		GroupID string `json:"groupId"`
	} `json:"target"`
	Parts []*struct {
		N int `json:"n"`
	} `json:"parts"`
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func post(body string, headers ...string) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "http://books.example/v1.0/x", strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func TestBodiesAreReadAsClientsSendThem(t *testing.T) {
	const text = `{"name":"x","unknown":[1,{"a":2}],"count":2}`
	for name, r := range map[string]*http.Request{
		"plain":                                  post(text, "Content-Type", "application/json"),
		"with charset":                           post(text, "Content-Type", "application/json; charset=utf-8"),
		"with OData parameters":                  post(text, "Content-Type", "Application/JSON;odata.metadata=minimal"),
		"without a content type":                 post(text),
		"gzip, as Go's client sends it":          post(zipped(text), "Content-Type", "application/json", "Content-Encoding", "gzip"),
		"plain that says gzip: Go client, retry": post(text, "Content-Type", "application/json", "Content-Encoding", "gzip"),
		"gzip that doesn't say so":               post(zipped(text)),
		"identity":                               post(text, "Content-Encoding", "identity"),
		"with a byte order mark":                 post("\xef\xbb\xbf" + text),
	} {
		t.Run(name, func(t *testing.T) {
			var got order
			if err := graph.ReadBody(httptest.NewRecorder(), r, 1000, &got); err != nil {
				t.Fatal(err)
			}
			if got.Name != "x" || got.Count != 2 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestBadBodiesAreRefusedWithARemedy(t *testing.T) {
	const limit = 100
	long := `{"name":"` + strings.Repeat("a", limit) + `"}`
	for name, c := range map[string]struct {
		r    *http.Request
		kind problem.Kind
		says []string
	}{
		"form":                 {post(`{}`, "Content-Type", "text/plain"), problem.UnsupportedMedia, []string{"application/json"}},
		"almost JSON":          {post(`{}`, "Content-Type", "application/jsonp"), problem.UnsupportedMedia, []string{"application/json"}},
		"brotli":               {post(`{}`, "Content-Encoding", "br"), problem.UnsupportedMedia, []string{"gzip"}},
		"empty":                {post(""), problem.Invalid, []string{"no body"}},
		"null":                 {post(" null "), problem.Invalid, []string{"no body"}},
		"too long":             {post(long), problem.TooLarge, []string{"100 bytes"}},
		"too long unzipped":    {post(zipped(long), "Content-Encoding", "gzip"), problem.TooLarge, []string{"100 bytes"}},
		"bomb":                 {post(zipped(strings.Repeat(" ", 10<<20))), problem.TooLarge, []string{"100 bytes"}},
		"endless":              {post(strings.Repeat(" ", 1<<20)), problem.TooLarge, []string{"100 bytes"}},
		"gzip cut off":         {post(zipped(`{"name":"x"}`)[:20]), problem.Invalid, []string{"decompressed"}},
		"no JSON":              {post(`{"name":x}`), problem.Invalid, []string{"byte 9"}},
		"cut off":              {post(`{"name":"x`), problem.Invalid, []string{"byte 10"}},
		"two documents":        {post(`{} {}`), problem.Invalid, []string{"byte 4"}},
		"wrong kind":           {post(`{"count":"2"}`), problem.Invalid, []string{"count", "a whole number", "JSON string"}},
		"wrong kind inside":    {post(`{"target":{"groupId":7}}`), problem.Invalid, []string{"target.groupId", "a string"}},
		"wrong kind in a list": {post(`{"parts":[{"n":1},{"n":"2"}]}`), problem.Invalid, []string{"parts[1].n ", "a whole number"}},
		"no object in a list":  {post(`{"parts":[{"n":1}, 7]}`), problem.Invalid, []string{"parts[1] ", "an object"}},
		"a list in a list":     {post(`{"parts":[{},[]]}`), problem.Invalid, []string{"parts[1] ", "an object", "JSON array"}},
		"no list":              {post(`{"parts":{"n":1}}`), problem.Invalid, []string{"parts ", "an array"}},
		"after a list":         {post(`{"parts":[{},{}],"count":"2"}`), problem.Invalid, []string{"count ", "a whole number"}},
		"another letter case":  {post(`{"PARTS":[{"N":"x"}]}`), problem.Invalid, []string{"PARTS[0].N ", "a whole number"}},
		"array":                {post(`[]`), problem.Invalid, []string{"The body", "an object"}},
		"bad date":             {post(`{"when":"yesterday"}`), problem.Invalid, []string{"2026-02-11T10:00:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got order
			refused(t, graph.ReadBody(httptest.NewRecorder(), c.r, limit, &got), c.kind, c.says...)
		})
	}
}

func TestOptionalBodyMayBeEmptyButNotWrong(t *testing.T) {
	for body, ok := range map[string]bool{"": true, "  ": true, "null": true, "{}": true, `{"name":"new"}`: true, "{": false} {
		got := order{Name: "old"}
		err := graph.ReadOptionalBody(httptest.NewRecorder(), post(body), 100, &got)
		if (err == nil) != ok {
			t.Errorf("%q: %v", body, err)
		}
		if want := map[bool]string{true: "new", false: "old"}[strings.Contains(body, "new")]; got.Name != want {
			t.Errorf("%q: name %q, want %q", body, got.Name, want)
		}
	}
	form := post("", "Content-Type", "application/x-www-form-urlencoded")
	if err := graph.ReadOptionalBody(httptest.NewRecorder(), form, 9, nil); err != nil {
		t.Errorf("curl -d '': %v", err)
	}
}

func TestErrorsNeverQuoteTheBody(t *testing.T) {
	const secret = "made-up-secret-7319"
	for _, body := range []string{
		`{"name":"` + secret, `{"when":"` + secret + `"}`, `{"count":"` + secret + `"}`, `{"count":7319.5}`, secret, `["` + secret + `"]`,
	} {
		var got order
		err := graph.ReadBody(httptest.NewRecorder(), post(body), 1000, &got)
		if err == nil || strings.Contains(err.Error(), "7319") {
			t.Errorf("%s: %v", body, err)
		}
	}
}
