package graph

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bookplate/bookplate/shared/problem"
)

// skipToken is a place in a collection: a store's cursor, or the place after an entity, with its position in case
// the entity has gone meanwhile.
type skipToken struct {
	Cursor string `json:"c,omitempty"`
	Next   int    `json:"n,omitempty"`
	After  string `json:"a,omitempty"`
}

func (t skipToken) start(entities []Entity) int {
	if t.After != "" {
		if i := slices.IndexFunc(entities, func(e Entity) bool { return id(e) == t.After }); i >= 0 {
			return i + 1
		}
		return max(t.Next-1, 0) // the entity itself no longer counts
	}
	return t.Next
}

// place is where q's page begins.
func (q Query) place() (skipToken, error) {
	if q.skipToken == "" {
		return skipToken{Next: q.Skip}, nil
	}
	t, err := parseSkipToken(q.skipToken)
	if err == nil && t.Cursor != "" {
		err = badSkipToken()
	}
	return t, err
}

// Cursor is the store's cursor that NextLink put into the link by which the request came; empty on the first page.
func (q Query) Cursor() (string, error) {
	if q.skipToken == "" {
		return "", nil
	}
	t, err := parseSkipToken(q.skipToken)
	if err == nil && t.Cursor == "" {
		err = badSkipToken()
	}
	return t.Cursor, err
}

// NextLink is the link to the page that begins at a store's cursor, for lists that aren't held in memory; empty for an
// empty cursor. The caller sees to it that no empty page carries one.
func NextLink(r *http.Request, cursor string) string {
	if cursor == "" {
		return ""
	}
	return nextLink(r, skipToken{Cursor: cursor})
}

// nextLink is r's URL with all its options but $skip, which the token has counted, and with the token.
func nextLink(r *http.Request, t skipToken) string {
	var kept []string
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		if option, _ := optionName(plain); err != nil || pair == "" || option == "$skip" || option == "$skiptoken" {
			continue
		}
		text, err := url.QueryUnescape(value)
		if err != nil {
			continue // ParseQuery has refused it before
		}
		kept = append(kept, escapeQuery(plain)+"="+escapeQuery(text))
	}
	kept = append(kept, "$skiptoken="+t.String())
	return Origin(r) + r.URL.EscapedPath() + "?" + strings.Join(kept, "&")
}

// escapeQuery keeps '$' and ',' readable, as Graph's own links do, and writes a space as %20, which every client reads.
func escapeQuery(s string) string {
	return strings.NewReplacer("+", "%20", "%24", "$", "%2C", ",").Replace(url.QueryEscape(s))
}

func (t skipToken) String() string {
	text, err := json.Marshal(t)
	if err != nil { // strings and an int: it can't fail
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseSkipToken(text string) (skipToken, error) {
	var t skipToken
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &t)
	}
	if err != nil || t.Next < 0 || t == (skipToken{}) {
		return skipToken{}, badSkipToken()
	}
	return t, nil
}

func badSkipToken() error {
	return problem.New(problem.Invalid, "", "The link to the next page is damaged or belongs to another collection. "+
		"Use @odata.nextLink exactly as it came, or begin again at the first page.").At("$skiptoken")
}
