package lambda

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// request is what is used of an event of an HTTP API (AWS: "Create AWS Lambda proxy integrations for HTTP APIs", payload
// format version 2.0).
type request struct {
	RawPath        string            `json:"rawPath"`
	RawQueryString string            `json:"rawQueryString"`
	Headers        map[string]string `json:"headers"`
	RequestContext struct {
		APIID      string `json:"apiId"`
		DomainName string `json:"domainName"`
		HTTP       struct {
			Method   string `json:"method"`
			SourceIP string `json:"sourceIp"`
		} `json:"http"`
	} `json:"requestContext"`
	Body            string `json:"body"`
	IsBase64Encoded bool   `json:"isBase64Encoded"`
}

// response is an answer in the same format. Nothing here sets cookies.
type response struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded,omitempty"`
}

// gateway is an HTTP function as Lambda calls it.
type gateway struct{ handler http.Handler }

// Invoke is the runtime's.
func (g gateway) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var in request
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, fmt.Errorf("reading the gateway's event: %w", err)
	}
	r, err := in.http(ctx)
	if err != nil {
		return json.Marshal(response{StatusCode: http.StatusBadRequest, Headers: map[string]string{}, Body: "malformed request"})
	}
	w := writer{header: make(http.Header)}
	g.handler.ServeHTTP(&w, r)
	return json.Marshal(w.response())
}

// http is the request as a server would have read it from the wire.
func (in request) http(ctx context.Context) (*http.Request, error) {
	body := []byte(in.Body)
	if in.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(in.Body); err != nil {
			return nil, fmt.Errorf("decoding the body: %w", err)
		}
	}
	target := pathOf(in.RawPath)
	if in.RawQueryString != "" {
		target += "?" + in.RawQueryString
	}
	parsed, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, fmt.Errorf("reading the path: %w", err)
	}
	ctx = withEntrance(ctx, entrance{id: in.RequestContext.APIID, name: in.RequestContext.DomainName})
	r, err := http.NewRequestWithContext(ctx, in.RequestContext.HTTP.Method, "/", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("reading the method: %w", err)
	}
	r.URL, r.RequestURI, r.RemoteAddr = parsed, target, in.RequestContext.HTTP.SourceIP
	for name, value := range in.Headers { // the gateway joins repeated ones with a comma, as HTTP allows
		r.Header.Set(name, value)
	}
	r.Host = r.Header.Get("Host")
	if r.Header.Get("X-Forwarded-Proto") == "https" { // the gateway's own word: it ends TLS, and answers with links to itself
		r.TLS = &tls.ConnectionState{}
	}
	return r, nil
}

// pathOf escapes what the gateway has unescaped: its raw path is raw only as far as there were no reserved characters.
func pathOf(raw string) string {
	if _, err := url.ParseRequestURI(raw); err == nil && !strings.ContainsAny(raw, " ?#") {
		return raw
	}
	return (&url.URL{Path: raw}).EscapedPath()
}

// writer keeps an answer until it is whole, because Lambda sends it in one piece.
type writer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *writer) Write(part []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(part)
}

// response is the answer. Only text can be sent as it is.
func (w *writer) response() response {
	w.WriteHeader(http.StatusOK)
	out := response{StatusCode: w.status, Headers: make(map[string]string, len(w.header))}
	for name, values := range w.header {
		out.Headers[name] = strings.Join(values, ", ")
	}
	if utf8.Valid(w.body.Bytes()) {
		out.Body = w.body.String()
	} else {
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(w.body.Bytes()), true
	}
	return out
}
