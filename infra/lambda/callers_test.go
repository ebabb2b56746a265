package lambda

import (
	"encoding/base64"
	"encoding/pem"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/setting"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/world"
)

func process(env map[setting.Name]string) Process {
	return Process{World: world.Real(), Env: setting.New(func(name string) (string, bool) {
		value, there := env[setting.Name(name)]
		return value, there
	})}
}

// key is a public key as the setting has it, and a token that its private half has issued.
func key(t *testing.T, role auth.Role) (public, token string) {
	t.Helper()
	private, err := auth.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	text, err := auth.EncodePublic(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	w := world.Real()
	token, err = auth.Issuer{Key: private, Audience: auth.DefaultAudience, Clock: w.Clock, Rand: w.Rand}.Issue(
		auth.Caller{Subject: "anna", Role: role}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	return base64.RawStdEncoding.EncodeToString(block.Bytes), token
}

func TestEveryPublicKeyLetsItsCallersIn(t *testing.T) {
	one, tokenOfOne := key(t, auth.Viewer)
	two, tokenOfTwo := key(t, auth.Administrator)
	_, stranger := key(t, auth.Administrator)
	p := process(map[setting.Name]string{setting.PublicKeys: one + "," + two + "=="})
	verify := p.Callers()
	for _, token := range []string{tokenOfOne, tokenOfTwo} {
		if _, err := verify(token); err != nil {
			t.Error(err)
		}
	}
	if _, err := verify(stranger); err == nil {
		t.Error("a stranger was let in")
	}
	if err := p.Env.Err(); err != nil {
		t.Error(err)
	}
}

func TestWithoutKeysNobodyComesIn(t *testing.T) {
	_, token := key(t, auth.Administrator)
	p := process(nil)
	for _, verify := range []auth.VerifyFunc{p.Callers(), p.IdentityProvider()} {
		if _, err := verify(token); err == nil {
			t.Error("somebody came in")
		}
	}
}

func TestTheIdentityProviderHasATokenOfItsOwn(t *testing.T) {
	const secret = "made-up-secret-of-the-identity-provider"
	p := process(map[setting.Name]string{setting.ScimTokenHash: auth.Sum(secret)})
	caller, err := p.IdentityProvider()(secret)
	if err != nil || caller.Role != auth.IdentityProvider {
		t.Errorf("%+v: %v", caller, err)
	}
	if _, err := p.Callers()(secret); err == nil {
		t.Error("the identity provider came in as somebody else")
	}
}

func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, env := range map[string]map[setting.Name]string{
		"keys":                  {setting.PublicKeys: "%"},
		"keys that aren't any":  {setting.PublicKeys: "aaaa"},
		"hash":                  {setting.ScimTokenHash: "abc"},
		"hurry with real Apple": {setting.ResendAfter: "3s"},
		"hold":                  {setting.Hold: "soon"},
		"negative":              {setting.Hold: "-1s"},
		"plain HTTP":            {setting.Apple: "http://apple.example/mdm/v2"},
		"restored tomorrow":     {setting.RestoredAt: "2999-01-01T00:00:00Z"},
		"restored some day":     {setting.RestoredAt: "2020-09-02"},
	} {
		p := process(env)
		p.Callers()
		p.IdentityProvider()
		p.Apple()
		p.Pace()
		p.Restored()
		p.Env.Duration(setting.Hold)
		if p.Env.Err() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	p := process(map[setting.Name]string{setting.Apple: "http://127.0.0.1:9000/mdm/v2", setting.ResendAfter: "3s"})
	p.Apple()
	p.Pace()
	if err := p.Env.Err(); err != nil {
		t.Error(err)
	}
	if p.Env.Text(setting.Table); p.Env.Err() == nil {
		t.Error("a missing table was accepted")
	}
}

func TestATableIsRestoredAtAMomentOrNever(t *testing.T) {
	for text, want := range map[string]time.Time{"": {}, "2020-09-02T09:00:00Z": time.Date(2020, 9, 2, 9, 0, 0, 0, time.UTC)} {
		p := process(map[setting.Name]string{setting.RestoredAt: text})
		if got := p.Restored(); !got.Equal(want) || p.Env.Err() != nil {
			t.Errorf("%q is %v: %v", text, got, p.Env.Err())
		}
	}
}
