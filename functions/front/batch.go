package front

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
)

// What a batch may be. Graph takes 20 requests too.
const (
	batchMost    = 20
	batchLength  = 4 << 20 // bytes of its body
	answersMost  = 4 << 20 // bytes of its answers' bodies: AWS's gateway takes 6 MB in all, base64 included
	batchesWidth = 4       // requests at once: a new AWS account runs ten functions at once
)

const batchPath = "/$batch"

func isBatch(path string) bool { return strings.HasSuffix(strings.ToLower(path), batchPath) }

type batchAsked struct {
	Requests []item `json:"requests"`
}

type batchAnswered struct {
	Responses []response `json:"responses"`
}

// response is the answer to an item. Body is as it came if that is JSON, and otherwise base64.
type response struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// shown are the headers of an answer that say something about it, and nothing about its connection.
var shown = []string{
	"Allow", "Client-Request-Id", "Content-Type", "Etag", "Location", "Preference-Applied", "Request-Id", "Retry-After",
	"Www-Authenticate",
}

// batch performs up to 20 requests (reference: Graph, JSON batching). Those that depend on others wait for them; the rest
// are sent side by side, in no order.
func (f front) batch(w http.ResponseWriter, r *http.Request) error {
	if isOwn(r) {
		return problem.New(problem.Invalid, "", "A batch can't be part of a batch. List its requests in one.")
	}
	var body batchAsked
	if err := graph.ReadBody(w, r, batchLength, &body); err != nil {
		return err
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	asks, err := f.readItems(body.Requests, "/"+version)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	run := batchRun{front: f, outer: r, items: body.Requests, asks: asks, answers: make([]*response, len(asks))}
	for slices.Contains(run.answers, nil) {
		if err := run.next(ctx); err != nil {
			return err
		}
	}
	graph.WriteEntity(w, r, http.StatusOK, "batch", run.answered())
	return nil
}

// batchRun is a batch under way. An answer that is nil is still to come.
type batchRun struct {
	front   front
	outer   *http.Request
	items   []item
	asks    []asked
	answers []*response
}

// next performs the requests that depend on nothing unanswered. There is at least one: readItems has seen to it.
func (b *batchRun) next(ctx context.Context) error {
	var ready []int
	for i := range b.items {
		if b.answers[i] == nil && !slices.ContainsFunc(b.needed(i), func(n int) bool { return b.answers[n] == nil }) {
			ready = append(ready, i)
		}
	}
	made := make([]*response, len(ready))
	err := b.front.World.Run(ctx, batchesWidth, len(ready), func(_ context.Context, k int) error {
		made[k] = b.perform(ctx, ready[k])
		return nil
	})
	if err != nil && ctx.Err() == nil {
		return err
	}
	for k, i := range ready {
		if b.answers[i] = made[k]; made[k] == nil {
			b.answers[i] = b.perform(ctx, i) // the time was up before its turn: it says so
		}
	}
	return nil
}

// needed are the items that item i depends on.
func (b *batchRun) needed(i int) []int {
	var list []int
	for _, id := range b.items[i].DependsOn {
		list = append(list, slices.IndexFunc(b.items, func(other item) bool { return other.ID == id }))
	}
	return list
}

func (b *batchRun) perform(ctx context.Context, i int) *response {
	for _, n := range b.needed(i) {
		if b.answers[n].Status >= http.StatusBadRequest {
			return b.refuse(i, problem.New(problem.FailedDependency, "",
				"This was not sent: the request %q, on which it depends, has failed.", b.items[n].ID))
		}
	}
	if ctx.Err() != nil {
		return b.refuse(i, problem.New(problem.Unavailable, "",
			"This was not sent: the time for the batch was up. Send it again, in a smaller batch."))
	}
	answer, err := b.front.ask(ctx, b.outer, b.asks[i])
	if err != nil {
		return b.refuse(i, err)
	}
	return b.response(i, answer)
}

func (b *batchRun) response(i int, answer got) *response {
	r := &response{ID: b.items[i].ID, Status: answer.status, Headers: map[string]string{}}
	for _, name := range shown {
		if value := answer.header.Get(name); value != "" {
			r.Headers[name] = value
		}
	}
	switch {
	case len(answer.body) == 0:
	case strings.HasPrefix(answer.header.Get("Content-Type"), "application/json") && json.Valid(answer.body):
		r.Body = answer.body
	default:
		r.Body, _ = json.Marshal(base64.StdEncoding.EncodeToString(answer.body)) // a string: it can't fail
	}
	return r
}

// refuse is an answer of front's own.
func (b *batchRun) refuse(i int, err error) *response {
	s := sheet{header: http.Header{}}
	graph.WriteError(&s, b.outer, err)
	return b.response(i, got{status: s.status, header: s.header, body: s.body})
}

// answered are the answers in their requests' order, as many as fit.
func (b *batchRun) answered() batchAnswered {
	all := batchAnswered{Responses: make([]response, len(b.answers))}
	length := 0
	for i, one := range b.answers {
		if length+len(one.Body) > answersMost {
			one = b.refuse(i, problem.New(problem.TooLarge, "", "This was carried out, with the status %d, "+
				"but its answer didn't fit: the answers to a batch may have %d bytes together. "+
				"Ask for it by itself, or for less with $top and $select.", one.Status, answersMost))
		}
		length += len(one.Body)
		all.Responses[i] = *one
	}
	return all
}

// sheet is what an error is written on.
type sheet struct {
	header http.Header
	status int
	body   []byte
}

func (s *sheet) Header() http.Header    { return s.header }
func (s *sheet) WriteHeader(status int) { s.status = status }
func (s *sheet) Write(part []byte) (int, error) {
	s.body = append(s.body, part...)
	return len(part), nil
}
