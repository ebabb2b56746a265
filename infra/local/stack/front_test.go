package stack

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What AWS's gateway and functions/front do between them, the one program does too.
func TestOddSpellingsAndBatchesWorkInOneProgram(t *testing.T) {
	const admin = "made-up-admin-token-of-this-test"
	s, err := Open(Options{
		Listen: "127.0.0.1:0", Data: t.TempDir(), Apple: "http://127.0.0.1:1/mdm/v2", ResendAfter: SafeResendAfter,
		PollAfter: time.Second, Sync: "0 5 * * *", AdminToken: admin, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h, err := s.handler()
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+admin)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	if w := ask("GET", "/V1.0/deviceappmanagement/VppTokens", ""); w.Code != http.StatusOK {
		t.Errorf("odd spelling: %d %s", w.Code, w.Body)
	}
	w := ask("POST", "/v1.0/$BATCH", `{"requests":[
		{"id":"tokens","method":"GET","url":"/deviceappmanagement/vppTokens"},
		{"id":"absent","method":"GET","url":"/deviceAppManagement/vppTokens('made-up')"},
		{"id":"unknown","method":"GET","url":"/deviceAppManagement/mobileApps"},
		{"id":"refused","method":"POST","url":"/deviceAppManagement/vppTokens","body":{}}]}`)
	var got struct {
		Responses []struct {
			ID     string
			Status int
			Body   map[string]any
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || len(got.Responses) != 4 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for i, status := range []int{200, 404, 404, 400} {
		one := got.Responses[i]
		if _, isError := one.Body["error"]; one.Status != status || isError != (status >= 400) {
			t.Errorf("%s: %d %v", one.ID, one.Status, one.Body)
		}
	}
}
