package desk

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Answer is what came back. Body is nil unless it is JSON.
type Answer struct {
	Status int
	Header http.Header
	Raw    string
	Body   map[string]any
}

// Send sends a request as a caller with the role (empty: without a bearer). The path begins with its version. A body that
// isn't empty is JSON unless a header says otherwise.
func (s *Desk) Send(t testing.TB, h http.Handler, role, method, path, body string, headers ...string) Answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, strings.ReplaceAll(path, " ", "%20"), strings.NewReader(body))
	r.Host = "books." + Domain
	if role != "" {
		r.Header.Set("Authorization", "Bearer "+role)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	a := Answer{Status: w.Code, Header: w.Header(), Raw: w.Body.String()}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(w.Body.Bytes(), &a.Body); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, a.Raw)
		}
	}
	if w.Code >= 400 {
		checkError(t, a)
	}
	s.checkText(t, "an answer", w.Body.Bytes())
	return a
}

// Want sends a request and checks the status.
func (s *Desk) Want(
	t testing.TB, status int, h http.Handler, role, method, path, body string, headers ...string,
) Answer {
	t.Helper()
	a := s.Send(t, h, role, method, path, body, headers...)
	if a.Status != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, a.Status, status, a.Raw)
	}
	return a
}

// checkError holds an error against what Graph's clients can read.
func checkError(t testing.TB, a Answer) {
	t.Helper()
	inner, _ := a.Error()["innerError"].(map[string]any)
	date, _ := inner["date"].(string)
	_, err := time.Parse("2006-01-02T15:04:05", date)
	if err != nil || a.Code() == "" || len(a.Message()) < 30 || inner["request-id"] == "" {
		t.Errorf("not an OData error that helps: %d %s", a.Status, a.Raw)
	}
}

// Error is the error of the answer.
func (a Answer) Error() map[string]any {
	e, _ := a.Body["error"].(map[string]any)
	return e
}

// Code is the error's code.
func (a Answer) Code() string { return a.text("code") }

// Message is the error's message.
func (a Answer) Message() string { return a.text("message") }

// Target is the field that the error names.
func (a Answer) Target() string { return a.text("target") }

func (a Answer) text(name string) string {
	text, _ := a.Error()[name].(string)
	return text
}

// List are the entities of a collection.
func (a Answer) List() []map[string]any {
	value, _ := a.Body["value"].([]any)
	list := make([]map[string]any, len(value))
	for i := range value {
		list[i], _ = value[i].(map[string]any)
	}
	return list
}

// Refused checks that the answer is a refusal with the status and code, and that its message has the words.
func (a Answer) Refused(t testing.TB, status int, code string, words ...string) {
	t.Helper()
	if a.Status != status || a.Code() != code {
		t.Fatalf("status %d, code %q; want %d, %q: %s", a.Status, a.Code(), status, code, a.Raw)
	}
	for _, w := range words {
		if !strings.Contains(a.Message(), w) {
			t.Errorf("the message lacks %q: %s", w, a.Message())
		}
	}
}

// checkSecrets looks at the end of a test for secrets where they mustn't be.
func (s *Desk) checkSecrets(t testing.TB) {
	s.checkText(t, "the log", s.Log.Bytes())
	s.checkText(t, "the table", s.Table.Dump())
}

func (s *Desk) checkText(t testing.TB, where string, text []byte) {
	t.Helper()
	for _, secret := range s.secrets {
		for _, form := range []string{secret, Inner(secret)} {
			if form != "" && bytes.Contains(text, []byte(form)) {
				t.Errorf("%s shows a secret", where)
			}
		}
	}
}

// Inner is the secret inside a token file; empty for another text.
func Inner(file string) string {
	inside, err := base64.StdEncoding.DecodeString(file)
	var content struct {
		Token string `json:"token"`
	}
	if err != nil || json.Unmarshal(inside, &content) != nil {
		return ""
	}
	return content.Token
}
