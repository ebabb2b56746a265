//go:build aws && e2e

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bookplate/bookplate/infra/sam"
)

// gateway plays the HTTP API with the template's routes.
func gateway(t sam.Template, functions map[string]*function) http.Handler {
	mux := http.NewServeMux()
	for name, f := range t.Functions {
		for _, route := range f.Routes() {
			mux.Handle(route, integration{functions[name], route})
		}
		if f.HasDefaultRoute() {
			mux.Handle("/", integration{functions[name], "$default"})
		}
	}
	return mux
}

// integration is a route with the function behind it (AWS: "Create AWS Lambda proxy integrations for HTTP APIs", payload
// format version 2.0).
type integration struct {
	function *function
	route    string
}

func (i integration) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	payload, err := i.event(r)
	var answer []byte
	if err == nil {
		answer, err = i.function.invoke(r.Context(), payload)
	}
	var out events.APIGatewayV2HTTPResponse
	if err == nil {
		err = json.Unmarshal(answer, &out)
	}
	if err != nil || out.StatusCode == 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"message":"Internal Server Error"}`)
		return
	}
	body := []byte(out.Body)
	if out.IsBase64Encoded {
		body, _ = base64.StdEncoding.DecodeString(out.Body)
	}
	for name, value := range out.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(out.StatusCode)
	_, _ = w.Write(body)
}

func (i integration) event(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	headers := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: i.route, RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery, Headers: headers,
		Body: string(body),
	}
	// The gateway sends as text what it knows to be text, and everything else in base64.
	if kind := r.Header.Get("Content-Type"); len(body) > 0 && !strings.HasPrefix(kind, "text/") && kind != "application/json" {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	e.RequestContext = events.APIGatewayV2HTTPRequestContext{
		RouteKey: i.route, Stage: "$default", Time: time.Now().UTC().Format("02/Jan/2006:15:04:05 -0700"),
		HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
			Method: r.Method, Path: r.URL.EscapedPath(), Protocol: "HTTP/1.1", SourceIP: "192.0.2.7",
		},
	}
	return json.Marshal(e)
}
