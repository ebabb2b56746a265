package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// running is the program, in this process.
type running struct {
	t     *testing.T
	stop  context.CancelFunc // Ctrl-C
	ended chan error

	mu   sync.Mutex
	said bytes.Buffer // on its standard output
	log  bytes.Buffer // and on its standard error
}

// begin runs the program with the arguments until stop, or the test's end.
func begin(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, stop: cancel, ended: make(chan error, 1)}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		r.ended <- run(ctx, args, variables(nil), &locked{&r.mu, &r.said}, &locked{&r.mu, &r.log})
	}()
	t.Cleanup(func() { cancel(); <-gone })
	return r
}

type locked struct {
	mu *sync.Mutex
	to io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

func (r *running) output() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.String()
}

// until waits until the program has said what matches, and returns the first group of it.
func (r *running) until(pattern string, patience time.Duration) string {
	r.t.Helper()
	expression := regexp.MustCompile(pattern)
	deadline := time.After(patience)
	for {
		if found := expression.FindStringSubmatch(r.output()); found != nil {
			return found[len(found)-1]
		}
		select {
		case err := <-r.ended:
			r.t.Fatalf("the program ended (%v) before it said %q:\n%s", err, pattern, r.output())
		case <-deadline:
			r.t.Fatalf("the program hasn't said %q:\n%s", pattern, r.output())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (r *running) url() string {
	r.t.Helper()
	return r.until(`Bookplate is at (http://[^ ]+),`, 5*time.Second)
}

// end stops the program as Ctrl-C does, and holds it to a quick and quiet end.
func (r *running) end() {
	r.t.Helper()
	asked := time.Now()
	r.stop()
	select {
	case err := <-r.ended:
		if err != nil {
			r.t.Errorf("the program ended with %v", err)
		}
		r.t.Logf("ended after %v", time.Since(asked))
	case <-time.After(5 * time.Second):
		r.t.Fatal("the program hasn't ended 5 s after it was stopped")
	}
	if !strings.Contains(r.output(), "Everything is kept") {
		r.t.Errorf("the last words are missing:\n%s", r.output())
	}
}

// ask sends a request and returns its status and answer.
func ask(ctx context.Context, method, address, bearer, body string) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	if body != "" {
		request.Header.Set("Content-Type", "text/plain")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	data, err := io.ReadAll(answer.Body)
	if closed := answer.Body.Close(); err == nil {
		err = closed
	}
	return answer.StatusCode, string(data), err
}
