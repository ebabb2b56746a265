package vault_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/shared/vault"
)

const canary = "made-up-canary"

func TestNoWayOfPrintingShowsASecret(t *testing.T) {
	secret := vault.NewSecret(canary)
	type open struct{ Token vault.Secret }
	type closed struct{ token vault.Secret }
	var out strings.Builder
	for _, value := range []any{
		secret, &secret,
		open{secret},
		&open{secret},
		closed{secret},
		&closed{secret},
		[]vault.Secret{secret},
		map[string]closed{"a": {secret}},
		errors.Join(fmt.Errorf("with %v", secret)),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T"} {
			fmt.Fprintf(&out, verb, value)
		}
		for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(handler).Info("made up", "value", value)
		}
	}
	data, err := json.Marshal(map[string]any{"value": secret, "open": open{secret}})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(data)
	for _, verb := range []string{"%s", "%x", "%X", "%d"} {
		shown := fmt.Sprintf(verb, []byte(canary))
		if strings.Contains(out.String(), shown) {
			t.Errorf("shown as %s in:\n%s", shown, out.String())
		}
	}
	if !strings.Contains(out.String(), "[secret]") {
		t.Error("nothing was printed")
	}
}

func TestOnlyRevealGivesTheText(t *testing.T) {
	if got := vault.NewSecret(canary).Reveal(); got != canary {
		t.Errorf("got %q", got)
	}
	for _, none := range []vault.Secret{{}, vault.NewSecret("")} {
		if !none.IsZero() || none.Reveal() != "" {
			t.Error("an empty secret isn't zero")
		}
	}
	if vault.NewSecret(canary).IsZero() {
		t.Error("a secret is zero")
	}
}
