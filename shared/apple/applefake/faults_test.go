package applefake_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

// seen is what a caller gets for a fault: a status, or an error without an answer or in the middle of one.
type seen struct {
	status   int
	noAnswer bool
	timeout  bool
	cutOff   bool
}

func look(rt http.RoundTripper, q *http.Request) seen {
	response, err := rt.RoundTrip(q)
	if err != nil {
		var timed net.Error
		return seen{noAnswer: true, timeout: errors.As(err, &timed) && timed.Timeout() ||
			errors.Is(err, context.DeadlineExceeded)}
	}
	_, err = io.ReadAll(response.Body)
	return seen{status: response.StatusCode, cutOff: errors.Is(errors.Join(err, response.Body.Close()),
		io.ErrUnexpectedEOF)}
}

// Every fault in both kinds, in process and over a network: what the caller sees is the same, what happened is not.
func TestFaultsComeInBothKindsAndOnBothWays(t *testing.T) {
	tests := map[applefake.Answer]seen{
		applefake.AnswerUnavailable:    {status: 503},
		applefake.AnswerBusy:           {status: 429},
		applefake.AnswerHTML:           {status: 502},
		applefake.AnswerConnectionLost: {noAnswer: true},
		applefake.AnswerTruncated:      {status: 200, cutOff: true},
		applefake.AnswerTimeout:        {noAnswer: true, timeout: true},
	}
	for answer, want := range tests {
		for _, acted := range []bool{false, true} {
			for _, network := range []bool{false, true} {
				r := build(t, applefake.Options{}, spec())
				r.server.Script(applefake.Rules(applefake.Rule{
					Endpoint: applefake.EndpointCreate, First: 2, Fault: applefake.Fault{Answer: answer, Acted: acted},
				}))
				way := r.server.Transport()
				send := func(id string) seen {
					q := r.request(http.MethodPost, "/users/create", who(id, ""))
					if network {
						front := httptest.NewServer(r.server)
						defer front.Close()
						way = &http.Transport{DisableKeepAlives: true}
						q.URL.Scheme, q.URL.Host = "http", strings.TrimPrefix(front.URL, "http://")
						if answer == applefake.AnswerTimeout && id == "second" {
							ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
							defer cancel()
							q = q.WithContext(ctx)
						}
					}
					return look(way, q)
				}
				if got := send("first"); got != (seen{status: 200}) {
					t.Fatalf("the first request: %+v", got)
				}
				if got := send("second"); got != want {
					t.Errorf("answer %d, acted %t, network %t: saw %+v, want %+v", answer, acted, network, got, want)
				}
				r.clock.Advance(time.Minute)
				if _, happened := r.at.User("second"); happened != acted {
					t.Errorf("answer %d, acted %t, network %t: happened %t", answer, acted, network, happened)
				}
				if got := send("third"); got != (seen{status: 200}) {
					t.Errorf("the request after the fault: %+v", got)
				}
			}
		}
	}
}

func TestAFaultMayNameTheTimeToWait(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.server.Script(func(*applefake.Incoming) applefake.Fault {
		return applefake.Fault{Answer: applefake.AnswerUnavailable, RetryAfter: "30"}
	})
	if a := r.get("/users"); a.code != 503 || a.ErrorNumber != 9729 || a.header.Get("Retry-After") != "30" {
		t.Errorf("got %s, Retry-After %q", a.raw, a.header.Get("Retry-After"))
	}
}

func TestADelayPassesOnTheClock(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	var delay applefake.Fault
	r.server.Script(func(*applefake.Incoming) applefake.Fault { return delay })
	for _, acted := range []bool{false, true} {
		delay = applefake.Fault{Delay: time.Minute, Acted: acted}
		began := r.clock.Now()
		r.get("/users")
		wire := r.server.Wire()
		at := wire[len(wire)-1].At
		if took := r.clock.Now().Sub(began); took != time.Minute || at.Equal(began) != acted {
			t.Errorf("acted %t: it took %s, and the fake acted at %s", acted, took, at.Sub(began))
		}
	}
}

