//go:build aws

package emulators

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Wire is the line to a service, on which tests put what emulators don't produce. Safe for concurrent use.
type Wire struct {
	t      testing.TB
	under  http.RoundTripper
	mu     sync.Mutex
	faults []Fault
	calls  []string
}

// Fault is what happens to one request of an operation: nothing is sent (unless Obey), and the answer is the given one,
// or lost when there is none.
type Fault struct {
	Operation string // as the service calls it, e.g. PutItem
	Obey      bool   // the service gets the request and does it; only its answer is replaced
	Status    int    // 0: the line is cut
	Body      string
	// Change and Answer, if set, change the request's body and the answer's on their way; then the others don't count.
	Change, Answer func(body string) string
}

// ErrCut is what a cut line looks like to the client.
var ErrCut = errors.New("made-up cut of the line: connection reset")

// Tap puts a wire between a configuration's clients and their service.
func Tap(t testing.TB, cfg aws.Config) (aws.Config, *Wire) {
	w := &Wire{t: t, under: http.DefaultTransport}
	cfg.HTTPClient = &http.Client{Transport: w}
	return cfg, w
}

// Next lines up faults: each meets the next request of its operation, in their order.
func (w *Wire) Next(faults ...Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, faults...)
}

// Calls are the operations of all requests since it was last asked.
func (w *Wire) Calls() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := w.calls
	w.calls = nil
	return calls
}

// Left is how many faults haven't met their request.
func (w *Wire) Left() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.faults)
}

// RoundTrip is http.RoundTripper's.
func (w *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	fault, hit := w.take(operation)
	if !hit {
		return w.under.RoundTrip(r)
	}
	if fault.Change != nil || fault.Answer != nil {
		return w.rewrite(r, fault)
	}
	if fault.Obey {
		answer, err := w.under.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		if answer.StatusCode != http.StatusOK {
			w.t.Errorf("%s was to be obeyed, and was answered with %d", operation, answer.StatusCode)
		}
		if err := answer.Body.Close(); err != nil {
			return nil, err
		}
	}
	if fault.Status == 0 {
		return nil, ErrCut
	}
	return answerOf(r, fault.Status, fault.Body), nil
}

func (w *Wire) take(operation string) (Fault, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, operation)
	if len(w.faults) == 0 || w.faults[0].Operation != operation {
		return Fault{}, false
	}
	fault := w.faults[0]
	w.faults = w.faults[1:]
	return fault, true
}

func (w *Wire) rewrite(r *http.Request, fault Fault) (*http.Response, error) {
	if fault.Change != nil {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		changed := fault.Change(string(text))
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
	}
	answer, err := w.under.RoundTrip(r)
	if err != nil || fault.Answer == nil {
		return answer, err
	}
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	return answerOf(r, answer.StatusCode, fault.Answer(string(text))), nil
}

func answerOf(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body:   io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body)),
	}
}

// Refusal is an answer of DynamoDB's or Secrets Manager's that says no, with further fields as JSON members.
func Refusal(operation, code, more string) Fault {
	return Fault{Operation: operation, Status: http.StatusBadRequest, Body: refusal(code, more)}
}

func refusal(code, more string) string {
	return `{"__type":"com.amazonaws.dynamodb.v20120810#` + code + `","message":"made up"` + more + `}`
}
