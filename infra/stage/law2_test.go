package stage_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/stage"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/grant"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
)

const sendPeople = 4

// sendScene gives one title to people who are readers already, and returns all that was said to Apple.
func sendScene(t *testing.T, ready *school, script func(*applefake.Incoming) applefake.Fault, prepare func(*school, *watch)) (
	*school, *watch,
) {
	t.Helper()
	s := ready.fork(t, 1)
	s.Apple.Script(script)
	w := s.watch()
	if prepare != nil {
		prepare(s, w)
	}
	must(t, s.wish(context.Background(), bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
	must(t, s.Rest(context.Background()))
	w.checkSends(t)
	s.checkBooks(t)
	s.checkEqual(t, "at rest")
	if got := s.held(s.titles[0]); got != sendPeople {
		t.Errorf("%d people hold %d licenses", sendPeople, got)
	}
	return s, w
}

// checkSentTimes checks how often each pair was sent.
func (w *watch) checkSentTimes(t *testing.T, want int) {
	t.Helper()
	sent := w.sent()
	if len(sent) != sendPeople {
		t.Errorf("%d pairs were sent, want %d", len(sent), sendPeople)
	}
	for p, n := range sent {
		if n != want {
			t.Errorf("%v was sent %d times, want %d", p, n, want)
		}
	}
}

var lostAnswers = map[string]applefake.Answer{
	"503": applefake.AnswerUnavailable, "a gateway's page": applefake.AnswerHTML,
	"connection lost": applefake.AnswerConnectionLost, "truncated": applefake.AnswerTruncated, "time-out": applefake.AnswerTimeout,
}

func TestLaw2WhatAppleDidWithoutAnAnswerIsNotSentAgain(t *testing.T) {
	ready := enrolled(t, sendPeople, 1, nil)
	for name, answer := range lostAnswers {
		t.Run(name, func(t *testing.T) {
			_, w := sendScene(t, ready, firstAssociate(applefake.Fault{Answer: answer, Acted: true}), nil)
			w.checkSentTimes(t, 1)
		})
	}
}

func TestLaw2WhatAppleDidNotDoIsSentAgainOnlyAfterTheWaitAndAListing(t *testing.T) {
	ready := enrolled(t, sendPeople, 1, nil)
	for name, answer := range lostAnswers {
		t.Run(name, func(t *testing.T) {
			_, w := sendScene(t, ready, firstAssociate(applefake.Fault{Answer: answer}), nil)
			w.checkSentTimes(t, 2)
		})
	}
}

func TestLaw2AThrottledRequestIsNotUnknown(t *testing.T) {
	_, w := sendScene(t, enrolled(t, sendPeople, 1, nil), firstAssociate(applefake.Fault{Answer: applefake.AnswerBusy}), nil)
	w.checkSentTimes(t, 1)
}

// Apple asks to wait, while some batches are under way and more are to follow. Nothing that the refused batch leaves behind may
// have Apple asked again before: the next wake may be another process, which hasn't heard that.
func TestGrantsWaitAsLongAsAppleAsks(t *testing.T) {
	s := enrolled(t, 40, 1, func(o *stage.Options) {
		o.Pace = grant.Pace{ResendAfter: 10 * time.Minute, Poll: 10 * time.Second, MaxOpen: 2}
	})
	var refused time.Time
	sendings := 0
	s.Apple.Script(func(in *applefake.Incoming) applefake.Fault {
		if in.Endpoint != applefake.EndpointAssociate {
			return applefake.Fault{}
		}
		if sendings++; sendings != 2 {
			return applefake.Fault{}
		}
		refused = s.Clock.Now()
		return applefake.Fault{Answer: applefake.AnswerBusy, RetryAfter: "300"}
	})
	before := len(s.Site.Ledger())
	s.assign(t)
	for more := true; more && refused.IsZero(); {
		var err error
		more, err = s.Step(t.Context())
		must(t, err)
	}
	marks, err := mark.Read(t.Context(), s.Store.ReadStore, s.Site.UID())
	must(t, err)
	waits := 0
	for _, m := range marks {
		if m.Kind != mark.Grants {
			continue
		}
		waits++
		if wait := m.Due.Sub(refused); wait < 5*time.Minute {
			t.Errorf("grants of %s are due %s after Apple has asked to wait for 5 minutes", m.Subject, wait)
		}
	}
	must(t, s.Rest(t.Context()))
	if got, want := len(s.Site.Ledger())-before, len(s.people)*len(s.titles); got != want || waits == 0 {
		t.Errorf("%d licenses were given in the end, want %d; %d marks waited", got, want, waits)
	}
}

// A process freezes after it has stored the batch as sending, and wakes up when the batch may no longer be sent.
func TestLaw2AFrozenProcessSendsNothing(t *testing.T) {
	frozen := ""
	_, w := sendScene(t, enrolled(t, sendPeople, 1, nil), nil, func(s *school, _ *watch) {
		s.whenBatch(s.Site, license.Sending, true, func(b license.Batch) {
			frozen = b.ID
			s.Clock.Advance(61 * time.Second)
		})
	})
	w.checkSentTimes(t, 1)
	for _, x := range w.spending() {
		if frozen == "" || x.Batch != nil && x.Batch.ID == frozen {
			t.Errorf("the frozen batch %q was sent at %s", frozen, x.Started.Format(time.TimeOnly))
		}
	}
}

// Apple takes longer than anybody waits: the pairs are sent again, but not too early, and nothing is given twice.
func TestLaw2ASlowEventIsWaitedFor(t *testing.T) {
	ready := enrolled(t, sendPeople, 1, nil)
	for _, delay := range []time.Duration{5 * time.Minute, 9 * time.Minute, 25 * time.Minute, 2 * time.Hour} {
		t.Run(delay.String(), func(t *testing.T) {
			_, w := sendScene(t, ready, firstAssociate(applefake.Fault{EventDelay: delay}), nil)
			if delay < 10*time.Minute {
				w.checkSentTimes(t, 1)
			}
		})
	}
}

// Apple forgets events early (9708): its listing tells.
func TestLaw2AForgottenEventIsLookedUpInTheListing(t *testing.T) {
	ready := enrolled(t, sendPeople, 1, func(o *stage.Options) { o.Apple.EventTTL = time.Second })
	_, w := sendScene(t, ready, nil, nil)
	w.checkSentTimes(t, 1)
	for _, x := range w.seen {
		if x.Path == "/status" && x.Status == http.StatusOK {
			t.Error("the event wasn't forgotten: the scene proves nothing")
		}
	}
}

// Apple says COMPLETE, and its listing doesn't show it yet: the pairs are neither free nor sent again.
func TestLaw2ACompleteEventIsNotTheListing(t *testing.T) {
	for _, lag := range []time.Duration{time.Minute, 8 * time.Minute} {
		t.Run(lag.String(), func(t *testing.T) {
			lagged := 0
			_, w := sendScene(t, enrolled(t, sendPeople, 1, nil), nil, func(s *school, w *watch) {
				w.change = func(x *exchange) {
					spending := w.spending()
					if x.lists() && len(spending) > 0 && x.Started.Before(spending[0].Started.Add(lag)) {
						x.without(s.titles[0])
						lagged++
					}
				}
			})
			w.checkSentTimes(t, 1)
			if lagged == 0 {
				t.Error("no listing lagged")
			}
		})
	}
}

// Apple says FAILED for the whole, though it gave everything: a failure isn't "nothing was done".
func TestLaw2AFailedEventIsNotNothing(t *testing.T) {
	said := 0
	_, w := sendScene(t, enrolled(t, sendPeople, 1, nil), nil, func(s *school, w *watch) {
		w.change = func(x *exchange) {
			if x.Path == "/status" && len(w.spending()) > 0 {
				x.Answer = fmt.Appendf(nil, `{"eventStatus":"FAILED","eventType":"ASSOCIATE","numCompleted":0,"numRequested":%d,`+
					`"failures":[{"errorNumber":9603,"errorMessage":"Internal error."}],"uId":%q,"mdmInfo":{"id":%q}}`,
					sendPeople, s.Site.UID(), s.Site.MDMInfo().ID)
				said++
			}
		}
	})
	w.checkSentTimes(t, 1)
	if said == 0 {
		t.Error("no event was said to have failed")
	}
}
