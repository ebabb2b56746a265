package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// ErrAbsent says that there is no such secret, or no such version of it.
var ErrAbsent = errors.New("no such secret")

// Reader reads secrets. Safe for concurrent use.
type Reader interface {
	// Get returns one version of a secret. It returns ErrAbsent for what was never put or has been deleted.
	Get(ctx context.Context, name, version string) (Secret, error)
}

// Vault keeps secrets. Safe for concurrent use.
type Vault interface {
	Reader
	// Put stores a secret as a version of its own; older versions stay readable until Delete. It is durable when Put
	// returns. Putting the same content again under the same version is no error; other content under it is one. Names
	// and versions are 1 to 64 characters of a-z, 0-9 and '-' (UUIDs fit).
	Put(ctx context.Context, name, version string, secret Secret) error
	// Delete removes the secret with all its versions. Deleting what isn't there is no error.
	Delete(ctx context.Context, name string) error
}

// Secret is text that must not be shown. Every way of printing it prints "[secret]"; only Reveal gives the text. Two
// secrets can't be compared with ==; compare what they reveal.
type Secret struct {
	_ [0]func() // forbids ==, which would compare pointers
	// text is a pointer because fmt doesn't ask the fields of somebody's struct how they want to be printed when they
	// aren't exported: it prints what they hold, and of a pointer only the address.
	text *string
}

// NewSecret wraps a text.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal returns the text. Call it where the text leaves for Apple, or goes into the vault's engine, and nowhere else.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero says that there is no secret.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

const hidden = "[secret]"

// String hides the text from whoever asks for it.
func (Secret) String() string { return hidden }

// Format hides the text from fmt, whatever the verb, and so from error messages.
func (Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, hidden) }

// LogValue hides the text from log/slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the text from JSON and other encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
