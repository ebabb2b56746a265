package applefake

import (
	"net/http"
	"time"
)

// Fault is what goes wrong with one request. The zero value is: nothing. The most dangerous ones come in both kinds:
// with Acted false nothing has happened, with Acted true it has and only the answer is lost.
type Fault struct {
	Answer Answer
	Acted  bool // do what the request asks before giving Answer instead of the true one

	RetryAfter string        // header of AnswerUnavailable and AnswerBusy, if any
	Delay      time.Duration // passes on the clock: before acting, or after it if Acted

	EventDelay time.Duration // the event of this request ends that much later
	EventError int           // the event of this request fails wholly, with this number
	// EventPartly has only every second task of an association fail with EventError; the others are done.
	EventPartly bool
}

// Answer is what the caller gets instead of the true answer.
type Answer int

// Answers that a caller must expect of any service.
const (
	AnswerTrue           Answer = iota
	AnswerUnavailable           // 503 and 9729
	AnswerBusy                  // 429 and 9646
	AnswerHTML                  // 502 with a page of a gateway
	AnswerConnectionLost        // no answer: the connection ends
	AnswerTruncated             // the answer's body ends in the middle
	AnswerTimeout               // no answer until the caller gives up
)

// Incoming is a request as a script sees it.
type Incoming struct {
	*http.Request
	Endpoint string // see the Endpoint constants
	N        int    // the how-manieth request to this endpoint; the first is 1
	Body     []byte
}

// Script decides the fate of each request. It is called before anything else happens, outside of the fake's lock: it may
// also call the locations' acts. Nil: nothing goes wrong.
func (s *Server) Script(script func(*Incoming) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script
}

// Rule is a fault for certain requests: to one endpoint (empty: any), from the First to the Last (0: only the First).
type Rule struct {
	Endpoint    string
	First, Last int
	Fault       Fault
}

// Rules is the script that applies the first rule that fits.
func Rules(rules ...Rule) func(*Incoming) Fault {
	return func(in *Incoming) Fault {
		for _, r := range rules {
			if (r.Endpoint == "" || r.Endpoint == in.Endpoint) && in.N >= r.First && in.N <= max(r.Last, r.First) {
				return r.Fault
			}
		}
		return Fault{}
	}
}
