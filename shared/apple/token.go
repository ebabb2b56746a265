package apple

import (
	"errors"
	"time"

	"github.com/bookplate/bookplate/shared/vault"
)

// ContentToken is what a .vpptoken file says.
type ContentToken struct {
	Secret  vault.Secret // the file's text without the white space around it: what Apple wants as the bearer
	Expires time.Time
	Org     string
}

// DecodeToken reads a .vpptoken file.
func DecodeToken(text []byte) (ContentToken, error) { return ContentToken{}, errors.ErrUnsupported }

// CheckExpiry returns a problem when the token has expired.
func (t ContentToken) CheckExpiry(now time.Time) error { return errors.ErrUnsupported }
