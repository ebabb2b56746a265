package apple

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/vault"
)

func owned(by string) string {
	return `{"assets":[{"adamId":"1"}],"currentPageIndex":0,"totalPages":1,"versionId":"v1",` + by + `}`
}

func TestLaw2ASpendNeverStartsAtOrAfterItsDeadline(t *testing.T) {
	for _, c := range []struct {
		name  string
		until time.Time
		sent  bool
	}{
		{"later", noon.Add(time.Second), true},
		{"just later", noon.Add(1), true},
		{"now", noon, false},
		{"passed", noon.Add(-time.Second), false},
		{"forgotten", time.Time{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t)
			w.on(associate, ok(queued))
			_, err := spend(w.location(), c.until)
			if sent := len(w.started(associate)) == 1; sent != c.sent || (err == nil) != c.sent {
				t.Errorf("sent: %v, %v", sent, err)
			}
			if !c.sent && endOf(t, err) != nothing {
				t.Error(err)
			}
		})
	}
}

func TestLaw2TheDeadlineIsCheckedAfterAllWaiting(t *testing.T) {
	t.Run("for pace", func(t *testing.T) {
		w := newWire(t)
		w.on(assets, ok(emptyPage))
		l := w.location()
		if err := readAssets(l); err != nil {
			t.Fatal(err)
		}
		_, err := spend(l, noon.Add(50*time.Millisecond)) // its turn comes after 100 ms
		if endOf(t, err) != nothing || len(w.started(associate)) != 0 {
			t.Error(err)
		}
	})
	t.Run("for the service configuration", func(t *testing.T) {
		w := newWire(t)
		w.on("GET /mdm/v2/service/config", func(r *http.Request) (*http.Response, error) {
			w.clock.Advance(time.Minute)
			return ok(`{"limits":{}}`)(r)
		})
		_, err := spend(w.location(), noon.Add(time.Minute))
		if endOf(t, err) != nothing || len(w.started(associate)) != 0 {
			t.Error(err)
		}
	})
}

func TestLaw4AnAnswerThatNamesAnotherOwnerStopsTheLocation(t *testing.T) {
	for name, answer := range map[string]step{
		"a good one":          ok(owned(strangers)),
		"an error":            status(400, `{"errorNumber":9602,`+strangers+`}`),
		"a broken one":        broken(`{` + strangers + `,"assets":[`),
		"a server's error":    status(503, `{`+strangers+`}`),
		"one of other shape":  ok(`{` + strangers + `,"assets":7}`),
		"one without content": ok(`{` + strangers + `}`),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t)
			w.on(assets, answer)
			l := w.location()
			err := l.AssetPages(context.Background(), AssetQuery{}, 0, func(Page, []Asset) error {
				t.Error("content of the answer was used")
				return nil
			})
			first, is := errors.AsType[*OwnerError](err)
			if !is || first.Owner.ID != strangeID || first.Owner.Name != "Other Desk" {
				t.Fatal(err)
			}
			before := len(w.seen)
			_, err = spend(l, noon.Add(time.Hour))
			if again, is := errors.AsType[*OwnerError](err); !is || again != first || endOf(t, err) != nothing {
				t.Errorf("write: %v", err)
			}
			_, err = l.Claim(context.Background(), MDMInfo{ID: ourID})
			if endOf(t, err) != nothing {
				t.Errorf("claim: %v", err)
			}
			if _, err = l.ClientConfig(context.Background()); !errors.Is(err, first) {
				t.Errorf("read: %v", err)
			}
			if len(w.seen) != before {
				t.Errorf("sent: %v", w.seen[before:])
			}
			if owner, seen := l.Owner(); !seen || owner != first.Owner {
				t.Errorf("owner: %v %v", owner, seen)
			}
		})
	}
}

func TestLaw4ANameIsNotAnOwner(t *testing.T) {
	w := newWire(t)
	w.on(assets, ok(owned(`"uId":"`+ourUID+`","mdmInfo":{"id":"`+ourID+`","name":"Renamed","metadata":"x"}`)))
	if err := readAssets(w.location()); err != nil {
		t.Error(err)
	}
}

