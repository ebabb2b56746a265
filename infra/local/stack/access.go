package stack

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/world"
)

// access is who may call: those with a token of the data directory's key, and those with one of two opaque strings.
type access struct {
	issuer auth.Issuer
	verify auth.VerifyFunc
	// made are opaque tokens that were made at this start: the only time that they can be shown.
	made map[string]string
}

// sums are what is kept of opaque tokens: no token can be read out of the data directory.
type sums struct {
	Admin string `json:"admin"`
	SCIM  string `json:"scim"`
}

func openAccess(o Options, w world.World) (*access, error) {
	key, err := openKey(filepath.Join(o.Data, keyFile))
	if err != nil {
		return nil, err
	}
	public, err := auth.EncodePublic(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	keys, err := auth.ParsePublic(public)
	if err != nil {
		return nil, err
	}
	a := &access{
		issuer: auth.Issuer{Key: key, Audience: auth.DefaultAudience, Clock: w.Clock, Rand: w.Rand},
		made:   make(map[string]string),
	}
	known, err := a.opaque(o, w, filepath.Join(o.Data, accessFile))
	if err != nil {
		return nil, err
	}
	admin, err := auth.OpaqueSums(auth.Caller{Subject: "admin-token", Role: auth.Administrator}, known.Admin)
	if err != nil {
		return nil, err
	}
	scim, err := auth.OpaqueSums(auth.Caller{Subject: "scim-token", Role: auth.IdentityProvider}, known.SCIM)
	if err != nil {
		return nil, err
	}
	a.verify = auth.Any(auth.NewVerifier(keys, auth.DefaultAudience, w.Clock).Verify, admin, scim)
	return a, nil
}

// opaque returns the sums of the opaque tokens: of those given, else of those made before, else of new ones.
func (a *access) opaque(o Options, w world.World, path string) (sums, error) {
	var known sums
	data, err := os.ReadFile(path) // #nosec G304 -- in the operator's own data directory
	if err == nil {
		err = json.Unmarshal(data, &known)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return known, fmt.Errorf("reading %s: %w; delete the file to have new tokens made", path, err)
	}
	for _, one := range []struct {
		name, given string
		sum         *string
	}{{"admin-token", o.AdminToken, &known.Admin}, {"scim-token", o.SCIMToken, &known.SCIM}} {
		switch {
		case one.given != "":
			*one.sum = auth.Sum(one.given)
		case *one.sum == "":
			var secret [32]byte
			w.Read(secret[:])
			a.made[one.name] = hex.EncodeToString(secret[:])
			*one.sum = auth.Sum(a.made[one.name])
		}
	}
	before := data
	if data, err = json.Marshal(known); err != nil || bytes.Equal(data, before) {
		return known, err
	}
	if err := keep(path, data); err != nil {
		return known, fmt.Errorf("storing the sums of the access tokens: %w", err)
	}
	return known, nil
}

// openKey reads the signing key, or makes it at the first start.
func openKey(path string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(path) // #nosec G304 -- in the operator's own data directory
	if err == nil {
		return auth.ParsePrivate(text)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading the signing key: %w", err)
	}
	key, err := auth.NewKey()
	if err != nil {
		return nil, err
	}
	if text, err = auth.EncodePrivate(key); err != nil {
		return nil, err
	}
	if err := keep(path, text); err != nil {
		return nil, fmt.Errorf("storing the signing key: %w", err)
	}
	return key, nil
}

// Made are the opaque tokens made at this start, by flag name. They are kept as sums only: show them now or never.
func (s *Stack) Made() map[string]string { return s.access.made }

// Issue makes an access token of a role.
func (s *Stack) Issue(role auth.Role, subject string, lifetime time.Duration) (string, error) {
	return s.access.issuer.Issue(auth.Caller{Subject: subject, Role: role}, lifetime)
}
