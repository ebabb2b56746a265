//go:build aws && e2e

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// after does what comes once in a year: a timer's sync, somebody leaves the school, the token goes.
func (s *site) after(t *testing.T) {
	if _, err := s.schedule.invoke(t.Context(), []byte(`{"job":"sync"}`)); err != nil {
		t.Errorf("the timer's sync: %v", err)
	}
	var people struct {
		Resources []struct{ ID string }
	}
	s.call(t, scimToken, http.MethodGet, "/scim/v2/Users?count=2", http.StatusOK, &people)
	if len(people.Resources) != 2 {
		t.Fatalf("%d people were listed", len(people.Resources))
	}
	s.call(t, scimToken, http.MethodGet, `/scim/v2/Groups?filter=displayName+eq+%22Reading+Club%22`, http.StatusOK, nil)
	s.call(t, scimToken, http.MethodDelete, "/scim/v2/Users/"+people.Resources[0].ID, http.StatusNoContent, nil)

	const tokens = "/v1.0/deviceAppManagement/vppTokens"
	var list struct{ Value []struct{ ID string } }
	s.call(t, s.admin, http.MethodGet, tokens, http.StatusOK, &list)
	if len(list.Value) != 1 {
		t.Fatalf("%d tokens were listed", len(list.Value))
	}
	s.call(t, s.admin, http.MethodGet, tokens+"/$count", http.StatusOK, nil) // by the route of {id}
	s.call(t, s.admin, http.MethodGet, "/v1.0/deviceAppManagement/managedEBooks/$count", http.StatusOK, nil)
	s.call(t, s.admin, http.MethodDelete, tokens+"/"+list.Value[0].ID, http.StatusNoContent, nil)
	s.call(t, s.admin, http.MethodGet, tokens+"/"+list.Value[0].ID, http.StatusNotFound, nil)
	s.call(t, "made-up-stranger", http.MethodGet, tokens, http.StatusUnauthorized, nil)
	s.call(t, s.admin, http.MethodGet, "/openapi.yaml", http.StatusOK, nil)
}

func (s *site) call(t *testing.T, bearer, method, path string, want int, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	answer, err := (&http.Client{Timeout: 30 * time.Second}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != want {
		t.Fatalf("%s %s: %d, not %d: %.300s %v", method, path, answer.StatusCode, want, body, err)
	}
	if into != nil {
		if err := json.NewDecoder(strings.NewReader(string(body))).Decode(into); err != nil {
			t.Fatal(err)
		}
	}
}
