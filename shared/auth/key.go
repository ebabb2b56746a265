package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
)

const (
	privateBlock = "PRIVATE KEY"
	publicBlock  = "PUBLIC KEY"
)

// NewKey makes a key for ES256 (ECDSA on P-256).
func NewKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return key, nil
}

// EncodePrivate is the key as PEM (PKCS #8).
func EncodePrivate(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der}), nil
}

// EncodePublic is the key as PEM (SubjectPublicKeyInfo).
func EncodePublic(key *ecdsa.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: der}), nil
}

// ParsePrivate reads a P-256 private key from PEM (PKCS #8, or SEC 1 as OpenSSL writes it).
func ParsePrivate(text []byte) (*ecdsa.PrivateKey, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case privateBlock:
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, errors.New("the private key is damaged: its PEM block can't be decoded")
			}
			ec, ok := key.(*ecdsa.PrivateKey)
			if !ok || ec.Curve != elliptic.P256() {
				return nil, errors.New("the private key is not for ES256: a P-256 key is needed")
			}
			return ec, nil
		case "EC PRIVATE KEY":
			ec, err := x509.ParseECPrivateKey(block.Bytes)
			if err != nil {
				return nil, errors.New("the private key is damaged: its PEM block can't be decoded")
			}
			if ec.Curve != elliptic.P256() {
				return nil, errors.New("the private key is not for ES256: a P-256 key is needed")
			}
			return ec, nil
		case "ENCRYPTED PRIVATE KEY":
			return nil, errors.New("the private key is encrypted with a passphrase: decrypt it first")
		case publicBlock:
			return nil, errors.New("this is the public key: the private one is needed to issue tokens")
		}
	}
	return nil, errors.New("there is no private key: a PEM block '-----BEGIN PRIVATE KEY-----' is needed")
}

// Keys are public keys by key id.
type Keys map[string]*ecdsa.PublicKey

// KeyID names a public key: its JWK thumbprint (RFC 7638).
func KeyID(key *ecdsa.PublicKey) (string, error) {
	point, err := key.Bytes()
	if err != nil || len(point) != 65 {
		return "", errors.New("the public key is not for ES256: a P-256 key is needed")
	}
	b64 := base64.RawURLEncoding.EncodeToString
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}`, b64(point[1:33]), b64(point[33:])))
	return b64(sum[:]), nil
}

// ParsePublic reads P-256 public keys from PEM (one or more blocks) or from a JWK set. It refuses private keys, because
// whoever only verifies must not hold one.
func ParsePublic(text []byte) (Keys, error) {
	keys := Keys{}
	var err error
	if text = bytes.TrimSpace(text); bytes.HasPrefix(text, []byte("{")) {
		err = keys.addSet(text)
	} else {
		err = keys.addPEM(text)
	}
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no public key: a PEM block '-----BEGIN PUBLIC KEY-----' or a JWK set is needed")
	}
	return keys, nil
}

func (k Keys) addPEM(text []byte) error {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != publicBlock {
			return fmt.Errorf("the block %q is not a public key: only public keys belong here", block.Type)
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return errors.New("the public key is damaged: its PEM block can't be decoded")
		}
		ec, ok := key.(*ecdsa.PublicKey)
		if !ok {
			return errors.New("the public key is not for ES256: a P-256 key is needed")
		}
		if err := k.add("", ec); err != nil {
			return err
		}
	}
	return nil
}

func (k Keys) addSet(text []byte) error {
	var set struct {
		Keys []struct {
			Kty, Crv, X, Y, Kid string
			D                   json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return errors.New("the JWK set is not valid JSON")
	}
	for i, j := range set.Keys {
		if j.D != nil {
			return fmt.Errorf("key %d of the JWK set is private: only public keys belong here", i+1)
		}
		x, errX := base64.RawURLEncoding.DecodeString(j.X)
		y, errY := base64.RawURLEncoding.DecodeString(j.Y)
		if j.Kty != "EC" || j.Crv != "P-256" || errX != nil || errY != nil || len(x) != 32 || len(y) != 32 {
			return fmt.Errorf("key %d of the JWK set is not for ES256: an EC key on P-256 is needed", i+1)
		}
		point := append(append([]byte{4}, x...), y...)
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil {
			return fmt.Errorf("key %d of the JWK set is damaged: it is no point of P-256", i+1)
		}
		if err := k.add(j.Kid, key); err != nil {
			return err
		}
	}
	return nil
}

func (k Keys) add(kid string, key *ecdsa.PublicKey) error {
	own, err := KeyID(key)
	if err != nil {
		return err
	}
	if kid == "" {
		kid = own
	}
	k[kid] = key
	return nil
}
