package graph_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/world"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n got %s\nwant %s", path, got, want)
	}
}

// server is a handler with a fixed clock and counted request ids; it keeps its log.
type server struct {
	http.Handler
	log *strings.Builder
}

func serve(next http.Handler, change ...func(*graph.Options)) server {
	var log strings.Builder
	n := 0
	o := graph.Options{
		Clock: world.NewVirtual(1, time.Date(2026, 2, 11, 10, 0, 0, 0, time.UTC)),
		IDs: func() string {
			n++
			return fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
		},
		Log: slog.New(slog.NewJSONHandler(&log, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	return server{graph.Handler(next, o), &log}
}

func (s server) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func get(target string) *http.Request {
	return httptest.NewRequestWithContext(context.Background(), http.MethodGet, target, nil)
}

// shape is an answer as a golden file shows it.
func shape(w *httptest.ResponseRecorder) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", w.Code)
	_ = w.Header().Write(&b) // a strings.Builder doesn't fail
	fmt.Fprintf(&b, "\n%s\n", w.Body)
	return strings.ReplaceAll(b.String(), "\r\n", "\n")
}

func refused(t *testing.T, err error, kind problem.Kind, parts ...string) {
	t.Helper()
	p, ok := problem.As(err)
	if !ok || p.Kind != kind {
		t.Fatalf("got error %v, want a problem of kind %d", err, kind)
	}
	for _, part := range parts {
		if !strings.Contains(p.Target+" "+p.Message, part) {
			t.Errorf("%q doesn't tell %q", p.Target+" "+p.Message, part)
		}
	}
}
