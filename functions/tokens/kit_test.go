package tokens_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/functions/tokens"
	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/vault"
)

const path = "/v1.0/deviceAppManagement/vppTokens"

type rig struct {
	*desk.Desk
	http.Handler
}

func newRig(t *testing.T) rig {
	t.Helper()
	s := desk.New(t)
	return rig{s, handler(s, s.Vault)}
}

func handler(s *desk.Desk, v vault.Vault) http.Handler {
	return tokens.New(tokens.Config{
		Config: s.Door(), Store: s.Store, Vault: v, Apple: s.Apple, Queue: s.Queue, Version: "0.1",
		Host: "https://books.school.example",
	})
}

func (r rig) upload(t *testing.T, body string, headers ...string) desk.Answer {
	t.Helper()
	return r.Send(t, r, "administrator", "POST", path, body, headers...)
}

// uploaded uploads the place's token and returns its id.
func (r rig) uploaded(t *testing.T) string {
	t.Helper()
	a := r.Want(t, 201, r, "administrator", "POST", path, body(t, "token", r.Token))
	id, _ := a.Body["id"].(string)
	return id
}

// empty checks that the refusal has left nothing behind: no record, no mark, no secret.
func (r rig) empty(t *testing.T) {
	t.Helper()
	all, err := token.All(t.Context(), r.Store.ReadStore)
	desk.Must(t, err)
	if len(all) > 0 || strings.Contains(string(r.Table.Dump()), "marks#") || len(r.Queue.Woken) > 0 {
		t.Errorf("the refusal has left something behind: %s", r.Table.Dump())
	}
}

// body is a JSON object of names and values.
func body(t *testing.T, pairs ...any) string {
	t.Helper()
	object := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		object[pairs[i].(string)] = pairs[i+1]
	}
	text, err := json.Marshal(object)
	desk.Must(t, err)
	return string(text)
}

// madeUp is a token file with the content.
func madeUp(content string) string { return base64.StdEncoding.EncodeToString([]byte(content)) }