func TestLaw4AWriteThatWaitedSeesWhatArrivedMeanwhile(t *testing.T) {
	for name, answer := range map[string]string{"owner": strangers, "location": `"uId":"2","mdmInfo":{"id":"` + ourID + `"}`} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t)
			w.on(assets, ok(owned(answer)))
			var l *Location
			// The service configuration is asked for after the write passed the gate for the first time.
			w.on("GET /mdm/v2/service/config", func(r *http.Request) (*http.Response, error) {
				w.on("GET /mdm/v2/service/config", ok(`{"limits":{}}`))
				if readAssets(l) == nil {
					t.Error("the read must fail")
				}
				return ok(`{"limits":{}}`)(r)
			})
			l = w.location()
			_, err := spend(l, noon.Add(time.Hour))
			if endOf(t, err) != nothing || len(w.started(associate)) != 0 || len(w.started(assets)) != 1 {
				t.Errorf("%v after %v", err, w.seen)
			}
		})
	}
}

func TestLaw4AWriteWhoseAnswerNamesAnotherOwnerMayHaveHappened(t *testing.T) {
	w := newWire(t)
	w.on(associate, ok(`{"eventId":"event-1",`+strangers+`}`))
	event, err := spend(w.location(), noon.Add(time.Hour))
	if _, is := errors.AsType[*OwnerError](err); !is || endOf(t, err) != nobodyKnows || event != "event-1" {
		t.Errorf("%q %v", event, err)
	}
	w.on(associate, status(400, `{"errorNumber":9700,`+strangers+`}`))
	_, err = spend(w.location(), noon.Add(time.Hour))
	if _, is := errors.AsType[*OwnerError](err); !is || endOf(t, err) != no {
		t.Error(err)
	}
}

func TestLaw4WithoutAnOwnerTheConfigurationIsReadAgainBeforeAWrite(t *testing.T) {
	for _, c := range []struct {
		name, config string
		want         end
	}{
		{"still ours", ours, done},
		{"still nobody's", nobodys, nothing},
		{"an owner without an id", nobodys + `,"mdmInfo":{"id":"","name":"","metadata":""}`, nothing},
		{"a stranger's", strangers, nothing},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t)
			w.on(assets, ok(owned(nobodys)))
			w.on(config, ok(`{`+c.config+`}`))
			w.on(associate, ok(queued))
			l := w.location()
			if err := readAssets(l); err != nil {
				t.Fatal("reads go on:", err)
			}
			_, err := spend(l, noon.Add(time.Hour))
			if got := endOf(t, err); got != c.want {
				t.Errorf("%s: %v", got, err)
			}
			sent := len(w.started(associate)) == 1
			if sent != (c.want == done) || len(w.started(config)) != 1 {
				t.Errorf("requests: %v", w.seen)
			}
			if c.config == nobodys && !isUnsure(err) {
				t.Error(err)
			}
		})
	}
}

// A process that stood still may not have heard what another one has.
func TestLaw4WhatAnAnswerSaidOfTheOwnerHoldsForAMinute(t *testing.T) {
	for _, c := range []struct {
		name, config string
		still        time.Duration
		asked        int
		want         end
	}{
		{"a minute", strangers, time.Minute, 0, done},
		{"longer, and still ours", ours, time.Minute + 1, 1, done},
		{"longer, and a stranger's", strangers, time.Minute + 1, 1, nothing},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t)
			w.on(assets, ok(owned(ours)))
			w.on(config, ok(`{`+c.config+`}`))
			w.on(associate, ok(queued))
			l := w.location()
			w.clock.Advance(time.Hour)
			if err := readAssets(l); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(c.still)
			_, err := spend(l, noon.Add(2*time.Hour))
			if got := endOf(t, err); got != c.want || len(w.started(config)) != c.asked {
				t.Errorf("%s: %v, after %v", got, err, w.seen)
			}
			if sent := len(w.started(associate)) == 1; sent != (c.want == done) {
				t.Errorf("sent: %v", sent)
			}
		})
	}
}

