package stage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/token"
)

// other is another product that takes the location over.
var other = applefake.MDMInfo{ID: "another-product", Name: "Another Product", Metadata: "made up"}

// owned is what an answer says about the location.
type owned struct {
	UID     string `json:"uId"`
	MDMInfo struct {
		ID string `json:"id"`
	} `json:"mdmInfo"`
}

func (x *exchange) owned() (o owned, ok bool) {
	return o, x.Status == http.StatusOK && json.Unmarshal(x.Answer, &o) == nil && o.UID != ""
}

// stopScene acts the main job, in which something happens to the location at the n-th request from now on, and says how
// many requests there were.
func stopScene(t *testing.T, ready *school, arm func(*school, *watch)) *watch {
	t.Helper()
	s := ready.fork(t, 1)
	w := s.watch()
	arm(s, w)
	s.assign(t)
	must(t, s.Rest(context.Background()))
	s.sync(t, s.Site, "order") // whatever it was, it is seen by now
	return w
}

// checkStopped checks the record and that nothing is said to Apple any more.
func (w *watch) checkStopped(t *testing.T, n int, want token.State) {
	t.Helper()
	s := w.school
	if got := s.record(t, s.Site); got.State != want || got.Why == "" {
		t.Fatalf("at request %d: the token is %q (%q), want %q and why", n, got.State, got.Why, want)
	}
	before := len(w.seen)
	s.sync(t, s.Site, "order")
	if len(w.seen) != before {
		t.Fatalf("at request %d: %d requests to a location that is stopped", n, len(w.seen)-before)
	}
}

func TestLaw4NoWriteStartsAfterAnAnswerNamedAnotherOwner(t *testing.T) {
	ready := installed(t, 6, 2, nil)
	n, more := 1, true
	for ; more; n++ {
		more = false
		w := stopScene(t, ready, func(s *school, w *watch) {
			w.before = func(*exchange) {
				if len(w.seen) == n {
					more = true
					must(t, s.Site.TakeOver(&other))
				}
			}
		})
		if !more {
			break
		}
		foreign := false
		for i, x := range w.seen {
			if foreign && x.writes() {
				t.Errorf("taken over at request %d: request %d is a %s %s", n, i+1, x.Method, x.Path)
			}
			if o, ok := x.owned(); ok && o.MDMInfo.ID == other.ID {
				foreign = true
			}
		}
		if !foreign {
			t.Fatalf("taken over at request %d: no answer said so", n)
		}
		w.checkStopped(t, n, token.ExternalOwner)
	}
	if n < 15 {
		t.Errorf("only %d requests: the scene is too short to prove anything", n)
	}
}

// An answer that refuses names another owner too: the batch isn't split and tried again, as it would be otherwise.
func TestLaw4ARefusalThatNamesAnotherOwnerStopsToo(t *testing.T) {
	s := enrolled(t, 4, 1, nil)
	w := s.watch()
	w.change = func(x *exchange) {
		if x.spends() && len(w.spending()) == 1 {
			x.Status = http.StatusBadRequest
			x.Answer = fmt.Appendf(nil, `{"errorNumber":9602,"errorMessage":"Invalid argument.","uId":%q,"mdmInfo":{"id":%q}}`,
				s.Site.UID(), other.ID)
		}
	}
	must(t, s.wish(context.Background(), bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
	must(t, s.Rest(context.Background()))
	if last := w.seen[len(w.seen)-1]; !last.spends() || len(w.spending()) != 1 {
		t.Errorf("%d requests spent; the last request was %s %s", len(w.spending()), last.Method, last.Path)
	}
	w.checkStopped(t, len(w.seen), token.ExternalOwner)
}

// Nobody is named as the owner: then the client configuration is read before anything is written, and if it doesn't name
// us either, nothing is.
func TestLaw4NoWriteStartsWhileNoOwnerIsNamed(t *testing.T) {
	ready := installed(t, 6, 2, nil)
	for n, more := 1, true; more; n++ {
		more = false
		w := stopScene(t, ready, func(s *school, w *watch) {
			w.before = func(*exchange) {
				if len(w.seen) == n {
					more = true
					must(t, s.Site.TakeOver(nil))
				}
			}
		})
		cleared := false
		for i, x := range w.seen {
			if cleared && x.writes() {
				t.Errorf("cleared at request %d: request %d is a %s %s", n, i+1, x.Method, x.Path)
			}
			if o, ok := x.owned(); ok && o.MDMInfo.ID == "" {
				cleared = true
			}
		}
	}
}

// One answer lacks the owner, and the configuration still names us: work goes on.
func TestLaw4AnAnswerWithoutAnOwnerIsAskedAbout(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 4, 1, nil)
	w := s.watch()
	blanked := false
	w.change = func(x *exchange) {
		if x.Path == "/users" && !blanked {
			var body map[string]any
			must(t, json.Unmarshal(x.Answer, &body))
			delete(body, "mdmInfo")
			var err error
			x.Answer, err = json.Marshal(body)
			must(t, err)
			blanked = true
		}
	}
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
	must(t, s.Rest(ctx))
	if !blanked || s.held(s.titles[0]) != 4 {
		t.Errorf("an answer was blanked: %v; %d licenses are held, want 4", blanked, s.held(s.titles[0]))
	}
	asked := false
	for _, x := range w.seen {
		if o, ok := x.owned(); ok && o.MDMInfo.ID == "" {
			asked = false
		} else if x.Path == "/client/config" && ok {
			asked = true
		}
		if x.writes() && !asked {
			t.Errorf("%s %s started before the configuration was asked", x.Method, x.Path)
		}
	}
}

// The token opens another location than it did.
func TestLaw4NoWriteStartsAfterAnAnswerOfAnotherLocation(t *testing.T) {
	ready := installed(t, 6, 2, nil)
	const wrong = "4711471147114711"
	for n, more := 1, true; more; n++ {
		more = false
		w := stopScene(t, ready, func(s *school, w *watch) {
			w.change = func(x *exchange) {
				if len(w.seen) >= n {
					more = true
					x.Answer = bytes.ReplaceAll(x.Answer, []byte(s.Site.UID()), []byte(wrong))
				}
			}
		})
		strange := false
		for i, x := range w.seen {
			if strange && x.writes() {
				t.Errorf("another location from request %d on: request %d is a %s %s", n, i+1, x.Method, x.Path)
			}
			if o, ok := x.owned(); ok && o.UID == wrong {
				strange = true
			}
		}
		if strange {
			w.checkStopped(t, n, token.Invalid)
		}
	}
}
