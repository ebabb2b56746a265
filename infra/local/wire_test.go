package main_test

import (
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// How long the answer to a write is on its way, after Apple has taken it; and at most, while a kill is to come first.
const (
	answerTakes = 100 * time.Millisecond
	killTakes   = 5 * time.Second
)

// slowWire is a way to Apple on which the answers to writes take their time. While some of those to requests that spend
// are under way, it has the killer strike: the moment at which most can go wrong.
func slowWire(t *testing.T, apple string, k *killer, chance *rand.Rand) string {
	t.Helper()
	to, err := url.Parse(apple)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	spent := 0
	aim := func() bool {
		mu.Lock()
		defer mu.Unlock()
		spent++
		return spent <= 2 || spent <= 8 && chance.IntN(4) == 0
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // Apple's configuration names the way that one came
		},
		ModifyResponse: func(answer *http.Response) error {
			if answer.Request.Method == http.MethodGet {
				return nil
			}
			takes := answerTakes
			if strings.HasSuffix(answer.Request.URL.Path, "/assets/associate") && aim() {
				k.strikeNow()
				takes = killTakes
			}
			select {
			case <-time.After(takes):
			case <-answer.Request.Context().Done():
			}
			return nil
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // that nobody is there for an answer is the purpose
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}
