package apple

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"
)

// end is how a write ended, as far as its caller can tell.
type end string

const (
	done        end = "done"
	nothing     end = "nothing happened"
	no          end = "Apple refused"
	nobodyKnows end = "it may have happened"
)

func endOf(t *testing.T, err error) end {
	t.Helper()
	var ends []end
	if _, is := errors.AsType[*Error](err); is {
		ends = append(ends, no)
	}
	if errors.Is(err, ErrNotSent) {
		ends = append(ends, nothing)
	}
	if errors.Is(err, ErrUnknownOutcome) {
		ends = append(ends, nobodyKnows)
	}
	if err == nil {
		return done
	}
	if len(ends) != 1 {
		t.Fatalf("the error must say exactly one thing, says %q: %v", ends, err)
	}
	return ends[0]
}

func TestAWriteSaysWhatIsKnownAndIsNeverRepeated(t *testing.T) {
	const html = "<html><body>Bad gateway</body></html>"
	for _, c := range []struct {
		name   string
		answer step
		want   end
	}{
		{"accepted", ok(queued), done},
		{"accepted, by an unknown status of success", status(202, queued), done},

		{"dial error", fails(errDial), nothing},
		{"certificate refused", fails(&tls.CertificateVerificationError{Err: errors.New("expired")}), nothing},
		{"429 with 9646", refusal(429, "9646"), nothing},
		{"9646 as 200", refusal(200, "9646"), nothing},
		{"429 as HTML", status(429, html), nothing},

		{"400 with a number", refusal(400, "9700"), no},
		{"the number as 200", refusal(200, "9700"), no},
		{"the number as a string", refusal(200, `"9700"`), no},
		{"an unknown number", refusal(400, "9999"), no},
		{"401", refusal(401, "9625"), no},

		{"500 with 9603", refusal(500, "9603"), nobodyKnows},
		{"9603 as 200", refusal(200, "9603"), nobodyKnows},
		{"503 with 9729", refusal(503, "9729"), nobodyKnows},
		{"503 with a refusal's number", refusal(503, "9700"), nobodyKnows},
		{"502 as HTML", status(502, html), nobodyKnows},
		{"200 as HTML", status(200, html), nobodyKnows},
		{"403 as HTML", status(403, html), nobodyKnows},
		{"400 without a number", status(400, `{}`), nobodyKnows},
		{"redirect", status(307, "", "Location", base+"/elsewhere"), nobodyKnows},
		{"200 without an event", ok(`{` + ours + `}`), nobodyKnows},
		{"200 with nothing", ok(``), nobodyKnows},
		{"truncated", ok(queued[:len(queued)-1]), nobodyKnows},
		{"a refusal, truncated", status(400, `{"errorNumber":9700`), nobodyKnows},
		{"two answers in one", ok(queued + queued), nobodyKnows},
		{"connection broken in the answer", broken(queued[:10]), nobodyKnows},
		{"connection broken before the answer", fails(io.ErrUnexpectedEOF), nobodyKnows},
		{"timeout", fails(context.DeadlineExceeded), nobodyKnows},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t)
			w.on(associate, c.answer)
			event, err := spend(w.location(), noon.Add(time.Minute))
			if got := endOf(t, err); got != c.want {
				t.Errorf("%s, want %s: %v", got, c.want, err)
			}
			if c.want == done && event != "event-1" || (c.want == no || c.want == nothing) && event != "" {
				t.Errorf("event %q", event)
			}
			if n := len(w.started(associate)); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestAWriteThatEndsBeforeItsStartWasNotSent(t *testing.T) {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	t.Run("canceled", func(t *testing.T) {
		w := newWire(t)
		_, err := w.location().CreateUsers(canceled, []NewUser{{ClientUserID: "u-1"}})
		if endOf(t, err) != nothing || len(w.seen) != 0 {
			t.Errorf("%v after %v", err, w.seen)
		}
	})
	t.Run("no service configuration", func(t *testing.T) {
		w := newWire(t)
		w.on("GET /mdm/v2/service/config", status(503, ""))
		_, err := w.location().CreateUsers(context.Background(), []NewUser{{ClientUserID: "u-1"}})
		if endOf(t, err) != nothing || !errors.Is(err, ErrUnavailable) {
			t.Error(err)
		}
	})
	t.Run("canceled in flight is something else", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		w := newWire(t)
		w.on("POST /mdm/v2/users/create", func(r *http.Request) (*http.Response, error) {
			cancel()
			return nil, r.Context().Err()
		})
		_, err := w.location().CreateUsers(ctx, []NewUser{{ClientUserID: "u-1"}})
		if endOf(t, err) != nobodyKnows || !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestAThrottledWriteSaysHowLongToWaitAndHoldsTheLocation(t *testing.T) {
	w := newWire(t)
	w.on(associate, refusal(429, "9646", "Retry-After", "20"))
	w.on(assets, ok(emptyPage))
	l := w.location()
	_, err := spend(l, noon.Add(time.Minute))
	wait, is := errors.AsType[*UnavailableError](err)
	if !is || wait.RetryAfter != 20*time.Second {
		t.Fatal(err)
	}
	if err := readAssets(l); err != nil {
		t.Fatal(err)
	}
	if at := w.started(assets)[0].at; at.Before(noon.Add(20 * time.Second)) {
		t.Errorf("the next request started %s", at)
	}
}

func TestWritesAsAppleWantsThem(t *testing.T) {
	w := newWire(t)
	w.on(associate, func(r *http.Request) (*http.Response, error) {
		if r.GetBody != nil || r.Header.Get("Idempotency-Key") != "" {
			t.Error("net/http could repeat the request by itself")
		}
		return ok(queued)(r)
	})
	w.on("POST /mdm/v2/users/create", ok(queued))
	w.on("POST /mdm/v2/users/update", ok(queued))
	w.on("POST /mdm/v2/users/retire", ok(queued))
	l := w.location()
	ctx := context.Background()
	users := []NewUser{{ClientUserID: "u-1", Email: "ann@example.org"}, {ClientUserID: "u-2", ManagedAppleID: "bo@example.org"}}
	if _, err := spend(l, noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.CreateUsers(ctx, users); err != nil {
		t.Fatal(err)
	}
	if _, err := l.UpdateUsers(ctx, users); err != nil {
		t.Fatal(err)
	}
	if event, err := l.RetireUsers(ctx, []string{"u-1", "u-2"}); err != nil || event != "event-1" {
		t.Fatal(event, err)
	}
	list := `{"users":[{"clientUserId":"u-1","email":"ann@example.org"},` +
		`{"clientUserId":"u-2","managedAppleId":"bo@example.org"}]}`
	for what, body := range map[string]string{
		associate:                   `{"assets":[{"adamId":"900000101","pricingParam":"STDQ"}],"clientUserIds":["u-1"]}`,
		"POST /mdm/v2/users/create": list,
		"POST /mdm/v2/users/update": list,
		"POST /mdm/v2/users/retire": `{"users":[{"clientUserId":"u-1"},{"clientUserId":"u-2"}]}`,
	} {
		s := w.started(what)[0]
		if s.body != body {
			t.Errorf("%s sent %s", what, s.body)
		}
		if s.header.Get("Content-Type") != "application/json" || s.header.Get("Authorization") != "Bearer "+madeUp {
			t.Errorf("%s sent the headers %v", what, s.header)
		}
	}
	if calls := l.Calls(); calls["associateAssets"] != 1 || calls["createUsers"] != 1 || calls["updateUsers"] != 1 ||
		calls["retireUsers"] != 1 {
		t.Errorf("calls: %v", calls)
	}
}
