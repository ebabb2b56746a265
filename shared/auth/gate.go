package auth

import (
	"net/http"
	"strings"

	"github.com/bookplate/bookplate/shared/problem"
)

// longest bearer that is looked at, in bytes. Ours are below 1 KB.
const longest = 16 << 10

// VerifyFunc says whose a bearer is. Its errors are problems of kind Unauthenticated without any part of the bearer.
type VerifyFunc func(bearer string) (Caller, error)

// Gate lets requests through by their bearer.
type Gate struct {
	Verify VerifyFunc
	// Fail answers with an error in the protocol's own shape, e.g. graph.WriteError.
	Fail func(w http.ResponseWriter, r *http.Request, err error)
}

// Require is next behind the gate: only callers whose role allows need come through, and next finds them with From.
// Others get 401 (no caller that we believe) or 403 (not enough rights).
func (g Gate) Require(need Role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := g.Check(need, r)
		if err != nil {
			if problem.KindOf(err) == problem.Unauthenticated {
				w.Header().Set("WWW-Authenticate", "Bearer")
			}
			g.Fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(With(r.Context(), c)))
	})
}

// Check returns the caller of a request if their role allows need; otherwise a problem, Unauthenticated or Forbidden.
func (g Gate) Check(need Role, r *http.Request) (Caller, error) {
	c, err := g.caller(r)
	if err != nil {
		return Caller{}, err
	}
	if !c.Role.Allows(need) {
		return Caller{}, problem.New(problem.Forbidden, "",
			"This needs the role %s, and the access token of %s has the role %s. Ask an operator for a token with that role.",
			need, c.Subject, c.Role)
	}
	return c, nil
}

func (g Gate) caller(r *http.Request) (Caller, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 || len(headers) == 1 && strings.TrimSpace(headers[0]) == "" {
		return Caller{}, refuse("The request has no access token. Send the header 'Authorization: Bearer <token>'.")
	}
	scheme, bearer, _ := strings.Cut(strings.TrimSpace(headers[0]), " ")
	bearer = strings.TrimSpace(bearer)
	switch {
	case len(headers) > 1:
		return Caller{}, refuse("The request has more than one Authorization header. Send one.")
	case !strings.EqualFold(scheme, "Bearer"):
		return Caller{}, refuse("The Authorization header is not of the Bearer scheme. Send 'Authorization: Bearer <token>'.")
	case bearer == "":
		return Caller{}, refuse("The Authorization header has no token after 'Bearer'. Send 'Authorization: Bearer <token>'.")
	case len(bearer) > longest:
		return Caller{}, refuse("The access token is longer than any that this service issues. Check what is sent as the token.")
	}
	return g.Verify(bearer)
}

// Any accepts a bearer that one of the verifiers accepts. The error is that of the first verifier that recognized the
// bearer as of its own form, or else the last one's.
func Any(verifiers ...VerifyFunc) VerifyFunc {
	return func(bearer string) (Caller, error) {
		err := refuse("This service accepts no access tokens: none are configured.")
		var told bool
		for _, verify := range verifiers {
			c, e := verify(bearer)
			if e == nil {
				return c, nil
			}
			if !told {
				err, told = e, !isForeign(e)
			}
		}
		return Caller{}, err
	}
}

func refuse(format string, args ...any) error {
	return problem.New(problem.Unauthenticated, "", format, args...)
}
