package directory_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	scim "github.com/bookplate/bookplate/functions/directory"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/world"
)

const madeUpToken = "a-made-up-token-for-tests"

type silent struct{}

func (silent) Before(context.Context, directory.Change) error { return nil }
func (silent) After(context.Context, directory.Change) error  { return nil }

// server is the function as a provider meets it.
type server struct {
	http.Handler
	*directory.Directory
	table   *mem.Table
	virtual *world.Virtual
	log     *bytes.Buffer
}

func newServer(t testing.TB) *server {
	t.Helper()
	v := world.NewVirtual(1, time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	engine := mem.New(v)
	d := directory.New(table.NewStore(engine, v.World()), v.World(), silent{})
	log := &bytes.Buffer{}
	handler, err := scim.New(scim.Config{
		Directory: d, Clock: v, Log: slog.New(slog.NewTextHandler(log, nil)),
		Verify: func(r *http.Request) error {
			if r.Header.Get("Authorization") != "Bearer "+madeUpToken {
				return problem.New(problem.Unauthenticated, "", "The bearer token isn't one of this server's.")
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &server{handler, d, engine, v, log}
}

// answer is what came back; body is nil when there was none.
type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (s *server) send(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	r := httptest.NewRequest(method, "/scim/v2"+strings.ReplaceAll(path, " ", "%20"), strings.NewReader(body))
	r.Host = "books.school.example"
	r.Header.Set("Authorization", "Bearer "+madeUpToken)
	r.Header.Set("X-Forwarded-Proto", "https")
	r.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), raw: w.Body.String()}
	if w.Body.Len() == 0 {
		return a
	}
	if got := w.Header().Get("Content-Type"); got != "application/scim+json" {
		t.Errorf("%s %s: content type %q", method, path, got)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &a.body); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, a.raw)
	}
	if a.status >= 400 {
		checkFailure(t, a)
	}
	return a
}

// checkFailure holds an error against RFC 7644, 3.12, and against what Okta's tests compare.
func checkFailure(t testing.TB, a answer) {
	t.Helper()
	if fmt.Sprint(a.body["schemas"]) != "[urn:ietf:params:scim:api:messages:2.0:Error]" ||
		a.body["status"] != fmt.Sprint(a.status) || a.body["detail"] == "" {
		t.Errorf("not a SCIM error: %d %s", a.status, a.raw)
	}
}

// want sends a request and checks the status.
func (s *server) want(t testing.TB, status int, method, path, body string, headers ...string) answer {
	t.Helper()
	a := s.send(t, method, path, body, headers...)
	if a.status != status {
		t.Fatalf("%s %s %s: status %d, want %d: %s", method, path, body, a.status, status, a.raw)
	}
	return a
}

// at follows a path of keys into an answer: "name.givenName", "emails.0.value"; keys with dots go in brackets.
func (a answer) at(keys ...string) any {
	var v any = a.body
	for _, key := range keys {
		switch in := v.(type) {
		case map[string]any:
			v = in[key]
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

func (a answer) id() string { id, _ := a.body["id"].(string); return id }

// same compares values at paths written "a/b/c".
func (a answer) same(t testing.TB, want map[string]any) {
	t.Helper()
	for path, value := range want {
		if got := a.at(strings.Split(path, "/")...); fmt.Sprint(got) != fmt.Sprint(value) {
			t.Errorf("%s is %v, want %v in %s", path, got, value, a.raw)
		}
	}
}

func (s *server) newUser(t testing.TB, name string) string {
	t.Helper()
	return s.want(t, 201, "POST", "/Users", fmt.Sprintf(
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"externalId":"x-%s","active":true}`,
		name, name)).id()
}

func (s *server) newGroup(t testing.TB, name string, members ...string) string {
	t.Helper()
	list := []map[string]string{}
	for _, m := range members {
		list = append(list, map[string]string{"value": m})
	}
	data, _ := json.Marshal(map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": name, "members": list,
	})
	return s.want(t, 201, "POST", "/Groups", string(data)).id()
}

// memberIDs are the ids in a group as the server shows them.
func (s *server) memberIDs(t testing.TB, group string) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	list, _ := s.want(t, 200, "GET", "/Groups/"+group, "").body["members"].([]any)
	for _, m := range list {
		ids[textIn(m, "value")] = true
	}
	return ids
}

func textIn(object any, key string) string {
	fields, _ := object.(map[string]any)
	text, _ := fields[key].(string)
	return text
}

func patchOp(ops string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + ops + `]}`
}

// replaceIDs writes ids for the letters that stand for them in a recorded shape.
func replaceIDs(text string, ids map[string]string) string {
	for letter, id := range ids {
		text = strings.NewReplacer(`"`+letter+`"`, `"`+id+`"`, `\"`+letter+`\"`, `\"`+id+`\"`).Replace(text)
	}
	return text
}
