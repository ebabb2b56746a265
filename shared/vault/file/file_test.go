package file_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/shared/vault"
	"github.com/bookplate/bookplate/shared/vault/file"
	"github.com/bookplate/bookplate/shared/vault/vaulttest"
)

const canary = "made-up-token-canary"

func open(t *testing.T, dir string) *file.Vault {
	t.Helper()
	v, err := file.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// filled returns the directory of a vault with secret a, versions v1 and v2.
func filled(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "vault")
	v := open(t, dir)
	for _, version := range []string{"v1", "v2"} {
		if err := v.Put(t.Context(), "a", version, vault.NewSecret(canary+version)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantMessage(t *testing.T, err error, want ...string) {
	t.Helper()
	for _, part := range want {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got error %v, want one with %q", err, part)
		}
	}
}

func TestContract(t *testing.T) {
	shared := open(t, t.TempDir())
	vaulttest.Run(t, func(*testing.T) vault.Vault { return shared })
}

func TestAReopenedVaultHasItsSecrets(t *testing.T) {
	got, err := open(t, filled(t)).Get(t.Context(), "a", "v2")
	if err != nil || got.Reveal() != canary+"v2" {
		t.Errorf("%v", err)
	}
}

func TestNoFileHoldsASecretInClearAndAllAreTheirOwnersOnly(t *testing.T) {
	var files int
	dir := filled(t)
	must(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(canary)) {
			t.Errorf("%s shows it", path)
		}
		info, infoErr := entry.Info()
		must(t, infoErr)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	}))
	if files != 3 {
		t.Errorf("%d files, want the key and two secrets", files)
	}
}

func TestEqualSecretsLookDifferent(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	must(t, v.Put(t.Context(), "a", "v1", vault.NewSecret(canary)))
	must(t, v.Put(t.Context(), "a", "v2", vault.NewSecret(canary)))
	one, err := os.ReadFile(filepath.Join(dir, "a.v1.secret"))
	must(t, err)
	two, err := os.ReadFile(filepath.Join(dir, "a.v2.secret"))
	must(t, err)
	if bytes.Equal(one[30:], two[30:]) {
		t.Error("the same bytes")
	}
}

func TestADamagedFileIsAClearError(t *testing.T) {
	path := func(dir string) string { return filepath.Join(dir, "a.v1.secret") }
	for name, damage := range map[string]func(t *testing.T, dir string, data []byte) []byte{
		"one bit":    func(_ *testing.T, _ string, data []byte) []byte { data[len(data)-1] ^= 1; return data },
		"nonce":      func(_ *testing.T, _ string, data []byte) []byte { data[30] ^= 1; return data },
		"cut short":  func(_ *testing.T, _ string, data []byte) []byte { return data[:len(data)-5] },
		"only begun": func(_ *testing.T, _ string, data []byte) []byte { return data[:22] },
		"empty":      func(*testing.T, string, []byte) []byte { return nil },
		"another secret's": func(t *testing.T, dir string, _ []byte) []byte {
			data, err := os.ReadFile(filepath.Join(dir, "a.v2.secret"))
			must(t, err)
			return data
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filled(t)
			data, err := os.ReadFile(path(dir))
			must(t, err)
			must(t, os.WriteFile(path(dir), damage(t, dir, data), 0o600))
			v := open(t, dir)
			_, err = v.Get(t.Context(), "a", "v1")
			wantMessage(t, err, path(dir), "damaged", "restore it from a backup, or upload the token again")
			err = v.Put(t.Context(), "a", "v1", vault.NewSecret(canary))
			wantMessage(t, err, "damaged")
		})
	}
}

func TestAWrongOrMissingOrOpenKeyIsAClearError(t *testing.T) {
	t.Run("another key", func(t *testing.T) {
		dir := filled(t)
		must(t, os.WriteFile(filepath.Join(dir, "key"), bytes.Repeat([]byte("k"), 32), 0o600))
		_, err := open(t, dir).Get(t.Context(), "a", "v1")
		wantMessage(t, err, "another key", "restore the file named key")
	})
	for name, c := range map[string]struct {
		spoil func(key string) error
		want  string
	}{
		"missing":   {os.Remove, "restore it from a backup"},
		"too short": {func(key string) error { return os.Truncate(key, 31) }, "has 31 bytes"},
		"open":      {func(key string) error { return os.Chmod(key, 0o644) }, "chmod 600"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filled(t)
			must(t, c.spoil(filepath.Join(dir, "key")))
			_, err := file.Open(dir)
			wantMessage(t, err, filepath.Join(dir, "key"), c.want)
		})
	}
}

func TestDeleteAlsoRemovesWhatACrashLeft(t *testing.T) {
	dir := filled(t)
	must(t, os.WriteFile(filepath.Join(dir, "a.v3.secret.123.tmp"), []byte("half"), 0o600))
	must(t, open(t, dir).Delete(t.Context(), "a"))
	files, err := os.ReadDir(dir)
	must(t, err)
	if len(files) != 1 || files[0].Name() != "key" {
		t.Errorf("left: %v", files)
	}
}
