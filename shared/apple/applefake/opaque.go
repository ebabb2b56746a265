package applefake

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strings"
)

// kind keeps the fake's opaque ids apart: one that was given out for one thing is never taken for another.
type kind byte

const (
	kindEvent kind = iota + 1
	kindInvite
	kindReader       // clientUserId of a generated reader
	kindReaderInvite // inviteCode of a generated reader
	kindNotification
	kindJitter
	kindAssets // version ids, by endpoint
	kindAssignments
	kindUsers
)

// opaque makes ids that look random and carry a number. They need no storage: sealing is a permutation of 128 bits, and
// what wasn't sealed here for the same kind and location doesn't open.
type opaque struct {
	block    cipher.Block
	seed     uint64
	location uint32
}

func newOpaque(seed uint64, uid string) opaque {
	key := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("applefake"), seed))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // 32 bytes are always a key
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(uid))
	return opaque{block: block, seed: seed, location: h.Sum32()}
}

func (o opaque) seal(k kind, n uint64) [16]byte {
	var b [16]byte
	b[0] = byte(k)
	binary.BigEndian.PutUint32(b[4:], o.location)
	binary.BigEndian.PutUint64(b[8:], n)
	o.block.Encrypt(b[:], b[:])
	return b
}

func (o opaque) open(k kind, sealed [16]byte) (n uint64, ok bool) {
	var b [16]byte
	o.block.Decrypt(b[:], sealed[:])
	n = binary.BigEndian.Uint64(b[8:])
	return n, o.seal(k, n) == sealed
}

// uuid is a sealed number written like a UUID.
func (o opaque) uuid(k kind, n uint64) string {
	b := o.seal(k, n)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (o opaque) openUUID(k kind, text string) (uint64, bool) {
	if len(text) != 36 || strings.Count(text, "-") != 4 {
		return 0, false
	}
	return o.openHex(k, strings.ReplaceAll(text, "-", ""))
}

// code is a sealed number in 32 hexadecimal digits.
func (o opaque) code(k kind, n uint64) string {
	b := o.seal(k, n)
	return hex.EncodeToString(b[:])
}

func (o opaque) openHex(k kind, text string) (uint64, bool) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != 16 {
		return 0, false
	}
	return o.open(k, [16]byte(raw))
}

// chance is a number from 0 to below, decided by the seed, the kind and n.
func (o opaque) chance(k kind, n, below uint64) uint64 {
	if below == 0 {
		return 0
	}
	b := o.seal(k, n)
	return binary.BigEndian.Uint64(b[:]) % below
}

// idHash is the hash by which Apple names an account: the same in all locations, and not to be turned back.
func idHash(seed uint64, account string) string {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(strings.ToLower(account)), seed))
	return base64.StdEncoding.EncodeToString(sum[:20])
}
