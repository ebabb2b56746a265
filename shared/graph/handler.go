package graph

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/world"
)

// Options are what Handler takes from outside. Clock, IDs and Log are required.
type Options struct {
	Clock world.Clock
	// IDs makes a fresh request id (a GUID).
	IDs func() string
	Log *slog.Logger
	// Segments are the literal path segments of the API, e.g. "vppTokens": a request that spells one with other letter case
	// is served as if it hadn't. See CanonicalPath.
	Segments []string
	// TrustForwarded says that a proxy of ours sets X-Forwarded-Proto and -Host (as API Gateway does for the former), so that
	// links are built from them.
	TrustForwarded bool
}

// Handler is the outermost layer of an HTTP function that speaks Graph. It gives the request an id and echoes the
// client's, spells the path canonically, turns panics and plain-text errors (the mux's 404 and 405 among them) into OData
// errors, and logs one line a request: never a body, a query value or a path with its ids, only the route's pattern.
func Handler(next http.Handler, o Options) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := o.Clock.Now()
		x := &exchange{
			requestID: o.IDs(), clientRequestID: clientRequestID(r),
			clock: o.Clock, log: o.Log, trustForwarded: o.TrustForwarded, segments: o.Segments,
		}
		r = canonical(r.WithContext(x.in(r.Context())), o.Segments)
		setHeaders(w.Header(), r, x)
		a := &answer{ResponseWriter: w, r: r}
		defer func() {
			o.Log.InfoContext(r.Context(), "request",
				slog.String("method", r.Method), slog.String("route", x.route), slog.Int("status", a.status),
				slog.Duration("duration", o.Clock.Now().Sub(began)), slog.String("requestId", x.requestID),
				slog.String("clientRequestId", x.clientRequestID))
		}()
		defer recoverPanic(a, r, x)
		next.ServeHTTP(a, r)
		if a.status == 0 {
			a.status = http.StatusOK // net/http's own default
		}
	})
}

func setHeaders(h http.Header, r *http.Request, x *exchange) {
	h.Set("Request-Id", x.requestID)
	if x.clientRequestID != "" {
		h.Set("Client-Request-Id", x.clientRequestID)
	}
	h.Set("Cache-Control", "no-store") // answers are for one caller
	h.Set("Vary", "Accept-Encoding, Authorization, Prefer")
	if strings.HasPrefix(Origin(r), "https:") {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// clientRequestID is the client's own id of the request, if it is fit to be echoed and logged.
func clientRequestID(r *http.Request) string {
	id := r.Header.Get("Client-Request-Id")
	if len(id) > 128 {
		return ""
	}
	for _, c := range []byte(id) {
		if c < ' ' || c > '~' {
			return ""
		}
	}
	return id
}

// recoverPanic answers 500 where a handler panicked. What it panicked with may hold anything, so only runtime errors are
// logged with their text.
func recoverPanic(a *answer, r *http.Request, x *exchange) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		panic(v)
	}
	what := fmt.Sprintf("%T", v)
	if e, ok := v.(runtime.Error); ok {
		what = e.Error()
	}
	x.log.ErrorContext(r.Context(), "handler panicked", slog.String("requestId", x.requestID),
		slog.String("route", x.route), slog.String("panic", what), slog.String("stack", string(debug.Stack())))
	if a.status == 0 {
		WriteError(a, r, fmt.Errorf("panic: %s", what))
	}
}

// answer notes the status, and replaces errors in plain text, which Graph's clients can't read, by OData errors.
type answer struct {
	http.ResponseWriter
	r        *http.Request
	status   int
	replaced bool // the handler's own body is dropped
}

// Unwrap serves http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	if a.status != 0 {
		return
	}
	if status >= 200 { // 1xx come before the answer
		a.status = status
	}
	if status >= 400 && !isJSON(a.Header().Get("Content-Type")) {
		a.replaced = true
		a.Header().Del("Content-Length")
		WriteError(a.ResponseWriter, a.r, a.plainError(status))
		return
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.replaced {
		return len(p), nil
	}
	return a.ResponseWriter.Write(p)
}

// isJSON recognizes application/json and, for other protocols' errors, application/…+json.
func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	return media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}

// plainError is the problem behind a status for which somebody wrote plain text.
func (a *answer) plainError(status int) error {
	switch status {
	case http.StatusNotFound:
		return problem.New(problem.NotFound, "", "Resource not found for the segment '%s'. "+
			"Check the spelling of the path; it begins with /v1.0/ or /beta/.", strangeSegment(a.r))
	case http.StatusMethodNotAllowed:
		return wrongMethod(a.r, a.Header().Get("Allow"))
	}
	for k := problem.Internal; k <= problem.Upstream; k++ {
		if k.Status() == status && k != problem.Internal {
			return problem.New(k, "", "%s.", http.StatusText(status))
		}
	}
	if status < 500 {
		return problem.New(problem.Invalid, "", "%s.", http.StatusText(status))
	}
	return fmt.Errorf("plain-text answer with status %d", status)
}

// WrongMethod is the refusal of a method that a path doesn't answer, with the Allow header that it needs. Methods are those
// that it does.
func WrongMethod(w http.ResponseWriter, r *http.Request, methods ...string) error {
	allowed := strings.Join(methods, ", ")
	w.Header().Set("Allow", allowed)
	return wrongMethod(r, allowed)
}

func wrongMethod(r *http.Request, allowed string) error {
	return problem.New(problem.MethodNotAllowed, "", "This path doesn't answer %.20s. It answers %s.", r.Method, allowed)
}
