package tour

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestATableIsAsWideAsItMustBeAndNumbersStandRight(t *testing.T) {
	var out strings.Builder
	s := screen{out: &out}
	s.table([]string{"Title", "Free"}, [][]string{{"Émile", "9 → ∞"}, {"Ö", "10"}})
	const want = `
    ┌───────┬───────┐
    │ Title │  Free │
    ├───────┼───────┤
    │ Émile │ 9 → ∞ │
    │ Ö     │    10 │
    └───────┴───────┘
`
	if got := "\n" + out.String(); got != want {
		t.Errorf("got%swant%s", got, want)
	}
}

func TestProgressIsForTerminalsOnly(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		var out strings.Builder
		s := screen{out: &out, terminal: terminal, now: func() time.Time { return time.Time{} }}
		s.begin("Sync")
		s.progress("page 1 of 7")
		s.end("done")
		if strings.Contains(out.String(), "page 1 of 7") != terminal || strings.Contains(out.String(), "\033") != terminal {
			t.Errorf("terminal is %v: %q", terminal, out.String())
		}
		if !strings.Contains(out.String(), "Sync") || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("terminal is %v: the end is %q", terminal, out.String())
		}
	}
}

// answering is a client of a server that answers with what is named by the path.
func answering(t *testing.T, handler http.HandlerFunc) client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return client{server.URL, "made-up-bearer", server.Client()}
}

func TestAListIsReadToItsLastPage(t *testing.T) {
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer made-up-bearer" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.URL.Query().Get("$skiptoken") == "" {
			fmt.Fprintf(w, `{"value":[1,2],"@odata.nextLink":"http://%s/list?$skiptoken=x"}`, r.Host)
			return
		}
		fmt.Fprint(w, `{"value":[3]}`)
	})
	got, err := list[int](t.Context(), c, "/list")
	if err != nil || fmt.Sprint(got) != "[1 2 3]" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAnErrorSaysWhatTheAnswerSays(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":{"code":"Conflict","message":"Renew the token."}}`: "HTTP 409: Renew the token.",
		`{"detail":"userName is taken","status":"409"}`:              "HTTP 409: userName is taken",
		`<html>` + strings.Repeat("x", 300):                          "HTTP 409: <html>" + strings.Repeat("x", 194),
		``:                                                           "HTTP 409: ",
	} {
		c := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusConflict)
			fmt.Fprint(w, body)
		})
		err := c.post(t.Context(), "/scim/v2/Users", object{}, nil)
		if !conflict(err) || err.Error() != want {
			t.Errorf("%q: got %v", body, err)
		}
	}
}

func TestWaitingEndsWithTheAnswerTheErrorOrTheLimit(t *testing.T) {
	broken := errors.New("made up")
	for name, c := range map[string]struct {
		done func() (bool, error)
		want error
	}{
		"answer": {func() (bool, error) { return true, nil }, nil},
		"error":  {func() (bool, error) { return false, broken }, broken},
		"limit":  {func() (bool, error) { return false, nil }, context.DeadlineExceeded},
	} {
		if err := wait(t.Context(), time.Millisecond, c.done); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
