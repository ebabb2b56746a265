package directory

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/bookplate/bookplate/shared/problem"
)

const errorSchema = "urn:ietf:params:scim:api:messages:2.0:Error"

// failure is an answer of RFC 7644, section 3.12. Okta fails on empty details, so there is always one.
type failure struct {
	Schemas  []string `json:"schemas"`
	ScimType string   `json:"scimType,omitempty"`
	Detail   string   `json:"detail"`
	// Status is text: the RFC says so, and Okta's test of a wrong token compares it.
	Status string `json:"status"`
}

// The codes of this package's own problems are scimTypes.
const (
	invalidFilter = "invalidFilter"
	invalidPath   = "invalidPath"
	invalidSyntax = "invalidSyntax"
	mutability    = "mutability"
)

func refuse(scimType, format string, args ...any) error {
	return problem.New(problem.Invalid, scimType, format, args...)
}

// writeError answers with the problem, or with the library's error. Any other error is ours: the caller learns nothing
// of it, and the second result says that it belongs in the log.
func writeError(w http.ResponseWriter, err error) (status int, ours bool) {
	var fromLibrary scimerrors.ScimError
	f := failure{Schemas: []string{errorSchema}}
	var wait time.Duration
	switch p, known := problem.As(err); {
	case known && p.Kind != problem.Internal:
		status, f.ScimType, f.Detail, wait = p.Kind.Status(), scimType(p), p.Message, p.RetryAfter
		if p.Target != "" {
			f.Detail = p.Target + ": " + p.Message
		}
		ours = status >= http.StatusInternalServerError
	case errors.As(err, &fromLibrary) && fromLibrary.Status < http.StatusInternalServerError:
		status, f.ScimType, f.Detail = fromLibrary.Status, string(fromLibrary.ScimType), fromLibrary.Detail
	default:
		status, f.Detail, ours = http.StatusInternalServerError, "", true
	}
	if f.Detail == "" {
		f.Detail = http.StatusText(status) + ". Repeat the request later; the server's log says more."
	}
	f.Status = strconv.Itoa(status)
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="scim"`)
	}
	writeJSON(w, status, f)
	return status, ours
}

// scimType is the RFC's keyword for a problem; it defines some for 400 and one for 409.
func scimType(p *problem.Error) string {
	switch p.Kind {
	case problem.Conflict:
		return "uniqueness"
	case problem.Invalid:
		switch p.Code {
		case invalidFilter, invalidPath, invalidSyntax, mutability:
			return p.Code
		}
		return "invalidValue"
	}
	return ""
}

// writeJSON answers with a body that can always be marshaled: maps, structs and slices of plain values.
func writeJSON(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"schemas":["`+errorSchema+`"],"status":"500"}`)
	}
	w.Header().Set("Content-Type", "application/scim+json")
	w.WriteHeader(status)
	_, _ = w.Write(data) // the client may be gone; there is nobody left to tell
}
