package graph

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/world"
)

// exchange is what Handler knows of one request and the writers need for the answer.
type exchange struct {
	requestID       string
	clientRequestID string
	clock           world.Clock
	log             *slog.Logger
	trustForwarded  bool
	segments        []string
	route           string // the pattern that matched, set by Handle
}

type exchangeKey struct{}

// exchangeOf is the request's exchange. Outside a Handler there is none to find; then answers carry no ids and the
// zero time, which clients can still parse.
func exchangeOf(r *http.Request) *exchange {
	if x, ok := r.Context().Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{log: slog.Default()}
}

func (x *exchange) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

func (x *exchange) now() time.Time {
	if x.clock == nil {
		return time.Time{}
	}
	return x.clock.Now()
}

// RequestID is the id that the answer to r carries, for records that should be found again by it.
func RequestID(r *http.Request) string { return exchangeOf(r).requestID }

// Origin is scheme and host as the client used them, e.g. "https://books.school.example": the beginning of every link in an
// answer. X-Forwarded-Proto and -Host count only where Options.TrustForwarded says so.
func Origin(r *http.Request) string {
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if exchangeOf(r).trustForwarded {
		if p := firstOf(r.Header.Get("X-Forwarded-Proto")); p == "http" || p == "https" {
			scheme = p
		}
		if h := firstOf(r.Header.Get("X-Forwarded-Host")); h != "" {
			host = h
		}
	}
	return scheme + "://" + host
}

func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(first)
}

// Beta says whether r came under /beta, where some properties and routes exist that /v1.0 lacks.
func Beta(r *http.Request) bool { return version(r) == "beta" }

func version(r *http.Request) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if strings.EqualFold(first, "beta") {
		return "beta"
	}
	return "v1.0"
}
