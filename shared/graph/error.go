package graph

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/bookplate/bookplate/shared/problem"
)

// Retry-After stays below 180 s, because Graph's Python client doesn't wait longer but gives up. Where the wait isn't
// known, retryUnknown stands in: a 429 or 503 without the header leaves scripts to guess.
const (
	retryMost    = 179 * time.Second
	retryUnknown = 10 * time.Second
)

type errorBody struct {
	Error mainError `json:"error"`
}

type mainError struct {
	Code    string     `json:"code"`
	Message string     `json:"message"`
	Target  string     `json:"target,omitempty"`
	Inner   innerError `json:"innerError"`
}

// innerError's date must parse as a date-time: Go's client otherwise reports the date and loses the error.
type innerError struct {
	Date            string `json:"date"`
	RequestID       string `json:"request-id,omitempty"`
	ClientRequestID string `json:"client-request-id,omitempty"`
}

// code is the kind's usual OData error code.
func code(k problem.Kind) string {
	codes := map[problem.Kind]string{
		problem.Invalid:          "BadRequest",
		problem.Unauthenticated:  "InvalidAuthenticationToken",
		problem.Forbidden:        "Forbidden",
		problem.NotFound:         "ResourceNotFound",
		problem.MethodNotAllowed: "MethodNotAllowed",
		problem.Conflict:         "Conflict",
		problem.Gone:             "Gone",
		problem.Precondition:     "PreconditionFailed",
		problem.TooLarge:         "RequestEntityTooLarge",
		problem.UnsupportedMedia: "UnsupportedMediaType",
		problem.TooManyRequests:  "TooManyRequests",
		problem.Unavailable:      "ServiceUnavailable",
		problem.Upstream:         "BadGateway",
		problem.FailedDependency: "FailedDependency",
	}
	if c, ok := codes[k]; ok {
		return c
	}
	return "InternalServerError"
}

// WriteError answers with err as an OData error. A *problem.Error anywhere in err's chain gives status, code, message and
// target; any other error is ours: it is logged whole, and the answer is a 500 that names the request id. What a caller
// can't see (causes, and whatever lies behind a 5xx) is logged.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r)
	p, known := problem.As(err)
	if !known {
		p = problem.New(problem.Internal, "", "Something went wrong on our side, and the request may not have been carried out. "+
			"Try again; if it happens again, tell the operator of this service the request-id %s.", x.requestID)
	}
	status := p.Kind.Status()
	logError(r, x, status, known && p.Cause != nil, err)

	h := w.Header()
	switch {
	case p.RetryAfter > 0:
		h.Set("Retry-After", retryAfter(p.RetryAfter))
	case p.Kind == problem.TooManyRequests || p.Kind == problem.Unavailable:
		h.Set("Retry-After", retryAfter(retryUnknown))
	}
	if p.Kind == problem.Unauthenticated {
		h.Set("WWW-Authenticate", "Bearer")
	}
	body := errorBody{mainError{
		Code: p.Code, Message: p.Message, Target: p.Target,
		Inner: innerError{x.now().UTC().Format("2006-01-02T15:04:05"), x.requestID, x.clientRequestID},
	}}
	if body.Error.Code == "" {
		body.Error.Code = code(p.Kind)
	}
	text, err := encode(body)
	if err != nil { // strings only: it can't fail
		x.log.ErrorContext(r.Context(), "error answer not encoded", slog.String("requestId", x.requestID), slog.Any("error", err))
		text = []byte(`{"error":{"code":"InternalServerError","message":"Something went wrong on our side."}}`)
	}
	writeJSON(w, r, status, text)
}

func logError(r *http.Request, x *exchange, status int, hasCause bool, err error) {
	level := slog.LevelInfo
	switch {
	case status >= 500 && r.Context().Err() == nil:
		level = slog.LevelError
	case status < 500 && !hasCause:
		return // the caller got all there is to know
	}
	x.log.Log(r.Context(), level, "request failed", slog.String("requestId", x.requestID),
		slog.Int("status", status), slog.Any("error", err))
}

// retryAfter is d in whole seconds, rounded up: a client that comes early is refused again.
func retryAfter(d time.Duration) string {
	seconds := (min(d, retryMost) + time.Second - 1) / time.Second
	return strconv.Itoa(int(seconds))
}
