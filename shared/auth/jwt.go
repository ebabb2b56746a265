package auth

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/world"
)

// DefaultAudience is for whom tokens are, unless an installation has a name of its own.
const DefaultAudience = "bookplate"

const (
	issuerName = "bookplate"
	// leeway forgives clocks that differ.
	leeway = 60 * time.Second
)

type claims struct {
	jwt.RegisteredClaims
	Name  string   `json:"name,omitempty"`
	Roles []string `json:"roles,omitempty"`
	Scope string   `json:"scp,omitempty"` // Graph's delegated scopes, separated by spaces
}

// Issuer signs tokens. Only the operator's command and the local stack have one.
type Issuer struct {
	Key *ecdsa.PrivateKey
	// Audience must equal the Verifier's.
	Audience string
	Clock    world.Clock
	Rand     world.Rand
}

// Issue makes a JWT (ES256) that says for lifetime, from now, that its bearer is c.
func (i Issuer) Issue(c Caller, lifetime time.Duration) (string, error) {
	switch {
	case c.Subject == "":
		return "", errors.New("issue token: no subject")
	case c.Role <= None || c.Role > IdentityProvider:
		return "", errors.New("issue token: no role")
	case lifetime < time.Second:
		return "", errors.New("issue token: a lifetime of at least a second is needed")
	}
	kid, err := KeyID(&i.Key.PublicKey)
	if err != nil {
		return "", fmt.Errorf("issue token: %w", err)
	}
	now := i.Clock.Now()
	t := jwt.NewWithClaims(jwt.SigningMethodES256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuerName, Subject: c.Subject, Audience: jwt.ClaimStrings{i.Audience}, ID: world.NewID(i.Rand),
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(lifetime)),
		},
		Name: c.Name, Roles: []string{c.Role.String()},
	})
	t.Header["kid"] = kid
	signed, err := t.SignedString(i.Key)
	if err != nil {
		return "", fmt.Errorf("issue token: sign: %w", err)
	}
	return signed, nil
}

// Verifier checks tokens with public keys.
type Verifier struct {
	keys   Keys
	parser *jwt.Parser
}

// NewVerifier returns a Verifier of tokens for audience, signed by one of keys.
func NewVerifier(keys Keys, audience string, clock world.Clock) *Verifier {
	return &Verifier{keys, jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}),
		jwt.WithIssuer(issuerName), jwt.WithAudience(audience), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway), jwt.WithTimeFunc(clock.Now), jwt.WithStrictDecoding(),
	)}
}

// Verify is a VerifyFunc for JWTs. The caller's role is the highest that the claims "roles" and "scp" give.
func (v *Verifier) Verify(bearer string) (Caller, error) {
	var c claims
	if _, err := v.parser.ParseWithClaims(bearer, &c, v.key); err != nil {
		return Caller{}, refusal(err, c)
	}
	if c.Subject == "" {
		return Caller{}, refuse("The access token names no subject. Get a new one from the operator of this service.")
	}
	return Caller{Subject: c.Subject, Name: c.Name, Role: roleOf(append(strings.Fields(c.Scope), c.Roles...))}, nil
}

// key offers the key that the token names, or all of them: a token made with another tool may name none or otherwise, and
// the signature decides anyway.
func (v *Verifier) key(t *jwt.Token) (any, error) {
	if kid, ok := t.Header["kid"].(string); ok && v.keys[kid] != nil {
		return v.keys[kid], nil
	}
	var set jwt.VerificationKeySet
	for _, k := range v.keys {
		set.Keys = append(set.Keys, k)
	}
	return set, nil
}

// refusal says what is wrong with the token and what to do. The parser's own error is dropped: it may quote the token.
// The claims are believed only where the error says that the signature was right.
func refusal(err error, c claims) error {
	const again = "Get a new one from the operator of this service."
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return problem.New(problem.Unauthenticated, "",
			"The access token is not a well-formed JWT. Check that it was copied whole, without quotes or line breaks.").Because(errForeign)
	case errors.Is(err, jwt.ErrTokenUnverifiable), errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return refuse("The access token's signature is not one of this installation's (ES256). " +
			"Check that the token is for this installation and unchanged, or get a new one from its operator.")
	case errors.Is(err, jwt.ErrTokenExpired):
		return refuse("The access token expired at %s. "+again, c.ExpiresAt.UTC().Format(time.RFC3339))
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return refuse("The access token is not valid yet. Wait, or check the clock of the machine that issued it.")
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return refuse("The access token is for another audience than this installation. " + again)
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return refuse("The access token is from another issuer than this installation. " + again)
	default:
		return refuse("The access token lacks a claim that it needs (iss, aud, sub, exp). " + again)
	}
}
