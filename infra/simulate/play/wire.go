package play

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/bookplate/bookplate/infra/simulate/judge"
	"github.com/bookplate/bookplate/shared/apple/applefake"
)

// wire carries the requests of a process to Apple's fake.
type wire struct{ process *process }

// latest is how long Apple takes at the most for what nothing delays.
const latest = 5 * time.Second

// RoundTrip is http.RoundTripper's.
func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	s, p := w.process, w.process.play
	s.lives()
	request, err := p.read(s, r)
	if err != nil {
		return nil, err
	}
	p.judge.Begin(request)
	if p.weather.strikes(crashBeforeRequest) {
		s.dies()
	}
	s.mayFreeze(freezeWire)
	fault := p.fate(request)
	request.True = fault.Answer == applefake.AnswerTrue
	p.fault = fault
	request.Due = p.clock.Now().Add(latest + fault.Delay + fault.EventDelay)
	response, err := p.apple.Transport().RoundTrip(r)
	event := ""
	if calls := p.apple.Wire(); len(calls) > 0 && (request.True || fault.Acted) {
		event = calls[len(calls)-1].EventID
	}
	if err == nil {
		body, broken := io.ReadAll(response.Body)
		if broken == nil {
			request.Status, request.Answer = response.StatusCode, body
			response.Body = io.NopCloser(bytes.NewReader(body))
		} else {
			response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{broken}))
		}
	}
	if request.Method == http.MethodPost {
		p.tell(true, "%s: POST %s %s → %d %s", s.name, request.Path, request.Body, request.Status, event)
	} else {
		p.tell(false, "%s: GET %s?%s → %d", s.name, request.Path, request.Query.Encode(), request.Status)
	}
	p.judge.End(request, event)
	if request.Path == "/status" && p.judge.Spent(request.Query.Get("eventId")) && partial(request.Answer) {
		p.count("fault: " + partialEvent)
	}
	s.mayFreeze(freezeWire)
	if p.weather.strikes(crashAfterRequest) {
		s.dies()
	}
	return response, err
}

// partial says that an event has done some of it.
func partial(answer []byte) bool {
	var e struct {
		Status string `json:"eventStatus"`
		Done   int    `json:"numCompleted"`
	}
	return json.Unmarshal(answer, &e) == nil && e.Status == "FAILED" && e.Done > 0
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (p *Play) read(s *process, r *http.Request) (*judge.Request, error) {
	request := &judge.Request{
		At: p.clock.Now(), Process: s.name, Method: r.Method, Path: strings.TrimPrefix(r.URL.Path, "/mdm/v2"), Query: r.URL.Query(),
		UID: p.opens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")],
	}
	if r.Body == nil {
		return request, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	request.Body, r.Body = body, io.NopCloser(bytes.NewReader(body))
	return request, nil
}

// fate is what goes wrong with a request. Apple never says 429 to what it has done.
func (p *Play) fate(r *judge.Request) (f applefake.Fault) {
	w := p.weather
	write := r.Method == http.MethodPost
	if write && w.strikes(slowEvent) {
		f.EventDelay = []time.Duration{30 * time.Second, 3 * time.Minute, 9 * time.Minute, 20 * time.Minute, time.Hour}[p.chaos.IntN(5)]
	}
	if write && w.strikes(failedEvent) {
		f.EventError = []int{9603, 9602, 9604}[p.chaos.IntN(3)]
	}
	if r.Path == "/assets/associate" && f.EventError == 0 && w.strikes(partlyFailed) {
		f.EventError, f.EventPartly = []int{9603, 9602, 9604}[p.chaos.IntN(3)], true
	}
	if write && w.strikes(answerLost) {
		answers := []applefake.Answer{
			applefake.AnswerUnavailable, applefake.AnswerHTML, applefake.AnswerConnectionLost,
			applefake.AnswerTruncated, applefake.AnswerTimeout,
		}
		f.Answer, f.Acted = answers[p.chaos.IntN(len(answers))], true
		return f
	}
	if !write && p.chaos.IntN(4) != 0 {
		return f // reads are many
	}
	for _, one := range []struct {
		fault  string
		answer applefake.Answer
	}{
		{requestLost, applefake.AnswerConnectionLost},
		{answer429, applefake.AnswerBusy},
		{answer503, applefake.AnswerUnavailable},
		{answerHTML, applefake.AnswerHTML},
		{answerTruncated, applefake.AnswerTruncated},
	} {
		if w.strikes(one.fault) {
			f.Answer = one.answer
			return f
		}
	}
	return f
}
