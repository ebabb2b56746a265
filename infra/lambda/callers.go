package lambda

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/bookplate/bookplate/infra/setting"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/door"
)

// Door is what every HTTP function takes from outside.
func (p Process) Door() door.Config {
	return door.Config{Verify: p.Callers(), World: p.World, Log: p.Log}
}

// Callers are those with an access token of one of the public keys.
func (p Process) Callers() auth.VerifyFunc {
	given := p.Env.List(setting.PublicKeys)
	if len(given) == 0 {
		return auth.Any()
	}
	var blocks []byte
	for _, one := range given {
		der, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(one, "="))
		if err != nil {
			p.Env.Refuse(setting.PublicKeys, fmt.Errorf("%.12q… isn't base64", one))
			return auth.Any()
		}
		blocks = append(blocks, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...)
	}
	keys, err := auth.ParsePublic(blocks)
	if err != nil {
		p.Env.Refuse(setting.PublicKeys, err)
		return auth.Any()
	}
	return auth.NewVerifier(keys, auth.DefaultAudience, p.World.Clock).Verify
}

// IdentityProvider is the caller with the token whose sum is set, or one with an access token of that role.
func (p Process) IdentityProvider() auth.VerifyFunc {
	sum := p.Env.Text(setting.ScimTokenHash)
	if sum == "" {
		return p.Callers()
	}
	opaque, err := auth.OpaqueSums(auth.Caller{Subject: "scim-token", Role: auth.IdentityProvider}, sum)
	if err != nil {
		p.Env.Refuse(setting.ScimTokenHash, err)
		return auth.Any()
	}
	return auth.Any(p.Callers(), opaque)
}

// ScimURL is where SCIM is served, if the installation has a name of its own; empty takes it from the request.
func (p Process) ScimURL() string {
	base := p.Env.Text(setting.PublicURL)
	if base == "" {
		return ""
	}
	return strings.TrimRight(base, "/") + "/scim/v2"
}
