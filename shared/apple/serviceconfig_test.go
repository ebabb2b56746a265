package apple

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/vault"
)

const serviceConfig = "GET /mdm/v2/service/config"

func TestBaseURL(t *testing.T) {
	for text, good := range map[string]bool{
		"https://vpp.itunes.apple.com/mdm/v2":   true,
		"https://vpp.itunes.apple.com/mdm/v2/":  true,
		"https://apple.example.org/mdm/v2":      true,
		"http://127.0.0.1:3001/mdm/v2":          true,
		"http://[::1]:3001/mdm/v2":              true,
		"http://localhost:3001":                 true,
		"http://vpp.itunes.apple.com/mdm/v2":    false,
		"http://localhost.example.org/mdm/v2":   false,
		"http://10.0.0.1/mdm/v2":                false,
		"https://user:pw@vpp.itunes.apple.com/": false,
		"https://vpp.itunes.apple.com/?a=b":     false,
		"vpp.itunes.apple.com/mdm/v2":           false,
		"ftp://vpp.itunes.apple.com":            false,
		"https://":                              false,
		"":                                      false,
	} {
		w := newWire(t)
		_, err := NewService(Options{BaseURL: text, World: w.clock.World()})
		if (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := NewService(Options{BaseURL: base}); err == nil {
		t.Error("a service without a World")
	}
}

func TestServiceConfigIsAskedForWithoutAToken(t *testing.T) {
	w := newWire(t)
	w.on(config, ok(`{`+ours+`}`))
	if _, err := w.location().ClientConfig(context.Background()); err != nil {
		t.Fatal(err)
	}
	if h := w.started(serviceConfig)[0].header; h.Get("Authorization") != "" || h.Get("Cookie") != "" {
		t.Error(h)
	}
}

func TestServiceConfigIsRefreshedAndFallsBackToTheLastGoodCopy(t *testing.T) {
	w := newWire(t)
	answer := func(n int) step { return ok(fmt.Sprintf(`{"limits":{"maxAssets":%d},"urls":{}}`, n)) }
	w.on(serviceConfig, answer(1), status(503, ""), answer(2), ok(`{"urls":{"getAssets":"http://evil.example.org/"}}`), answer(3))
	s := w.service()
	for i, c := range []struct {
		pass  time.Duration
		want  int
		asked int
	}{
		{0, 1, 1},
		{5*time.Minute - 1, 1, 1},
		{1, 1, 2}, // fails, once
		{time.Minute - 1, 1, 2},
		{1, 2, 3},
		{5 * time.Minute, 2, 4}, // not to be trusted
		{time.Minute, 3, 5},
	} {
		w.clock.Advance(c.pass)
		cfg, err := s.Config(context.Background())
		if err != nil || cfg.Limits.MaxAssets != c.want || len(w.started(serviceConfig)) != c.asked {
			t.Fatalf("%d: %d %v after %d requests", i, cfg.Limits.MaxAssets, err, len(w.started(serviceConfig)))
		}
	}
}

func TestWhileTheServiceConfigIsRefreshedTheCopyServes(t *testing.T) {
	w := newWire(t)
	s := w.service()
	if _, err := s.Config(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(configAge)
	w.on(serviceConfig, func(r *http.Request) (*http.Response, error) {
		if cfg, err := s.Config(r.Context()); err != nil || cfg.Limits.MaxRequestsPerSecond != 10 {
			t.Error(cfg, err)
		}
		return ok(`{"limits":{"maxRequestPerSecond":7}}`)(r)
	})
	cfg, err := s.Config(context.Background())
	if err != nil || cfg.Limits.MaxRequestsPerSecond != 7 || len(w.started(serviceConfig)) != 2 {
		t.Errorf("%v %v after %d requests", cfg, err, len(w.started(serviceConfig)))
	}
}

func TestTheFirstServiceConfigIsWorthWaitingFor(t *testing.T) {
	w := newWire(t)
	w.on(serviceConfig, status(503, ""), status(200, "<html>"), fails(errReset), ok(`{"limits":{}}`))
	if _, err := w.service().Config(context.Background()); err != nil {
		t.Error(err)
	}
	w.on(serviceConfig, status(503, ""))
	if _, err := w.service().Config(context.Background()); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
	w.on(serviceConfig, status(503, "", "Retry-After", "20"), ok(`{"limits":{}}`))
	before := w.clock.Now()
	if _, err := w.service().Config(context.Background()); err != nil || w.clock.Now().Sub(before) != 20*time.Second {
		t.Error(err, w.clock.Now().Sub(before))
	}
	w.on(serviceConfig, status(200, "{}"))
	if _, err := w.service().Config(context.Background()); !errors.Is(err, ErrUnavailable) {
		t.Error("an empty configuration:", err)
	}
}

func TestACopyThatAnErrorProvesOldIsReadAgain(t *testing.T) {
	for number, again := range map[string]bool{"9634": true, "9700": true, "9701": true, "9714": true, "9707": false} {
		w := newWire(t)
		w.on(associate, refusal(400, number), ok(queued))
		l := w.location()
		_, _ = spend(l, noon.Add(time.Hour)) // refused
		if _, err := spend(l, noon.Add(time.Hour)); err != nil {
			t.Error(err)
		}
		if (len(w.started(serviceConfig)) == 2) != again {
			t.Errorf("%s: %v", number, w.seen)
		}
	}
}

func TestLimitsFallBackToTheDocumentedOnes(t *testing.T) {
	w := newWire(t)
	w.on(serviceConfig, ok(`{"limits":{"maxAssets":10,"maxUsers":0,"maxClientUserIds":"many","maxRequestPerSecond":null,
		"maxMdmNameLength":-1,"maxSomethingNew":{}}}`))
	cfg, err := w.service().Config(context.Background())
	want := documentedLimits
	want.MaxAssets = 10
	if err != nil || cfg.Limits != want {
		t.Errorf("%+v %v", cfg.Limits, err)
	}
}

func TestNoTokenIsSentToAnotherHost(t *testing.T) {
	for _, c := range []struct {
		base, url string
		good      bool
	}{
		{base, "https://vpp.itunes.apple.com/mdm/v3/assets", true},
		{base, "https://vpp2.itunes.apple.com/assets", true},
		{base, "https://mdm.apple.com/assets?x=y", true},
		{base, "https://APPLE.com/assets", true},
		{base, "http://vpp.itunes.apple.com/assets", false},
		{base, "https://evilapple.com/assets", false},
		{base, "https://apple.com.example.org/assets", false},
		{base, "https://vpp.itunes.apple.com@example.org/assets", false},
		{base, "https://x:y@vpp.itunes.apple.com/assets", false},
		{base, "https://127.0.0.1/assets", false},
		{base, "/mdm/v2/assets", false},
		{base, "https:vpp.itunes.apple.com/assets", false},
		{base, "https://vpp.itunes.apple.com\\@example.org/", false},
		{"http://127.0.0.1:3001/mdm/v2", "http://127.0.0.1:3001/other/assets", true},
		{"http://127.0.0.1:3001/mdm/v2", "http://127.0.0.1:3002/assets", false},
		{"http://127.0.0.1:3001/mdm/v2", "https://vpp.itunes.apple.com/assets", false},
		{"https://apple.example.org/mdm/v2", "https://apple.example.org/x", true},
		{"https://apple.example.org/mdm/v2", "https://vpp.itunes.apple.com/x", false},
	} {
		w := newWire(t)
		w.on(serviceConfig, ok(fmt.Sprintf(`{"urls":{"getAssets":%q}}`, c.url)))
		s := w.service(func(o *Options) { o.BaseURL = c.base })
		_, err := s.Config(context.Background())
		if (err == nil) != c.good {
			t.Errorf("from %s to %s: %v", c.base, c.url, err)
		}
		if !c.good {
			err := readAssets(s.Open(vault.NewSecret(madeUp), Identity{}))
			if err == nil || strings.Contains(fmt.Sprint(w.seen), madeUp) {
				t.Errorf("%s: %v", c.url, err)
			}
		}
	}
}

func TestRequestsGoWhereTheConfigurationSays(t *testing.T) {
	var host string
	w := newWire(t)
	w.on(serviceConfig, ok(`{"urls":{"getAssets":"https://vpp9.itunes.apple.com/new/assets?shard=7"}}`))
	w.on("GET /new/assets", func(r *http.Request) (*http.Response, error) {
		host = r.URL.Host
		return ok(emptyPage)(r)
	})
	l := w.location()
	if err := l.AssetPages(context.Background(), AssetQuery{AdamID: "1"}, 0, func(Page, []Asset) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if q := w.started("GET /new/assets")[0].query; host != "vpp9.itunes.apple.com" || q != "adamId=1&shard=7" {
		t.Error(host, q)
	}
}

func TestURLsThatNeverGetABearerAreOnlyLeftOut(t *testing.T) {
	var log bytes.Buffer
	w := newWire(t)
	w.on(serviceConfig, ok(`{"urls":{"contentMetadataLookup":"https://evil.example.org/l",
		"invitationEmail":"http://buy.itunes.apple.com/x",
		"somethingNew":"gopher://x"}}`))
	cfg, err := w.service(logTo(&log)).Config(context.Background())
	if err != nil || len(cfg.URLs) != 0 || strings.Count(log.String(), "is not used") != 3 {
		t.Errorf("%v %v\n%s", cfg.URLs, err, &log)
	}
}

func TestCallersCannotChangeTheCopy(t *testing.T) {
	w := newWire(t)
	w.on(serviceConfig, ok(`{"urls":{"getAssets":"https://vpp.itunes.apple.com/a"}}`))
	s := w.service()
	cfg, _ := s.Config(context.Background())
	cfg.URLs["getAssets"] = "https://evil.example.org/"
	if cfg, _ = s.Config(context.Background()); cfg.URLs["getAssets"] != "https://vpp.itunes.apple.com/a" {
		t.Error(cfg.URLs)
	}
}

func TestInvitationURL(t *testing.T) {
	const page = "https://buy.itunes.apple.com/WebObjects/MZFinance.woa/wa/associateVPPUserWithITSAccount?"
	for _, c := range []struct{ template, want string }{
		{page + "inviteCode=%25inviteCode%25&mt=8", page + "inviteCode=c0de&mt=8"},
		{page + "cc=us&inviteCode=%inviteCode%&mt=8", page + "cc=us&inviteCode=c0de&mt=8"},
		{page + "inviteCode=&mt=8", ""},
		{"", ""},
	} {
		w := newWire(t)
		w.on(serviceConfig, ok(fmt.Sprintf(`{"urls":{"invitationEmail":%q}}`, c.template)))
		cfg, err := w.service().Config(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got, err := InvitationURL(cfg, "c0de")
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %s %v", c.template, got, err)
		}
		if _, err := InvitationURL(cfg, ""); problem.KindOf(err) != problem.Conflict {
			t.Error("without a code:", err)
		}
	}
	got, err := InvitationURL(ServiceConfig{URLs: map[string]string{"invitationEmail": page + "c=%25inviteCode%25"}}, "a&b=c")
	if err != nil || got != page+"c=a%26b%3Dc" {
		t.Error(got, err)
	}
}
