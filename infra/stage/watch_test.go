package stage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/token"
)

// watch sees every request as it starts and every answer as it arrives.
type watch struct {
	school *school
	seen   []*exchange
	// before, if set, is called with each request before it starts, and change with each answer before it arrives.
	before func(*exchange)
	change func(*exchange)
}

// exchange is one request with its answer.
type exchange struct {
	Started      time.Time
	Method, Path string
	Query        url.Values
	Body         []byte
	Status       int // 0: no answer arrived
	Answer       []byte
	// Batch is, of a request that spends, the batch that was stored as sending with exactly these pairs; nil: there was none.
	Batch *license.Batch

	authorization string
}

// pair is a title for a reader, as requests and listings name it.
type pair struct {
	AdamID       string `json:"adamId"`
	ClientUserID string `json:"clientUserId"`
}

func (s *school) watch() *watch {
	w := &watch{school: s}
	s.Wire = w.carry
	return w
}

func (w *watch) carry(r *http.Request, apple http.RoundTripper) (*http.Response, error) {
	x := &exchange{
		Started: w.school.Clock.Now(), Method: r.Method, Path: strings.TrimPrefix(r.URL.Path, "/mdm/v2"), Query: r.URL.Query(),
		authorization: r.Header.Get("Authorization"),
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		x.Body, r.Body = body, io.NopCloser(bytes.NewReader(body))
	}
	if x.spends() {
		x.Batch = w.school.sendingBatch(x.pairs())
	}
	w.seen = append(w.seen, x)
	if w.before != nil {
		w.before(x)
	}
	answer, err := apple.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if x.Answer, err = io.ReadAll(answer.Body); err != nil {
		answer.Body = io.NopCloser(io.MultiReader(bytes.NewReader(x.Answer), failing{err}))
		x.Answer = nil
		return answer, nil
	}
	x.Status = answer.StatusCode
	if w.change != nil {
		w.change(x)
		answer.StatusCode = x.Status
	}
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(x.Answer)), int64(len(x.Answer))
	return answer, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (x *exchange) writes() bool { return x.Method == http.MethodPost }
func (x *exchange) spends() bool { return x.Path == "/assets/associate" }
func (x *exchange) lists() bool  { return x.Path == "/assignments" }

// pairs are those that a request spends on.
func (x *exchange) pairs() []pair {
	var body struct {
		Assets []struct {
			AdamID string `json:"adamId"`
		} `json:"assets"`
		ClientUserIDs []string `json:"clientUserIds"`
	}
	_ = json.Unmarshal(x.Body, &body) // what isn't JSON names no pairs, which no test takes for good
	var pairs []pair
	for _, a := range body.Assets {
		for _, id := range body.ClientUserIDs {
			pairs = append(pairs, pair{a.AdamID, id})
		}
	}
	return pairs
}

// refused says that Apple has certainly not done it.
func (x *exchange) refused() bool { return x.Status >= 400 && x.Status < 500 }

// names says that a page of a listing has the pair.
func (x *exchange) names(p pair) bool {
	var body struct {
		Assignments []pair `json:"assignments"`
	}
	_ = json.Unmarshal(x.Answer, &body)
	for _, a := range body.Assignments {
		if a == p {
			return true
		}
	}
	return false
}

// spending are the requests that spend.
func (w *watch) spending() []*exchange {
	var list []*exchange
	for _, x := range w.seen {
		if x.spends() {
			list = append(list, x)
		}
	}
	return list
}

// sent are all pairs of all requests that spend and weren't refused, each as often as it was sent.
func (w *watch) sent() map[pair]int {
	sent := make(map[pair]int)
	for _, x := range w.spending() {
		if !x.refused() {
			for _, p := range x.pairs() {
				sent[p]++
			}
		}
	}
	return sent
}

