package auth_test

import (
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/world"
)

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
