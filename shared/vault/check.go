package vault

import (
	"errors"
	"fmt"
	"strings"
)

// MaxSecret is the longest secret, in bytes (Secrets Manager: "Quotas", 65,536).
const MaxSecret = 64 << 10

// Errors of the callers' making. Nothing has happened.
var (
	// ErrInvalid: the name, version or secret isn't one that a vault takes.
	ErrInvalid = errors.New("not something a vault takes")
	// ErrTaken: the version holds another secret already.
	ErrTaken = errors.New("the version of the secret is taken")
)

// CheckName holds a name and, unless there are none, versions against the alphabet of the port. For engines.
func CheckName(name string, versions ...string) error {
	for _, text := range append([]string{name}, versions...) {
		if len(text) == 0 || len(text) > 64 || strings.ContainsFunc(text, foreign) {
			return fmt.Errorf("%w: %q isn't 1 to 64 characters of a-z, 0-9 and '-'", ErrInvalid, text)
		}
	}
	return nil
}

func foreign(r rune) bool {
	return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
}

// CheckSecret refuses an empty secret and one that is longer than MaxSecret. For engines.
func CheckSecret(s Secret) error {
	if size := len(s.Reveal()); size == 0 || size > MaxSecret {
		return fmt.Errorf("%w: a secret of %d bytes, not 1 to %d", ErrInvalid, size, MaxSecret)
	}
	return nil
}
