package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/bookplate/bookplate/shared/problem"
)

// shortest secret that Opaque takes, in bytes: 128 bits when written in base64.
const shortest = 22

// errForeign marks refusals of bearers that aren't of the verifier's form at all.
var errForeign = errors.New("not of this form")

func isForeign(err error) bool { return errors.Is(err, errForeign) }

// Opaque accepts any of the secrets (several while one is replaced by the next) as the caller's bearer. It keeps only
// their SHA-256, and compares in constant time. An empty or short secret is an error of configuration.
func Opaque(c Caller, secrets ...string) (VerifyFunc, error) {
	sums := make([]string, len(secrets))
	for i, s := range secrets {
		if len(s) < shortest {
			return nil, fmt.Errorf("bearer secret %d of %d for %s is shorter than %d characters", i+1, len(secrets), c.Subject, shortest)
		}
		sums[i] = Sum(s)
	}
	return OpaqueSums(c, sums...)
}

// Sum is the lower-case hexadecimal SHA-256 of a secret: what a configuration may hold in its place.
func Sum(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// OpaqueSums is Opaque for secrets of which only the Sum is known.
func OpaqueSums(c Caller, sums ...string) (VerifyFunc, error) {
	if len(sums) == 0 {
		return nil, fmt.Errorf("no bearer secret for %s", c.Subject)
	}
	known := make([][]byte, len(sums))
	for i, s := range sums {
		b, err := hex.DecodeString(s)
		if err != nil || len(b) != sha256.Size {
			return nil, fmt.Errorf("sum %d of %d for %s is not a SHA-256 in hexadecimal", i+1, len(sums), c.Subject)
		}
		known[i] = b
	}
	return func(bearer string) (Caller, error) {
		own, match := sha256.Sum256([]byte(bearer)), 0
		for _, k := range known {
			match |= subtle.ConstantTimeCompare(own[:], k)
		}
		if match == 0 {
			return Caller{}, problem.New(problem.Unauthenticated, "",
				"The access token is not known here. Check that it was copied whole, and that it hasn't been replaced.").Because(errForeign)
		}
		return c, nil
	}, nil
}