// sendingBatch is the batch that is stored as sending with exactly these pairs.
func (s *school) sendingBatch(pairs []pair) *license.Batch {
	for _, site := range s.Sites {
		open, err := license.OpenBatches(context.Background(), s.Store.ReadStore, site.UID())
		if err != nil {
			return nil
		}
		record, err := token.OfLocation(context.Background(), s.Store.ReadStore, site.UID())
		if err != nil {
			return nil
		}
		ids := reader.Identity{Location: site.UID(), MDMID: record.Value.MDMID}
		for _, doc := range open {
			users, err := reader.IDs(context.Background(), s.Store.ReadStore, ids, doc.Value.People)
			if err != nil {
				return nil
			}
			if b := doc.Value; b.State == license.Sending && sameSet(b, users, pairs) {
				return &b
			}
		}
	}
	return nil
}

func sameSet(b license.Batch, users map[string]string, pairs []pair) bool {
	listed := make(map[pair]bool)
	for _, title := range b.Titles {
		for _, user := range users {
			listed[pair{title.AdamID, user}] = true
		}
	}
	for _, p := range pairs {
		if !listed[p] {
			return false
		}
	}
	return len(pairs) == len(listed)
}

// checkSends holds every request that spends against law 2.
func (w *watch) checkSends(t *testing.T) {
	t.Helper()
	const resendAfter = 10 * time.Minute
	spending := w.spending()
	for i, x := range spending {
		if x.Batch == nil {
			t.Errorf("the request at %s spent before its batch was stored as sending", x.Started.Format(time.TimeOnly))
			continue
		}
		if !x.Started.Before(x.Batch.NotAfter) || x.Batch.NotAfter.Sub(x.Batch.SendingAt) > time.Minute {
			t.Errorf("the request at %s started too late for its batch of %s, which may be sent until %s",
				x.Started.Format(time.TimeOnly), x.Batch.SendingAt.Format(time.TimeOnly), x.Batch.NotAfter.Format(time.TimeOnly))
		}
		if x.refused() {
			continue
		}
		for _, p := range x.pairs() {
			for _, again := range spending[i+1:] {
				if again.has(p) {
					w.checkAgain(t, p, x.Batch.NotAfter.Add(resendAfter), again)
				}
			}
		}
	}
}

// checkAgain holds a second sending of a pair against law 2: not before the wait has passed, and only if a listing that
// began after it lacks the pair.
func (w *watch) checkAgain(t *testing.T, p pair, from time.Time, again *exchange) {
	t.Helper()
	if again.Started.Before(from) {
		t.Errorf("%v was sent again at %s, which must not happen before %s",
			p, again.Started.Format(time.TimeOnly), from.Format(time.TimeOnly))
		return
	}
	for _, x := range w.seen {
		whole := x.lists() && !x.Query.Has("sinceVersionId") && (!x.Query.Has("adamId") || x.Query.Get("adamId") == p.AdamID) &&
			(!x.Query.Has("clientUserId") || x.Query.Get("clientUserId") == p.ClientUserID)
		if whole && x.Status == http.StatusOK && !x.Started.Before(from) && !x.Started.After(again.Started) && !x.names(p) {
			return
		}
	}
	t.Errorf("%v was sent again at %s without a listing since %s that lacks it",
		p, again.Started.Format(time.TimeOnly), from.Format(time.TimeOnly))
}

func (x *exchange) has(p pair) bool {
	for _, one := range x.pairs() {
		if one == p {
			return true
		}
	}
	return false
}

// without takes the rows of a title out of a listing.
func (x *exchange) without(adamID string) {
	var body map[string]any
	if json.Unmarshal(x.Answer, &body) != nil {
		return
	}
	rows, _ := body["assignments"].([]any)
	body["assignments"] = slices.DeleteFunc(rows, func(row any) bool {
		fields, _ := row.(map[string]any)
		return fields["adamId"] == adamID
	})
	x.Answer, _ = json.Marshal(body) // it was JSON
}
