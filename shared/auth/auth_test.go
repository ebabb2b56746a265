package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
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
	grown := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"bookplate","aud":"our-school","sub":"eve","roles":["administrator"],"exp":9999999999}`))
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

func TestRolesAllowWhatTheyShould(t *testing.T) {
	const yes, no = true, false
	needs := []auth.Role{auth.None, auth.Viewer, auth.Manager, auth.Administrator, auth.IdentityProvider}
	for role, want := range map[auth.Role][]bool{
		auth.None:             {no, no, no, no, no},
		auth.Viewer:           {no, yes, no, no, no},
		auth.Manager:          {no, yes, yes, no, no},
		auth.Administrator:    {no, yes, yes, yes, no},
		auth.IdentityProvider: {no, no, no, no, yes},
	} {
		for i, need := range needs {
			if got := role.Allows(need); got != want[i] {
				t.Errorf("%v allows %v: %v", role, need, got)
			}
		}
	}
}

const (
	oldSecret = "made-up-old-secret-0123456789"
	newSecret = "made-up-new-secret-0123456789"
)

func TestOpaqueSecretsRotate(t *testing.T) {
	scim := auth.Caller{Subject: "scim", Role: auth.IdentityProvider}
	verify, err := auth.Opaque(scim, oldSecret, newSecret)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{oldSecret, newSecret} {
		if got, err := verify(s); err != nil || got != scim {
			t.Errorf("%v, %v", got, err)
		}
	}
	for _, s := range []string{oldSecret + "x", oldSecret[1:], strings.ToUpper(oldSecret), auth.Sum(oldSecret), ""} {
		_, err := verify(s)
		unauthenticated(t, err, s+strings.Repeat(" ", 12), "not known")
	}
	verify, err = auth.OpaqueSums(scim, auth.Sum(newSecret))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verify(newSecret); err != nil {
		t.Error(err)
	}
	_, err = verify(oldSecret)
	unauthenticated(t, err, oldSecret, "not known")
}

func TestWeakOpaqueSecretsAreAnErrorOfConfiguration(t *testing.T) {
	c := auth.Caller{Subject: "scim", Role: auth.IdentityProvider}
	for name, secrets := range map[string][]string{"none": nil, "empty": {""}, "short": {"made-up-short"}, "one of two": {newSecret, "x"}} {
		if _, err := auth.Opaque(c, secrets...); err == nil || strings.Contains(err.Error(), "made-up") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, sum := range []string{"", "abc", "zz", newSecret, auth.Sum(newSecret)[2:]} {
		if _, err := auth.OpaqueSums(c, sum); err == nil || strings.Contains(err.Error(), "made-up") {
			t.Errorf("sum %q: %v", sum, err)
		}
	}
}

func TestAnyTellsTheErrorOfTheBearersOwnForm(t *testing.T) {
	ours := key(t)
	w := world.NewVirtual(1, start())
	jwts := auth.NewVerifier(public(t, ours), "our-school", w).Verify
	opaque, err := auth.Opaque(auth.Caller{Subject: "local", Role: auth.Administrator}, newSecret)
	if err != nil {
		t.Fatal(err)
	}
	expired := good()
	expired["exp"] = 1
	for _, verify := range []auth.VerifyFunc{auth.Any(jwts, opaque), auth.Any(opaque, jwts)} {
		if c, err := verify(newSecret); err != nil || c.Subject != "local" {
			t.Errorf("opaque: %v, %v", c, err)
		}
		if c, err := verify(sign(t, jwt.SigningMethodES256, ours, good())); err != nil || c.Subject != "anna@school.example" {
			t.Errorf("JWT: %v, %v", c, err)
		}
		token := sign(t, jwt.SigningMethodES256, ours, expired)
		_, err := verify(token)
		unauthenticated(t, err, token, "expired")
		_, err = verify(oldSecret)
		unauthenticated(t, err, oldSecret, "access token")
	}
	_, err = auth.Any()(newSecret)
	unauthenticated(t, err, newSecret, "none are configured")
}

// through sends a request with the Authorization headers through a gate and returns what came of it.
func through(t *testing.T, need auth.Role, verify auth.VerifyFunc, headers ...string) (passed *auth.Caller, refusal error, w *httptest.ResponseRecorder) {
	t.Helper()
	gate := auth.Gate{Verify: verify, Fail: func(w http.ResponseWriter, _ *http.Request, err error) {
		refusal = err
		w.WriteHeader(problem.KindOf(err).Status())
	}}
	h := gate.Require(need, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		c := auth.From(r.Context())
		passed = &c
	}))
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil)
	for _, v := range headers {
		r.Header.Add("Authorization", v)
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return passed, refusal, w
}

func TestGateRefusesWhatIsNoBearer(t *testing.T) {
	verify, err := auth.Opaque(auth.Caller{Subject: "local", Role: auth.Administrator}, newSecret)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		headers []string
		says    string
	}{
		"nothing":          {nil, "no access token"},
		"empty":            {[]string{" "}, "no access token"},
		"another scheme":   {[]string{"Basic " + newSecret}, "Bearer scheme"},
		"no scheme":        {[]string{newSecret}, "Bearer scheme"},
		"no token":         {[]string{"Bearer "}, "no token after"},
		"two headers":      {[]string{"Bearer " + newSecret, "Bearer " + newSecret}, "more than one"},
		"endless":          {[]string{"Bearer " + strings.Repeat("x", 1<<15)}, "longer"},
		"unknown":          {[]string{"Bearer " + oldSecret}, "not known"},
		"two in one value": {[]string{"Bearer " + newSecret + ", Bearer " + newSecret}, "not known"},
	} {
		passed, err, w := through(t, auth.Viewer, verify, c.headers...)
		if passed != nil || w.Code != 401 || w.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: passed %v, %d", name, passed, w.Code)
		}
		unauthenticated(t, err, newSecret, c.says)
	}
	for _, header := range []string{"Bearer " + newSecret, "bearer   " + newSecret + " "} {
		if passed, err, _ := through(t, auth.Viewer, verify, header); err != nil || passed == nil || passed.Subject != "local" {
			t.Errorf("%v, %v", passed, err)
		}
	}
}

func TestGateKeepsRolesApart(t *testing.T) {
	for _, c := range []struct {
		has, needs auth.Role
		passes     bool
	}{
		{auth.Viewer, auth.Viewer, true},
		{auth.Administrator, auth.Manager, true},
		{auth.Viewer, auth.Manager, false},
		{auth.None, auth.Viewer, false},
		{auth.IdentityProvider, auth.Viewer, false},        // the directory's token on Graph's routes
		{auth.Administrator, auth.IdentityProvider, false}, // an administrator's on the directory's
		{auth.IdentityProvider, auth.IdentityProvider, true},
	} {
		verify, err := auth.Opaque(auth.Caller{Subject: "anna", Role: c.has}, newSecret)
		if err != nil {
			t.Fatal(err)
		}
		passed, err, w := through(t, c.needs, verify, "Bearer "+newSecret)
		if (passed != nil) != c.passes {
			t.Errorf("%v through %v: %v", c.has, c.needs, passed)
		}
		if c.passes {
			continue
		}
		if w.Code != 403 || !strings.Contains(err.Error(), "needs the role "+c.needs.String()) || !strings.Contains(err.Error(), "has the role "+c.has.String()) {
			t.Errorf("%v through %v: %d %v", c.has, c.needs, w.Code, err)
		}
	}
}

func TestWithoutAGateNobodyMayDoAnything(t *testing.T) {
	if c := auth.From(context.Background()); c.Role.Allows(auth.Viewer) || c != (auth.Caller{}) {
		t.Errorf("got %+v", c)
	}
	want := auth.Caller{Subject: "anna", Role: auth.Manager}
	if got := auth.From(auth.With(context.Background(), want)); got != want {
		t.Errorf("got %+v", got)
	}
}
