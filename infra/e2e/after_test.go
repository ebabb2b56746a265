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
	s.viaFront(t)
	s.theRest(t)
	s.call(t, s.admin, http.MethodDelete, tokens+"/"+list.Value[0].ID, http.StatusNoContent, nil)
	s.call(t, s.admin, http.MethodGet, tokens+"/"+list.Value[0].ID, http.StatusNotFound, nil)
	s.call(t, "made-up-stranger", http.MethodGet, tokens, http.StatusUnauthorized, nil)
	s.call(t, s.admin, http.MethodGet, "/openapi.yaml", http.StatusOK, nil)
}

// viaFront asks for what front passes on: it comes back through the gateway, and each function knows its caller.
func (s *site) viaFront(t *testing.T) {
	s.call(t, s.admin, http.MethodGet, "/v1.0/deviceappmanagement/VppTokens", http.StatusOK, nil)
	s.call(t, "made-up-stranger", http.MethodGet, "/v1.0/deviceappmanagement/VppTokens", http.StatusUnauthorized, nil)
	s.call(t, s.admin, http.MethodGet, "/v1.0/deviceappmanagement/NoTokens", http.StatusNotFound, nil)
	var batch struct {
		Responses []struct {
			ID     string
			Status int
			Body   struct{ Value []any }
		}
	}
	s.send(t, s.admin, http.MethodPost, "/beta/$batch", `{"requests":[
		{"id":"books","method":"GET","url":"/deviceAppManagement/managedEBooks?$top=3"},
		{"id":"odd","method":"GET","url":"/DEVICEappManagement/vpptokens"},
		{"id":"absent","method":"DELETE","url":"/deviceAppManagement/vppTokens/made-up"}]}`, http.StatusOK, &batch)
	if len(batch.Responses) != 3 {
		t.Fatalf("%d responses: %+v", len(batch.Responses), batch)
	}
	for i, status := range []int{http.StatusOK, http.StatusOK, http.StatusNotFound} {
		if batch.Responses[i].Status != status {
			t.Errorf("the batch's %s: %d, not %d", batch.Responses[i].ID, batch.Responses[i].Status, status)
		}
	}
	if n := len(batch.Responses[0].Body.Value); n != 3 {
		t.Errorf("the batch's books are %d", n)
	}
}

func (s *site) call(t *testing.T, bearer, method, path string, want int, into any) {
	t.Helper()
	s.send(t, bearer, method, path, "", want, into)
}

func (s *site) send(t *testing.T, bearer, method, path, text string, want int, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if text != "" {
		request.Header.Set("Content-Type", "application/json")
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
