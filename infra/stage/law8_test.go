package stage_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/infra/stage"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/token"
)

// A made-up notification secret, as every answer of the client configuration would echo it.
const notificationSecret = "made-up-notification-secret-0123456789"

// TestLaw8NoSecretIsInTablesLogsOrErrors acts a run in which every kind of answer goes wrong, the token is refused in the
// middle and the location is lost in the end, and looks for the token and the notification secret in everything that
// was stored, logged or returned as an error, in any form that they have.
func TestLaw8NoSecretIsInTablesLogsOrErrors(t *testing.T) {
	ctx := context.Background()
	var told bytes.Buffer // everything that people or tables get to see
	s := newSchool(t, 6, 2, func(o *stage.Options) {
		library(o)
		o.Log = slog.New(slog.NewJSONHandler(&told, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	w := s.watch()
	w.change = echo
	n := 0
	s.Apple.Script(func(in *applefake.Incoming) applefake.Fault {
		answers := []applefake.Answer{
			applefake.AnswerTrue, applefake.AnswerUnavailable, applefake.AnswerTrue, applefake.AnswerHTML, applefake.AnswerTrue,
			applefake.AnswerConnectionLost, applefake.AnswerTrue, applefake.AnswerTruncated, applefake.AnswerTrue, applefake.AnswerTimeout,
		}
		if n++; in.Endpoint == applefake.EndpointConfigure || n > 150 { // a claim isn't tried again
			return applefake.Fault{}
		}
		return applefake.Fault{Answer: answers[n%len(answers)], Acted: n%3 == 0}
	})
	note := func(err error) {
		if err != nil {
			fmt.Fprintf(&told, "%v %+v %#v\n", err, err, err)
		}
	}
	note(s.Install(ctx))
	secrets := s.secrets(t)
	w.before = func(*exchange) { // what is stored for a moment only counts too
		if !t.Failed() {
			checkSilent(t, string(s.Table.Dump()), secrets)
		}
	}
	note(s.Rest(ctx))
	s.assign(t)
	note(s.Rest(ctx))
	must(t, s.Order(ctx, s.Site, mark.Sync, mark.SyncFull))
	must(t, s.Rest(ctx))
	if got := s.held(s.titles[0]); got != 6 {
		t.Errorf("%d licenses are held: the run proves little", got)
	}
	s.askConfig(t, note, &told)
	told.Write(s.Table.Dump())
	must(t, s.Site.RevokeTokens())
	must(t, s.Order(ctx, s.Site, mark.Sync, mark.SyncFull))
	note(s.Rest(ctx))
	if got := s.record(t, s.Site).State; got != token.Invalid {
		t.Errorf("the token is %q", got)
	}
	s.askConfig(t, note, &told)
	told.Write(s.Table.Dump())
	checkSilent(t, told.String(), secrets)
	if !strings.Contains(told.String(), "outcome of a batch unknown") || !strings.Contains(told.String(), "location stopped") {
		t.Error("little went wrong: the run proves little")
	}
	if len(w.seen) < 50 {
		t.Errorf("only %d requests", len(w.seen))
	}
}

// askConfig makes the calls that the domain's work doesn't make, and prints everything that holds a secret.
func (s *school) askConfig(t *testing.T, note func(error), told *bytes.Buffer) {
	t.Helper()
	ctx := context.Background()
	r := s.record(t, s.Site)
	secret, err := s.Vault.Get(ctx, r.ID, r.SecretVersion)
	must(t, err)
	l := s.Worker.Service.Open(secret, apple.Identity{UID: s.Site.UID(), MDMID: r.MDMID})
	config, err := l.ClientConfig(ctx)
	note(err)
	claimed, err := l.Claim(ctx, apple.MDMInfo{ID: r.MDMID, Name: "Bookplate"})
	note(err)
	fmt.Fprintf(told, "%v %+v %#v %v %+v %+v %+v\n", l, l, l, secret, s.Vault, config, claimed)
}

// echo puts the notification secret where Apple has it, and both where a confused gateway or Apple's error might.
func echo(x *exchange) {
	var body map[string]any
	if strings.HasSuffix(x.Path, "/client/config") && json.Unmarshal(x.Answer, &body) == nil {
		body["notificationAuthToken"] = notificationSecret
		x.Answer, _ = json.Marshal(body) // it was JSON
	}
	if x.Status == http.StatusBadGateway {
		x.Answer = append(x.Answer, "<p>"+notificationSecret+" Authorization: "+x.authorization+"</p>"...)
	}
	x.Answer = bytes.Replace(x.Answer, []byte(`"errorMessage":"`), []byte(`"errorMessage":"`+x.authorization+` `), 1)
}

// secrets are the token in all of its forms, and the notification secret.
func (s *school) secrets(t *testing.T) map[string]string {
	t.Helper()
	outer := s.Site.Token()
	raw, err := base64.StdEncoding.DecodeString(outer)
	must(t, err)
	var content struct {
		Token string `json:"token"`
	}
	must(t, json.Unmarshal(raw, &content))
	plain, err := base64.StdEncoding.DecodeString(content.Token)
	must(t, err)
	return map[string]string{
		"outer text": outer, "inner JSON": string(raw), "inner token": content.Token, "decoded token": string(plain),
		"part of the outer text": outer[20:60], "notification secret": notificationSecret,
	}
}

func checkSilent(t *testing.T, told string, secrets map[string]string) {
	t.Helper()
	for name, secret := range secrets {
		if at := strings.Index(told, secret); at >= 0 {
			from, to := max(at-200, 0), min(at+len(secret)+80, len(told))
			t.Errorf("the token's %s was told: …%s…", name, strings.ReplaceAll(told[from:to], secret, "[secret]"))
		}
	}
}
