package tokens

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/vault"
)

// patience is how long a request waits for Apple: answers come within 20 seconds (the gateway gives up after 30).
const patience = 18 * time.Second

// productName is how Apple names us to others.
const productName = "Bookplate"

// place is a location as a token has shown it, and the token itself.
type place struct {
	*apple.Location
	config apple.ClientConfig
	token  apple.ContentToken
	ours   apple.MDMInfo // who we are there
}

// look decodes a token file and asks Apple what it opens. An empty location takes whatever it is.
func (s server) look(ctx context.Context, file, location string) (place, error) {
	content, err := apple.DecodeToken([]byte(file))
	if err != nil {
		return place{}, at(err, "token")
	}
	if err := content.CheckExpiry(s.World.Now()); err != nil {
		return place{}, at(err, "token")
	}
	return s.open(ctx, content, location)
}

func (s server) open(ctx context.Context, content apple.ContentToken, location string) (place, error) {
	// Made before any claim: whatever crashes from here on, the next attempt has the same ids (design section 5).
	installation, err := token.Installation(ctx, s.Store, s.World)
	if err != nil {
		return place{}, fmt.Errorf("reading the installation's id: %w", err)
	}
	p := place{Location: s.Apple.Open(content.Secret, apple.Identity{UID: location}), token: content}
	if p.config, err = p.ClientConfig(ctx); err != nil {
		return place{}, err
	}
	limits, err := s.Apple.Config(ctx)
	if err != nil {
		return place{}, err
	}
	p.ours = apple.MDMInfo{
		ID: token.MDMID(installation, p.config.UID), Name: productName,
		Metadata: metadata(s.Version, s.Host, limits.Limits.MaxMDMMetadata),
	}
	return p, nil
}

// claim makes us the location's manager if nobody else is, or the order is to replace whoever is (design law 4).
func (p *place) claim(ctx context.Context, o order) error {
	if owner := p.foreignOwner(); owner != nil && !o.allows(*owner) {
		return &apple.OwnerError{Owner: *owner}
	}
	if p.config.MDMInfo != nil && *p.config.MDMInfo == p.ours {
		return nil
	}
	if _, err := p.Claim(ctx, p.ours); err != nil {
		return err
	}
	// Two may claim at once, and the last one wins without the first one's hearing of it. From its claim on, the Location
	// refuses an answer that names another.
	config, err := p.ClientConfig(ctx)
	if err == nil && config.MDMInfo == nil {
		err = &apple.UnclaimedError{}
	}
	return err
}

// accountType is whose purchases a location holds.
func accountType(platform string) token.AccountType {
	if platform == apple.PlatformBusiness {
		return token.Business
	}
	return token.Education
}

// metadata describes this installation to whoever else gets at the location. Apple counts the limit in an undocumented
// unit, so bytes are counted, the largest.
func metadata(version, host string, most int) string {
	for _, about := range []map[string]string{{"version": version, "host": host}, {"version": version}} {
		text, err := json.Marshal(about)
		if err == nil && len(text) <= most {
			return string(text)
		}
	}
	text := productName + " " + version
	for len(text) > most {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return strings.TrimSpace(text)
}

// store puts the token into the vault as a version of its own, and returns the version.
func (s server) store(ctx context.Context, id string, secret vault.Secret, version string) error {
	if err := s.Vault.Put(ctx, id, version, secret); err != nil {
		return fmt.Errorf("storing the secret of token %s: %w", id, err)
	}
	return nil
}

// at names the field at fault.
func at(err error, field string) error {
	if p, ok := problem.As(err); ok {
		return p.At(field)
	}
	return err
}
