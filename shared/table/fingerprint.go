package table

import (
	"crypto/sha256"
	"encoding/json"
)

// Fingerprint tells the ops of two Commits apart, so that an engine which remembers tokens notices when one is used
// for two intentions. That is a fault of the caller's code, answered with ErrLimit.
func Fingerprint(ops []Op) [16]byte {
	hash := sha256.New()
	for _, op := range ops {
		op.Item.Version = ""
		if op.Kind != OpPut {
			op.Item = Item{Key: op.Item.Key}
		}
		data, _ := json.Marshal(op) // strings, bytes, ints and a time within CheckItem's bounds always marshal
		hash.Write(data)
	}
	return [16]byte(hash.Sum(nil))
}

// ErrTokenReused is what an engine returns for such a token.
func ErrTokenReused(token string) error {
	return limitf("token %s: used before, for other ops", token)
}
