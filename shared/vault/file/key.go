package file

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	keyFile = "key"
	keySize = 32 // bytes: AES-256
)

// loadKey reads the key of the directory, or makes one if there are no secrets yet that would need another.
func loadKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, keyFile)
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := refuseSecrets(dir); err != nil {
		return nil, err
	}
	key = make([]byte, keySize)
	_, _ = rand.Read(key) // can't fail: it ends the program instead
	// A link, unlike a rename, never replaces a key that somebody else made meanwhile.
	if err := writeFile(path, key, os.Link); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make the key: %w", err)
	}
	return readKey(path)
}

func readKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("others can read the key %s (mode %o): run chmod 600 on it", path, mode)
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("the key %s has %d bytes, not %d: restore it from a backup", path, len(key), keySize)
	}
	return key, nil
}

// refuseSecrets: secrets without their key can't be read, and a new key beside them would hide why.
func refuseSecrets(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		if strings.HasSuffix(file.Name(), suffix) {
			return fmt.Errorf("the key %s is missing and there are secrets that need it: restore it from a backup, "+
				"or remove the files *%s and upload the tokens again", filepath.Join(dir, keyFile), suffix)
		}
	}
	return nil
}
