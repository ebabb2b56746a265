package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/bookplate/bookplate/shared/vault"
)

// suffix ends the name of a secret's file, <name>.<version>.secret. Neither part has a dot in it, so no two secrets
// share a file and none has the key's.
const suffix = ".secret"

// Vault is a vault.Vault in a directory. Safe for concurrent use within one process.
type Vault struct {
	dir    string
	cipher *cipher
	mu     sync.Mutex // one Put or Delete at a time
}

var _ vault.Vault = (*Vault)(nil)

// Open opens the vault in dir, and makes the directory and the key when there are none.
func Open(dir string) (*Vault, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the vault: %w", err)
	}
	key, err := loadKey(dir)
	if err != nil {
		return nil, fmt.Errorf("open the vault in %s: %w", dir, err)
	}
	c, err := newCipher(key)
	if err != nil {
		return nil, fmt.Errorf("open the vault in %s: %w", dir, err)
	}
	return &Vault{dir: dir, cipher: c}, nil
}

// Get is the port's.
func (v *Vault) Get(ctx context.Context, name, version string) (vault.Secret, error) {
	if err := errors.Join(ctx.Err(), vault.CheckName(name, version)); err != nil {
		return vault.Secret{}, err
	}
	path := v.path(name, version)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return vault.Secret{}, fmt.Errorf("get secret %s, version %s: %w", name, version, vault.ErrAbsent)
	}
	if err != nil {
		return vault.Secret{}, fmt.Errorf("get secret: %w", err)
	}
	text, err := v.cipher.open(data, name, version)
	if err != nil {
		return vault.Secret{}, fmt.Errorf("get secret: %s: %w", path, err)
	}
	return vault.NewSecret(text), nil
}

// Put is the port's.
func (v *Vault) Put(ctx context.Context, name, version string, secret vault.Secret) error {
	if err := errors.Join(ctx.Err(), vault.CheckName(name, version), vault.CheckSecret(secret)); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch stored, err := v.Get(ctx, name, version); {
	case err == nil && stored.Reveal() == secret.Reveal():
		return nil
	case err == nil:
		return fmt.Errorf("put secret %s, version %s: %w", name, version, vault.ErrTaken)
	case !errors.Is(err, vault.ErrAbsent):
		return err
	}
	if err := writeFile(v.path(name, version), v.cipher.seal(secret.Reveal(), name, version), os.Rename); err != nil {
		return fmt.Errorf("put secret %s, version %s: %w", name, version, err)
	}
	return nil
}

// Delete is the port's.
func (v *Vault) Delete(ctx context.Context, name string) error {
	if err := errors.Join(ctx.Err(), vault.CheckName(name)); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	files, err := os.ReadDir(v.dir)
	if err != nil {
		return fmt.Errorf("delete secret %s: %w", name, err)
	}
	for _, file := range files {
		if !strings.HasPrefix(file.Name(), name+".") { // also what a crash left of a write
			continue
		}
		if err := os.Remove(filepath.Join(v.dir, file.Name())); err != nil {
			return fmt.Errorf("delete secret %s: %w", name, err)
		}
	}
	return syncDir(v.dir)
}

func (v *Vault) path(name, version string) string {
	return filepath.Join(v.dir, name+"."+version+suffix)
}

// writeFile makes a whole, durable file or none: publish (os.Rename or os.Link) gives the written file its name.
func writeFile(path string, data []byte, publish func(from, to string) error) error {
	dir, name := filepath.Split(path)
	file, err := os.CreateTemp(dir, name+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = publish(file.Name(), path)
	}
	if removed := os.Remove(file.Name()); removed != nil && !errors.Is(removed, fs.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the coming and going of files durable. Windows has no such call.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
