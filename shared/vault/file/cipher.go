package file

import (
	"bytes"
	"crypto/aes"
	stdcipher "crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
)

// Errors that say what to do.
var (
	errDamaged = errors.New("the secret's file is damaged: restore it from a backup, or upload the token again")
	errKey     = errors.New("the secret was encrypted with another key: restore the file named key that belongs to it, " +
		"or upload the token again")
)

// magic begins every file: what it is, and the version of its layout: magic, key id, nonce, sealed text.
const magic = "bookplate secret 1\n"

const (
	idSize    = 8
	nonceSize = 12
)

// cipher seals secrets with one key: AES-256-GCM with a random nonce.
type cipher struct {
	aead stdcipher.AEAD
	id   []byte // tells keys apart without telling anything of the key
}

func newCipher(key []byte) (*cipher, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := stdcipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(append([]byte("bookplate key id\n"), key...))
	return &cipher{aead: aead, id: id[:idSize]}, nil
}

func (c *cipher) seal(text, name, version string) []byte {
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce) // can't fail: it ends the program instead
	out := append([]byte(magic), c.id...)
	out = append(out, nonce...)
	return c.aead.Seal(out, nonce, []byte(text), bound(name, version))
}

func (c *cipher) open(data []byte, name, version string) (string, error) {
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(rest) < idSize+nonceSize {
		return "", errDamaged
	}
	if !bytes.Equal(rest[:idSize], c.id) {
		return "", errKey
	}
	rest = rest[idSize:]
	text, err := c.aead.Open(nil, rest[:nonceSize], rest[nonceSize:], bound(name, version))
	if err != nil {
		return "", errDamaged
	}
	return string(text), nil
}

// bound is the additional data: a file given the name of another one doesn't open.
func bound(name, version string) []byte { return []byte(magic + name + "\n" + version) }
