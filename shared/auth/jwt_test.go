package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/world"
)

func start() time.Time { return time.Date(2026, 2, 11, 10, 0, 0, 0, time.UTC) }

func key(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := auth.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func public(t *testing.T, keys ...*ecdsa.PrivateKey) auth.Keys {
	t.Helper()
	var text []byte
	for _, k := range keys {
		p, err := auth.EncodePublic(&k.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, p...)
	}
	set, err := auth.ParsePublic(text)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// good are the claims of a token that is accepted; tests spoil them.
func good() jwt.MapClaims {
	return jwt.MapClaims{
		"iss": "bookplate", "aud": "our-school", "sub": "anna@school.example", "name": "Anna", "roles": []string{"manager"},
		"iat": start().Unix(), "exp": start().Add(time.Hour).Unix(),
	}
}

func sign(t *testing.T, method jwt.SigningMethod, key any, c jwt.MapClaims) string {
	t.Helper()
	s, err := jwt.NewWithClaims(method, c).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// noTokenIn fails if text holds a piece of the token that is long enough to matter.
func noTokenIn(t *testing.T, text, token string) {
	t.Helper()
	for i := 0; i+12 <= len(token); i++ {
		if strings.Contains(text, token[i:i+12]) {
			t.Fatalf("%q holds a part of the token", text)
		}
	}
}

func unauthenticated(t *testing.T, err error, bearer, says string) {
	t.Helper()
	if problem.KindOf(err) != problem.Unauthenticated || !strings.Contains(err.Error(), says) {
		t.Fatalf("got %v, want a refusal that says %q", err, says)
	}
	noTokenIn(t, err.Error(), bearer)
}

func TestIssuedTokensAreAccepted(t *testing.T) {
	w := world.NewVirtual(1, start())
	old, now := key(t), key(t)
	verifier := auth.NewVerifier(public(t, old, now), "our-school", w)
	for role := auth.Viewer; role <= auth.IdentityProvider; role++ {
		for _, k := range []*ecdsa.PrivateKey{old, now} { // both keys, while one replaces the other
			want := auth.Caller{Subject: "anna@school.example", Name: "Anna", Role: role}
			token, err := auth.Issuer{Key: k, Audience: "our-school", Clock: w, Rand: w}.Issue(want, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := verifier.Verify(token); err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		}
	}
}

func TestIssuerRefusesNonsense(t *testing.T) {
	w := world.NewVirtual(1, start())
	issuer := auth.Issuer{Key: key(t), Audience: "our-school", Clock: w, Rand: w}
	for _, c := range []struct {
		caller   auth.Caller
		lifetime time.Duration
	}{
		{auth.Caller{Role: auth.Viewer}, time.Hour},
		{auth.Caller{Subject: "anna"}, time.Hour},
		{auth.Caller{Subject: "anna", Role: 99}, time.Hour},
		{auth.Caller{Subject: "anna", Role: auth.Viewer}, 0},
		{auth.Caller{Subject: "anna", Role: auth.Viewer}, -time.Hour},
	} {
		if token, err := issuer.Issue(c.caller, c.lifetime); err == nil {
			t.Errorf("%+v: issued %s", c, token)
		}
	}
}

func TestTokensAreRefusedWithTheReason(t *testing.T) {
	ours, other := key(t), key(t)
	pem, err := auth.EncodePublic(&ours.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	es256 := func(change func(jwt.MapClaims)) string {
		c := good()
		change(c)
		return sign(t, jwt.SigningMethodES256, ours, c)
	}
	set := func(name string, value any) string { return es256(func(c jwt.MapClaims) { c[name] = value }) }
	without := func(name string) string { return es256(func(c jwt.MapClaims) { delete(c, name) }) }
	valid := es256(func(jwt.MapClaims) {})
	header, rest, _ := strings.Cut(valid, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	grown := base64.RawURLEncoding.EncodeToString(
		[]byte(`{"iss":"bookplate","aud":"our-school","sub":"eve","roles":["administrator"],"exp":9999999999}`))
	ago := func(d time.Duration) int64 { return start().Add(-d).Unix() }

	verifier := auth.NewVerifier(public(t, ours), "our-school", world.NewVirtual(1, start()))
	for name, c := range map[string]struct{ token, says string }{
		"algorithm none":                {sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good()), "signature"},
		"HS256 with the public key":     {sign(t, jwt.SigningMethodHS256, pem, good()), "signature"},
		"another curve":                 {sign(t, jwt.SigningMethodES384, p384, good()), "signature"},
		"another key":                   {sign(t, jwt.SigningMethodES256, other, good()), "signature"},
		"claims changed":                {header + "." + grown + "." + signature, "signature"},
		"signature changed":             {header + "." + payload + "." + strings.Repeat("A", len(signature)), "signature"},
		"signature missing":             {header + "." + payload + ".", "signature"},
		"expired":                       {set("exp", ago(61*time.Second)), "expired at 2026-02-11T09:58:59Z"},
		"not valid yet":                 {set("nbf", ago(-61*time.Second)), "not valid yet"},
		"issued in the future":          {set("iat", ago(-61*time.Second)), "not valid yet"},
		"another audience":              {set("aud", "their-school"), "audience"},
		"no audience":                   {without("aud"), "lacks a claim"},
		"another issuer":                {set("iss", "eve"), "issuer"},
		"no issuer":                     {without("iss"), "lacks a claim"},
		"never expires":                 {without("exp"), "lacks a claim"},
		"no subject":                    {without("sub"), "no subject"},
		"roles that aren't a list":      {set("roles", 5), "well-formed"},
		"not a JWT":                     {"made-up-opaque-secret-0123456789", "well-formed"},
		"two parts":                     {header + "." + payload, "well-formed"},
		"cut off":                       {valid[:len(valid)-42], "signature"},
		"payload not base64":            {header + ".%%%." + signature, "well-formed"},
		"header not JSON":               {"bm90LWpzb24tYnV0LWEtc2VjcmV0." + payload + "." + signature, "well-formed"},
		"expired and by another key":    {sign(t, jwt.SigningMethodES256, other, jwt.MapClaims{"exp": 1}), "signature"},
		"expired, for another audience": {es256(func(c jwt.MapClaims) { c["exp"], c["aud"] = 1, "x" }), "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := verifier.Verify(c.token)
			unauthenticated(t, err, c.token, c.says)
			if got != (auth.Caller{}) {
				t.Errorf("a caller %+v with the refusal", got)
			}
		})
	}
	for name, token := range map[string]string{
		"as it is":             valid,
		"expired a moment ago": set("exp", ago(59*time.Second)),
		"clock a bit ahead":    set("iat", ago(-59*time.Second)),
		"several audiences":    set("aud", []string{"x", "our-school"}),
	} {
		if _, err := verifier.Verify(token); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAKeyIdNeverReplacesTheSignature(t *testing.T) {
	ours, other := key(t), key(t)
	verifier := auth.NewVerifier(public(t, ours), "our-school", world.NewVirtual(1, start()))
	kid, err := auth.KeyID(&ours.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key *ecdsa.PrivateKey
		kid any
		ok  bool
	}{{ours, kid, true}, {ours, "unknown", true}, {ours, 5, true}, {other, kid, false}} {
		token := jwt.NewWithClaims(jwt.SigningMethodES256, good())
		token.Header["kid"] = c.kid
		text, err := token.SignedString(c.key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifier.Verify(text); (err == nil) != c.ok {
			t.Errorf("kid %v: %v, want accepted: %v", c.kid, err, c.ok)
		}
	}
}

func TestRolesAndScopesGiveTheHighestRole(t *testing.T) {
	ours := key(t)
	verifier := auth.NewVerifier(public(t, ours), "our-school", world.NewVirtual(1, start()))
	for _, c := range []struct {
		roles []string
		scp   string
		want  auth.Role
	}{
		{nil, "", auth.None},
		{[]string{"janitor"}, "User.Read", auth.None},
		{[]string{"viewer"}, "", auth.Viewer},
		{[]string{"Viewer", "ADMINISTRATOR", "manager"}, "", auth.Administrator},
		{[]string{"none"}, "", auth.None},
		{[]string{"DeviceManagementApps.Read.All"}, "", auth.Viewer},
		{nil, "openid DeviceManagementApps.Read.All", auth.Viewer},
		{nil, "DeviceManagementServiceConfig.Read.All", auth.Viewer},
		{nil, "DeviceManagementApps.Read.All DeviceManagementApps.ReadWrite.All", auth.Manager},
		{nil, "devicemanagementserviceconfig.readwrite.all", auth.Administrator},
		{[]string{"viewer"}, "DeviceManagementApps.ReadWrite.All", auth.Manager},
		{[]string{"identityProvider"}, "", auth.IdentityProvider},
		{[]string{"identityProvider", "viewer"}, "", auth.Viewer},
	} {
		claims := good()
		claims["roles"], claims["scp"] = c.roles, c.scp
		got, err := verifier.Verify(sign(t, jwt.SigningMethodES256, ours, claims))
		if err != nil || got.Role != c.want {
			t.Errorf("%v %q: %v, %v, want %v", c.roles, c.scp, got.Role, err, c.want)
		}
	}
}