func TestLaw4AnotherLocationStopsTheLocation(t *testing.T) {
	w := newWire(t)
	w.on(config, ok(`{"uId":"2"}`))
	l := w.location()
	for range 2 {
		_, err := l.ClientConfig(context.Background())
		if e, is := errors.AsType[*LocationError](err); !is || e.Want != ourUID || e.Got != "2" {
			t.Error(err)
		}
	}
	if len(w.started(config)) != 1 {
		t.Error("asked again")
	}
}

func TestAnUnknownLocationIsLearnedFromItsFirstAnswer(t *testing.T) {
	w := newWire(t)
	w.on(config, ok(`{"uId":"1",`+`"mdmInfo":{"id":"x"}}`), ok(`{"uId":"2"}`))
	l := w.service().Open(vault.NewSecret(madeUp), Identity{})
	cfg, err := l.ClientConfig(context.Background())
	if err != nil || cfg.UID != "1" || cfg.MDMInfo.ID != "x" {
		t.Fatal(cfg, err)
	}
	_, err = l.ClientConfig(context.Background())
	if _, is := errors.AsType[*LocationError](err); !is {
		t.Error(err)
	}
}

func TestClaim(t *testing.T) {
	const post = "POST /mdm/v2/client/config"
	open := func(w *wire) *Location { return w.service().Open(vault.NewSecret(madeUp), Identity{}) }
	us := MDMInfo{ID: ourID, Name: "Bookplate", Metadata: "v1"}
	ctx := context.Background()

	t.Run("takes over and expects us afterwards", func(t *testing.T) {
		w := newWire(t)
		w.on(config, ok(`{`+strangers+`}`))
		w.on(post, ok(`{`+ours+`}`))
		w.on(assets, ok(owned(strangers)))
		l := open(w)
		if cfg, err := l.ClientConfig(ctx); err != nil || cfg.MDMInfo.ID != strangeID {
			t.Fatal(cfg, err)
		}
		if cfg, err := l.Claim(ctx, us); err != nil || cfg.MDMInfo.ID != ourID {
			t.Fatal(cfg, err)
		}
		if body := w.started(post)[0].body; body != `{"mdmInfo":{"id":"`+ourID+`","name":"Bookplate","metadata":"v1"}}` {
			t.Error(body)
		}
		if _, is := errors.AsType[*OwnerError](readAssets(l)); !is {
			t.Error("another owner afterwards must stop the location")
		}
	})
	t.Run("the last one wins", func(t *testing.T) {
		w := newWire(t)
		w.on(post, ok(`{`+strangers+`}`))
		_, err := open(w).Claim(ctx, us)
		if _, is := errors.AsType[*OwnerError](err); !is || endOf(t, err) != nobodyKnows {
			t.Error(err)
		}
	})
	t.Run("not taken", func(t *testing.T) {
		w := newWire(t)
		w.on(post, ok(`{`+nobodys+`}`))
		_, err := open(w).Claim(ctx, us)
		if !isUnsure(err) || endOf(t, err) != nobodyKnows {
			t.Error(err)
		}
	})
	t.Run("a refused one isn't foreign", func(t *testing.T) {
		w := newWire(t)
		w.on(post, status(400, `{"errorNumber":9723,`+strangers+`}`), ok(`{`+ours+`}`))
		l := open(w)
		if _, err := l.Claim(ctx, us); endOf(t, err) != no {
			t.Error(err)
		}
		if _, err := l.Claim(ctx, us); err != nil {
			t.Error(err)
		}
	})
	t.Run("nothing is written before", func(t *testing.T) {
		w := newWire(t)
		_, err := spend(open(w), noon.Add(time.Hour))
		if endOf(t, err) != nothing || len(w.seen) != 0 {
			t.Error(err)
		}
	})
}
