//go:build aws && e2e

package e2e

import (
	"net/http"
	"testing"
	"time"
)

// theRest asks for what the tour doesn't need, so that the rights of the functions hold there too.
func (s *site) theRest(t *testing.T) {
	const ours = "/v1.0/bookplate"
	var readers struct {
		Value []struct {
			ClientUserID, PersonID string
			Deleted                bool
		}
	}
	s.call(t, s.admin, http.MethodGet, ours+"/readers?status=associated&$top=5", http.StatusOK, &readers)
	for len(readers.Value) > 0 && readers.Value[0].Deleted {
		readers.Value = readers.Value[1:]
	}
	if len(readers.Value) == 0 {
		t.Fatal("there is no reader left")
	}
	one := readers.Value[0]
	for _, path := range []string{
		"/readers?status=invited&$format=csv", "/syncRuns", "/batches?$top=2", "/acts?$top=2", "/ledger?$format=csv&person=" + one.PersonID,
		"/licenses?person=" + one.PersonID, "/requests?person=" + one.PersonID,
	} {
		s.call(t, s.admin, http.MethodGet, ours+path, http.StatusOK, nil)
	}
	s.call(t, s.admin, http.MethodGet, ours+"/plans/made-up", http.StatusNotFound, nil)
	s.retire(t, ours+"/readers/"+one.ClientUserID)
}

// retire has a reader retired at Apple, and a reader of the next generation made.
func (s *site) retire(t *testing.T, reader string) {
	const why = `{"reason":"made up"}`
	s.send(t, s.admin, http.MethodPost, reader+"/retire", why, http.StatusAccepted, nil)
	var is struct{ Retirement struct{ State string } } // the status says so from the order on
	tick, until := time.NewTicker(500*time.Millisecond), time.Now().Add(patience)
	defer tick.Stop()
	for is.Retirement.State != "done" {
		if time.Now().After(until) {
			t.Fatalf("the retirement is still %q", is.Retirement.State)
		}
		<-tick.C
		s.call(t, s.admin, http.MethodGet, reader, http.StatusOK, &is)
	}
	s.send(t, s.admin, http.MethodPost, reader+"/restore", why, http.StatusAccepted, nil)
}
