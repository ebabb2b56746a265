package apple

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"
)

func TestAReadIsRepeatedAfterWhatMayPass(t *testing.T) {
	const html = "<html></html>"
	for _, c := range []struct {
		name   string
		answer step
		again  bool
	}{
		{"429 with 9646", refusal(429, "9646"), true},
		{"429 as HTML", status(429, html), true},
		{"9646 as 200", refusal(200, "9646"), true},
		{"9603", refusal(500, "9603"), true},
		{"9603 as 200", refusal(200, "9603"), true},
		{"9644 as 200", refusal(200, "9644"), true},
		{"9729", refusal(503, "9729"), true},
		{"503 as HTML", status(503, html), true},
		{"200 as HTML", status(200, html), true},
		{"an empty answer", status(200, ""), true},
		{"an empty object", status(200, "{}"), true},
		{"a list", status(200, "[]"), true},
		{"truncated", ok(emptyPage[:len(emptyPage)-1]), true},
		{"truncated in a row", ok(`{"assets":[{"adamId":"1"`), true},
		{"another page than the one asked for", ok(`{"currentPageIndex":7,"versionId":"v",` + ours + `}`), true},
		{"a page without version", ok(`{"currentPageIndex":0,` + ours + `}`), true},
		{"a next page that isn't one", ok(`{"currentPageIndex":0,"nextPageIndex":0,"versionId":"v",` + ours + `}`), true},
		{"no location", ok(`{"currentPageIndex":0,"versionId":"v"}`), true},
		{"rows of another shape", ok(`{"assets":{"adamId":"1"},` + emptyPage[1:]), true},
		{"connection broken in the answer", broken(emptyPage[:20]), true},
		{"connection refused", fails(errDial), true},
		{"connection reset", fails(errReset), true},
		{"timeout", fails(context.DeadlineExceeded), true},

		{"401", refusal(401, "9621"), false},
		{"the token's number as 200", refusal(200, "9621"), false},
		{"the number after the rows", ok(`{"assets":[{"adamId":"1"}],"errorNumber":9621}`), false},
		{"the number as a string", refusal(200, `"9621"`), false},
		{"a number that isn't one", refusal(200, `"E1"`), false},
		{"an unknown number", refusal(400, "9999"), false},
		{"an error with odd details", ok(`{"errorNumber":9602,"errorMessage":{"en":"x"},"errorInfo":[1]}`), false},
	} {
		t.Run(c.name+", then well", func(t *testing.T) {
			w := newWire(t)
			w.on(assets, c.answer, ok(emptyPage))
			err := readAssets(w.location())
			if (err == nil) != c.again || len(w.started(assets)) == 2 != c.again {
				t.Errorf("%v after %d requests", err, len(w.started(assets)))
			}
			if _, is := errors.AsType[*Error](err); !c.again && !is {
				t.Errorf("not a refusal: %v", err)
			}
		})
		t.Run(c.name+", for ever", func(t *testing.T) {
			w := newWire(t)
			w.on(assets, c.answer)
			l := w.location()
			err := readAssets(l)
			want := 1
			if c.again {
				want = 4
			}
			if n := len(w.started(assets)); errors.Is(err, ErrUnavailable) != c.again || n != want || l.Calls()["getAssets"] != want {
				t.Errorf("%v after %d requests, counted %v", err, n, l.Calls())
			}
		})
	}
}

func TestARefusalCarriesWhatAppleSaid(t *testing.T) {
	w := newWire(t)
	w.on(assets, status(400, `{"errorNumber":9707,"errorMessage":"Apple's words",`+
		`"errorInfo":{"assets":[{"adamId":"1","pricingParam":"STDQ"}],"clientUserIds":["u-1"],"serialNumbers":null}}`))
	err := readAssets(w.location())
	e, is := errors.AsType[*Error](err)
	if !is || e.Number != 9707 || e.Status != 400 || e.Message != "Apple's words" ||
		e.Info.Assets[0] != (AssetKey{"1", "STDQ"}) || e.Info.ClientUserIDs[0] != "u-1" {
		t.Errorf("%+v", err)
	}
}

