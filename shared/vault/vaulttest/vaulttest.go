package vaulttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bookplate/bookplate/shared/vault"
	"github.com/bookplate/bookplate/shared/world"
)

// Run runs the suite. open may return a new vault or always the same: every law uses names of its own.
func Run(t *testing.T, open func(t *testing.T) vault.Vault) {
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) { l.check(&bench{T: t, vault: open(t), name: newID()}) })
	}
}

func newID() string { return world.NewID(world.Real()) }

// bench is what a law is tested on.
type bench struct {
	*testing.T
	vault vault.Vault
	name  string // of this law alone
}

var laws = []struct {
	name  string
	check func(b *bench)
}{
	{"a secret is read back as it was put", func(b *bench) {
		for i, text := range []string{
			"made-up", "two\nlines\x00 and a NUL", "ünïcode 📚", strings.Repeat("x", vault.MaxSecret),
		} {
			version := fmt.Sprint(i)
			b.put(b.name, version, text)
			b.want(b.name, version, text)
		}
	}},
	{"older versions stay readable", func(b *bench) {
		b.put(b.name, "v1", "made-up-1")
		b.put(b.name, "v2", "made-up-2")
		b.want(b.name, "v1", "made-up-1")
		b.want(b.name, "v2", "made-up-2")
	}},
	{"what was never put is ErrAbsent", func(b *bench) {
		b.wantError("name", b.get(b.name, "v1"), vault.ErrAbsent)
		b.put(b.name, "v1", "made-up")
		b.wantError("version", b.get(b.name, "v2"), vault.ErrAbsent)
		b.wantError("shorter name", b.get(b.name[:35], "v1"), vault.ErrAbsent)
	}},
	{"the same secret may be put again under its version", func(b *bench) {
		b.put(b.name, "v1", "made-up")
		b.put(b.name, "v1", "made-up")
		b.want(b.name, "v1", "made-up")
	}},
	{"another one may not, and the first stays", func(b *bench) {
		b.put(b.name, "v1", "made-up")
		err := b.vault.Put(b.Context(), b.name, "v1", vault.NewSecret("other"))
		b.wantError("put", err, vault.ErrTaken)
		b.want(b.name, "v1", "made-up")
	}},
	{"Delete removes all versions", func(b *bench) {
		b.put(b.name, "v1", "made-up-1")
		b.put(b.name, "v2", "made-up-2")
		b.must(b.vault.Delete(b.Context(), b.name))
		b.wantError("v1", b.get(b.name, "v1"), vault.ErrAbsent)
		b.wantError("v2", b.get(b.name, "v2"), vault.ErrAbsent)
	}},
	{"and nothing else", func(b *bench) {
		for _, other := range []string{b.name + "-1", b.name + "0", "0" + b.name} {
			b.put(other, "v1", "made-up")
			defer b.want(other, "v1", "made-up")
		}
		b.put(b.name, "v1", "made-up")
		b.must(b.vault.Delete(b.Context(), b.name))
	}},
	{"deleting what isn't there is no error", func(b *bench) {
		b.must(b.vault.Delete(b.Context(), b.name))
	}},
	{"names and versions are 1 to 64 characters of a-z, 0-9 and '-'", func(b *bench) {
		long := (b.name + strings.Repeat("a", 64))[:64]
		b.put(long, long, "made-up")
		b.want(long, long, "made-up")
		b.put("-", b.name, "made-up")
		b.want("-", b.name, "made-up")
		for _, bad := range []string{
			"", ".", "..", "../a", "a/b", `a\b`, "a.b", "A", "é", "a b", "a\x00", "a\n", "*", strings.Repeat("a", 65),
		} {
			what := fmt.Sprintf("%q", bad)
			secret := vault.NewSecret("made-up")
			b.wantError("put name "+what, b.vault.Put(b.Context(), bad, "v1", secret), vault.ErrInvalid)
			b.wantError("put version "+what, b.vault.Put(b.Context(), b.name, bad, secret), vault.ErrInvalid)
			b.wantError("get name "+what, b.get(bad, "v1"), vault.ErrInvalid)
			b.wantError("get version "+what, b.get(b.name, bad), vault.ErrInvalid)
			b.wantError("delete "+what, b.vault.Delete(b.Context(), bad), vault.ErrInvalid)
		}
	}},
	{"an empty secret and one over MaxSecret are refused", func(b *bench) {
		for _, text := range []string{"", strings.Repeat("x", vault.MaxSecret+1)} {
			b.wantError("put", b.vault.Put(b.Context(), b.name, "v1", vault.NewSecret(text)), vault.ErrInvalid)
		}
		b.wantError("get", b.get(b.name, "v1"), vault.ErrAbsent)
	}},
	{"no error shows a secret", func(b *bench) {
		b.put(b.name, "v1", "canary-one")
		err := b.vault.Put(b.Context(), b.name, "v1", vault.NewSecret("canary-two"))
		if err == nil || strings.Contains(err.Error(), "canary") {
			b.Errorf("got %v", err)
		}
	}},
	{"of many who put one version at once one wins", func(b *bench) {
		var won atomic.Int32
		b.must(world.Real().Run(b.Context(), 8, 8, func(ctx context.Context, i int) error {
			err := b.vault.Put(ctx, b.name, "v1", vault.NewSecret(fmt.Sprint("made-up-", i)))
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, vault.ErrTaken) {
				return err
			}
			return nil
		}))
		if won.Load() != 1 {
			b.Errorf("%d winners", won.Load())
		}
	}},
	{"a call whose context has ended does nothing", func(b *bench) {
		ended, cancel := context.WithCancel(b.Context())
		cancel()
		b.wantError("put", b.vault.Put(ended, b.name, "v1", vault.NewSecret("made-up")), context.Canceled)
		b.wantError("get", b.get(b.name, "v1"), vault.ErrAbsent)
		b.put(b.name, "v1", "made-up")
		b.wantError("delete", b.vault.Delete(ended, b.name), context.Canceled)
		_, err := b.vault.Get(ended, b.name, "v1")
		b.wantError("get", err, context.Canceled)
		b.want(b.name, "v1", "made-up")
	}},
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) put(name, version, text string) {
	b.Helper()
	b.must(b.vault.Put(b.Context(), name, version, vault.NewSecret(text)))
}

func (b *bench) get(name, version string) error {
	_, err := b.vault.Get(b.Context(), name, version)
	return err
}

func (b *bench) want(name, version, text string) {
	b.Helper()
	secret, err := b.vault.Get(b.Context(), name, version)
	b.must(err)
	if secret.Reveal() != text {
		b.Errorf("got %.40q, want %.40q", secret.Reveal(), text)
	}
}

func (b *bench) wantError(what string, err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Errorf("%s: got error %v, want %v", what, err, want)
	}
}
