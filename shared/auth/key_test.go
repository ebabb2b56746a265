package auth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/shared/auth"
)

func block(kind string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestKeysSurviveTheirPEM(t *testing.T) {
	k := key(t)
	text, err := auth.EncodePrivate(k)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(k)
	for _, form := range []string{string(text), "Some words before\n" + string(text), block("EC PRIVATE KEY", der, err)} {
		if back, err := auth.ParsePrivate([]byte(form)); err != nil || !back.Equal(k) {
			t.Errorf("%v", err)
		}
	}
	id, err := auth.KeyID(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if back := public(t, k)[id]; back == nil || !back.Equal(&k.PublicKey) {
		t.Error("the public key came back changed")
	}
}

func jwk(t *testing.T, k *ecdsa.PrivateKey, more string) string {
	t.Helper()
	point, err := k.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q%s}`, b64(point[1:33]), b64(point[33:]), more)
}

func TestKeySetsAreRead(t *testing.T) {
	a, b := key(t), key(t)
	keys, err := auth.ParsePublic([]byte(`{"keys":[` + jwk(t, a, `,"kid":"first"`) + "," + jwk(t, b, "") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	id, err := auth.KeyID(&b.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 2 || !keys["first"].Equal(&a.PublicKey) || !keys[id].Equal(&b.PublicKey) {
		t.Errorf("got %v", keys)
	}
}

// The thumbprint must be the one that other tools compute: RFC 7638 over the example key of RFC 7517, A.1.
func TestKeyIdIsTheThumbprint(t *testing.T) {
	const set = `{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
		"y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`
	keys, err := auth.ParsePublic([]byte(set))
	if err != nil {
		t.Fatal(err)
	}
	if keys["cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"] == nil {
		t.Errorf("got %v", keys)
	}
}

func TestWrongKeysAreRefusedClearly(t *testing.T) {
	k := key(t)
	private, err := auth.EncodePrivate(k)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := auth.EncodePublic(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edPublic, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	bad := []byte("made-up")
	p384Private, errA := x509.MarshalPKCS8PrivateKey(p384)
	p384Sec1, errB := x509.MarshalECPrivateKey(p384)
	edPrivate, errC := x509.MarshalPKCS8PrivateKey(ed)
	for text, says := range map[string]string{
		"":                                       "no private key",
		string(pub):                              "this is the public key",
		block("PRIVATE KEY", bad, nil):           "damaged",
		block("EC PRIVATE KEY", bad, nil):        "damaged",
		block("PRIVATE KEY", edPrivate, errC):    "P-256",
		block("PRIVATE KEY", p384Private, errA):  "P-256",
		block("EC PRIVATE KEY", p384Sec1, errB):  "P-256",
		block("ENCRYPTED PRIVATE KEY", bad, nil): "passphrase",
	} {
		if _, err := auth.ParsePrivate([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	p384Public, errD := x509.MarshalPKIXPublicKey(&p384.PublicKey)
	edDER, errE := x509.MarshalPKIXPublicKey(edPublic)
	const rsaSet = `{"keys":[{"kty":"RSA","n":"AA","e":"AQAB"}]}`
	for text, says := range map[string]string{
		"":                                    "no public key",
		"words":                               "no public key",
		string(private):                       "only public keys belong here",
		string(pub) + string(private):         "only public keys belong here",
		block("PUBLIC KEY", bad, nil):         "damaged",
		block("PUBLIC KEY", p384Public, errD): "P-256",
		block("PUBLIC KEY", edDER, errE):      "P-256",
		"{":                                   "not valid JSON",
		`{"keys":[]}`:                         "no public key",
		`{"keys":[` + jwk(t, k, `,"d":"AA"`) + `]}`: "private",
		rsaSet: "key 1 of the JWK set",
		`{"keys":[` + strings.Replace(jwk(t, k, ""), `"y":"`, `"y":"A`, 1) + `]}`:                                           "P-256",
		`{"keys":[{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}]}`: "no point",
	} {
		if _, err := auth.ParsePublic([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}

func TestRoleNamesAreRead(t *testing.T) {
	for r := auth.Viewer; r <= auth.IdentityProvider; r++ {
		if got, err := auth.ParseRole(strings.ToUpper(r.String())); err != nil || got != r {
			t.Errorf("%v: %v, %v", r, got, err)
		}
	}
	for _, name := range []string{"", "none", "root"} {
		const all = "reader, viewer, manager, administrator, identityProvider"
		if _, err := auth.ParseRole(name); err == nil || !strings.Contains(err.Error(), all) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