func TestAnEventCanBeDelayedOrFailWholly(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.users("a")
	r.server.Script(applefake.Rules(
		applefake.Rule{Endpoint: applefake.EndpointAssociate, First: 1, Fault: applefake.Fault{EventDelay: time.Hour}},
		applefake.Rule{Endpoint: applefake.EndpointAssociate, First: 2, Fault: applefake.Fault{EventError: 9644}},
	))
	slow := r.post("/assets/associate", want(book, "a")).EventID
	if a := r.finish("/assets/associate", want(other, "a")); a.EventStatus != "FAILED" || a.NumCompleted != 0 ||
		a.Failures[0].ErrorNumber != 9644 || r.holders(other) != "" {
		t.Errorf("the failing event: %s", a.raw)
	}
	if a := r.finish("/assets/associate", want(other, "a")); a.EventStatus != "COMPLETE" {
		t.Errorf("a delayed event holds up others: %s", a.raw)
	}
	if a := r.get("/status?eventId=" + slow); a.EventStatus != "PENDING" || r.holders(book) != "" {
		t.Errorf("the delayed event: %s", a.raw)
	}
	r.clock.Advance(time.Hour)
	if r.holders(book) != "a" {
		t.Error("the delayed event never happened")
	}
}

func TestAnEventCanFailPartly(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.users("a", "b")
	r.server.Script(applefake.Rules(applefake.Rule{
		Endpoint: applefake.EndpointAssociate, First: 1, Fault: applefake.Fault{EventError: 9603, EventPartly: true},
	}))
	if a := r.finish("/assets/associate", want(book, "a", "b")); a.EventStatus != "FAILED" || a.NumCompleted != 1 ||
		a.Failures[0].ErrorNumber != 9603 || r.holders(book) != "a" {
		t.Errorf("the failing event: %s", a.raw)
	}
}

func TestAScriptMayAct(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.post("/client/config", mdm("mine", "n", "m"))
	r.server.Script(func(in *applefake.Incoming) applefake.Fault {
		if in.Endpoint == applefake.EndpointUsers && in.N == 2 {
			if err := r.at.TakeOver(&applefake.MDMInfo{ID: "theirs", Name: "n", Metadata: "m"}); err != nil {
				t.Error(err)
			}
		}
		return applefake.Fault{}
	})
	if a := r.get("/users"); a.MDMInfo.ID != "mine" {
		t.Errorf("before: %s", a.raw)
	}
	if a := r.get("/users"); a.MDMInfo.ID != "theirs" {
		t.Errorf("after: %s", a.raw)
	}
}

func TestACallerWhoHasGivenUpIsNotServed(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.server.Transport().RoundTrip(r.request(http.MethodPost, "/users/create", who("u",
		"")).WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, ok := r.server.NextDue(); ok {
		t.Error("it happened")
	}
}

func TestTheWireLogSaysWhatCameAndKeepsSecrets(t *testing.T) {
	r := build(t, applefake.Options{Client: &http.Client{Transport: &receiver{}}}, spec())
	r.post("/client/config", hook("https://mdm.example/hook", "made-up-secret"))
	r.post("/client/config", mdm("mine", "n", "m"))
	r.users("a")
	id := r.post("/assets/associate", want(book, "a")).EventID
	wire := r.server.Wire()
	last := wire[len(wire)-1]
	if last.Endpoint != applefake.EndpointAssociate || last.EventID != id || last.Owner != "mine" ||
		last.Status != 200 ||
		string(last.Body) != want(book, "a") || last.UID != r.at.UID() || !last.At.Equal(r.clock.Now()) {
		t.Errorf("the log says %+v", last)
	}
	for _, c := range wire {
		if strings.Contains(string(c.Body)+c.Query, "made-up-secret") ||
			strings.Contains(string(c.Body)+c.Query, r.token) {
			t.Errorf("the log of %s has a secret", c.Endpoint)
		}
	}
	if n := r.server.Counts()[applefake.EndpointConfigure]; n != 2 {
		t.Errorf("%d configurations counted", n)
	}
}