func TestBackoffGrowsWithFullJitter(t *testing.T) {
	w := newWire(t)
	for try, ceiling := range map[int]time.Duration{1: 500 * time.Millisecond, 2: time.Second, 3: 2 * time.Second} {
		longest, shortest := time.Duration(0), time.Hour
		for range 1000 {
			d := backoff(w.clock, try)
			longest, shortest = max(longest, d), min(shortest, d)
		}
		if longest > ceiling || longest < ceiling*9/10 || shortest < 0 || shortest > ceiling/10 {
			t.Errorf("try %d: %s to %s", try, shortest, longest)
		}
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	for _, c := range []struct {
		name, header string
		wait         time.Duration // at least
		gaveUp       bool
	}{
		{"seconds", "7", 7 * time.Second, false},
		{"a date", noon.Add(30 * time.Second).Format(http.TimeFormat), 29 * time.Second, false},
		{"the longest", "60", time.Minute, false},
		{"longer", "61", 61 * time.Second, true},
		{"much longer", "99999999999999", 24 * time.Hour, true},
		{"a date that has passed", noon.Add(-time.Hour).Format(http.TimeFormat), 0, false},
		{"negative", "-5", 0, false},
		{"nonsense", "soon", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t)
			w.on(assets, refusal(503, "9729", "Retry-After", c.header), ok(emptyPage))
			l := w.location()
			err := readAssets(l)
			if !c.gaveUp {
				seen := w.started(assets)
				if err != nil || len(seen) != 2 || seen[1].at.Sub(seen[0].at) < c.wait {
					t.Errorf("%v after %d requests", err, len(seen))
				}
				return
			}
			for _, when := range []string{"at once", "when asked again"} {
				e, is := errors.AsType[*UnavailableError](err)
				if !is || e.RetryAfter != c.wait || len(w.started(assets)) != 1 || !w.clock.Now().Equal(noon) {
					t.Fatalf("%s: %v after %d requests", when, err, len(w.started(assets)))
				}
				err = readAssets(l)
			}
			w.clock.Advance(c.wait)
			if err := readAssets(l); err != nil {
				t.Error("afterwards:", err)
			}
		})
	}
}

func TestRequestsAreSpreadByTheLiveRate(t *testing.T) {
	w := newWire(t) // its rate is 10
	w.on(assets, ok(emptyPage))
	l := w.location()
	for range 31 {
		if err := readAssets(l); err != nil {
			t.Fatal(err)
		}
	}
	seen := w.started(assets)
	for i := 1; i < len(seen); i++ {
		if gap := seen[i].at.Sub(seen[i-1].at); gap != 100*time.Millisecond {
			t.Fatalf("request %d came after %s", i, gap)
		}
	}
	w.clock.Advance(time.Hour) // being idle saves nothing up
	w.on("GET /mdm/v2/service/config", ok(`{"limits":{"maxRequestPerSecond":2}}`))
	before := w.clock.Now()
	for range 3 {
		if err := readAssets(l); err != nil {
			t.Fatal(err)
		}
	}
	if took := w.clock.Now().Sub(before); took != time.Second {
		t.Errorf("three requests at two a second took %s", took)
	}
}

func TestACancelledReadEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	w := newWire(t)
	w.on(config, func(r *http.Request) (*http.Response, error) {
		cancel()
		return nil, r.Context().Err()
	})
	_, err := w.location().ClientConfig(ctx)
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnavailable) || len(w.started(config)) != 1 {
		t.Errorf("%v after %v", err, w.seen)
	}
}

func TestEvent(t *testing.T) {
	w := newWire(t)
	w.on("GET /mdm/v2/status", ok(`{"eventStatus":"FAILED","eventType":"ASSOCIATE","numRequested":16,"numCompleted":14,
		"failures":[{"errorNumber":9609,"errorMessage":"x","errorInfo":{"clientUserIds":["u-404"]}},null],"new":[{}],`+ours+`}`))
	e, err := w.location().Event(context.Background(), "event-1")
	if err != nil || e.ID != "event-1" || e.Status != EventFailed || e.Type != "ASSOCIATE" || e.Requested != 16 ||
		e.Completed != 14 || len(e.Failures) != 1 || e.Failures[0].Number != 9609 || e.Failures[0].Info.ClientUserIDs[0] != "u-404" {
		t.Errorf("%+v %v", e, err)
	}
	if q := w.started("GET /mdm/v2/status")[0].query; q != "eventId=event-1" {
		t.Error(q)
	}
}

func TestClientConfig(t *testing.T) {
	w := newWire(t)
	w.on(config, ok(`{"countryISO2ACode":"ch","defaultPlatform":"volumestore","locationName":"North",
		"notificationAuthToken":"made-up-secret","notificationUrl":"https://books.example.org/n",
		"websiteURL":"https://school.apple.com",
		"subscribedNotificationTypes":["ASSET_COUNT"],"tokenExpirationDate":"2031-02-03T04:05:06+0000",`+ours+`}`))
	c, err := w.location().ClientConfig(context.Background())
	if err != nil || c.UID != ourUID || c.Country != "CH" || c.Platform != PlatformEducation || c.LocationName != "North" ||
		c.Website != "https://school.apple.com" || c.MDMInfo.ID != ourID || c.NotificationURL != "https://books.example.org/n" ||
		c.NotificationType[0] != "ASSET_COUNT" || !c.TokenExpires.Equal(time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)) {
		t.Errorf("%+v %v", c, err)
	}
}
