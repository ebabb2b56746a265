package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/bookplate/bookplate/infra/bench/measure"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/world"
)

// appleHello is what the process that plays Apple says first.
type appleHello struct {
	URL   string // of the service
	Token string // made up, opens its one location
	Seen  string // URL of what it has seen
}

// appleSeen is what it has seen.
type appleSeen struct {
	Counts, Rows map[measure.Kind]int
	Given        int // licenses
	Twice        int // licenses that were spent twice
}

// playApple is the fake as a process of its own, at Apple's documented limits.
func playApple(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("apple", flag.ContinueOnError)
	titles := flags.Int("titles", 1, "titles")
	readers := flags.Int("readers", 1, "licenses of each")
	latency := flags.Duration("latency", time.Millisecond, "time that a write takes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx = untilInputEnds(ctx)
	clock := world.Real().Clock
	limits := applefake.DocumentedLimits()
	server, err := applefake.New(applefake.Options{
		Clock: clock, Seed: 1, WireLimit: 1, Limits: &limits, PageSize: pageSize, PlainHTTP: true,
		Latency: applefake.Latency{Base: *latency},
	})
	if err != nil {
		return err
	}
	site, err := server.AddLocation(measure.Library(*titles, *readers, domain))
	if err != nil {
		return err
	}
	token, err := site.IssueToken(clock.Now().AddDate(1, 0, 0))
	if err != nil {
		return err
	}
	listener, url, err := listen(ctx)
	if err != nil {
		return err
	}
	wire := measure.NewWire()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /bench", func(w http.ResponseWriter, _ *http.Request) {
		seen := appleSeen{Counts: wire.Counts(), Rows: wire.Rows(), Twice: len(server.DoubleSpends())}
		for _, b := range site.Books() {
			seen.Given += b.Assigned
		}
		_ = sayJSON(w, seen) // who has gone away needs no answer
	})
	mux.Handle("/", tapped(wire, server.Transport()))
	if err := sayJSON(out, appleHello{url + "/mdm/v2", token, url + "/bench"}); err != nil {
		return err
	}
	return serveUntil(ctx, listener, mux)
}

// tapped answers requests from the network by a transport, and counts them.
func tapped(wire *measure.Wire, next http.RoundTripper) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Scheme, r.URL.Host = "http", r.Host
		answer, err := wire.Tap(r, next)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		_, err = io.Copy(w, answer.Body)
		_ = errors.Join(err, answer.Body.Close()) // who has gone away needs no answer
	})
}

// seen asks the fake what it has seen.
func seen(ctx context.Context, url string) (s appleSeen, err error) {
	if err := newClient(url, "").do(ctx, http.MethodGet, "", "", "", &s); err != nil {
		return s, fmt.Errorf("asking the fake of Apple's service: %w", err)
	}
	return s, nil
}
