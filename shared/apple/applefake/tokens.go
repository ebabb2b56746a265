package applefake

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// token is one content token of a location.
type token struct {
	location *Location
	text     string // the whole file: what the bearer must be
	expires  time.Time
	invalid  TokenCause // why it no longer opens the location, or stillValid
}

const stillValid TokenCause = -1

// tokenText writes a token file: base64 of a JSON object. The secret in it is made up and says so.
func (l *Location) tokenText(n uint64, expires time.Time) string {
	secret := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "made-up-token-%s-%s", l.uid, l.ids.code(kindEvent, n)))
	// A struct of strings can always be marshaled.
	raw, _ := json.Marshal(struct {
		Token   string `json:"token"`
		ExpDate string `json:"expDate"`
		OrgName string `json:"orgName"`
	}{secret, expires.UTC().Format(dateLayout), l.spec.Org})
	return base64.StdEncoding.EncodeToString(raw)
}

// authenticate finds the location by the bearer, which must be a token file's whole text.
func (s *Server) authenticate(c *call) *refusal {
	bearer, ok := strings.CutPrefix(c.request.Header.Get("Authorization"), "Bearer ")
	if !ok || bearer == "" || strings.ContainsAny(bearer, " \t") {
		return s.refuseToken(CauseHeader)
	}
	t := s.tokens[bearer]
	switch {
	case t == nil:
		return s.refuseToken(CauseGarbage)
	case t.invalid != stillValid:
		return s.refuseToken(t.invalid)
	case !c.now.Before(t.expires):
		return s.refuseToken(CauseExpired)
	}
	c.token, c.location = t, t.location
	return nil
}

func (s *Server) refuseToken(cause TokenCause) *refusal {
	number, ok := s.options.TokenNumbers[cause]
	if !ok {
		number = map[TokenCause]int{
			CauseExpired: 9621, CauseReplaced: 9625, CausePassword: 9625, CauseGarbage: 9622, CauseHeader: 9722,
		}[cause]
	}
	r := refuse(number)
	r.status = 401
	return r
}

// IssueToken is a content manager downloading the location's token: it returns the text of the .vpptoken file, which is
// also the bearer. It revokes the older tokens unless Options.KeepOldTokens.
func (l *Location) IssueToken(expires time.Time) (string, error) {
	return l.act(op{Kind: opIssueToken, Until: expires.UTC().Truncate(time.Second)})
}

// RevokeTokens makes all tokens of the location invalid, as if by the service.
func (l *Location) RevokeTokens() error {
	_, err := l.act(op{Kind: opRevokeTokens, Cause: CauseReplaced})
	return err
}

// ChangePassword changes the password of the account that made the tokens, which makes them invalid.
func (l *Location) ChangePassword() error {
	_, err := l.act(op{Kind: opRevokeTokens, Cause: CausePassword})
	return err
}

// Token is the text of the newest token that opens the location now, or "" if none does.
func (l *Location) Token() string {
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	now := l.server.options.Clock.Now()
	for _, t := range slices.Backward(l.tokens) {
		if t.invalid == stillValid && now.Before(t.expires) {
			return t.text
		}
	}
	return ""
}

func (l *Location) issue(expires time.Time) string {
	if !l.server.options.KeepOldTokens {
		l.invalidate(CauseReplaced)
	}
	t := &token{location: l, text: l.tokenText(l.ops, expires), expires: expires, invalid: stillValid}
	l.tokens = append(l.tokens, t)
	l.server.tokens[t.text] = t
	return t.text
}

func (l *Location) invalidate(cause TokenCause) {
	for _, t := range l.tokens {
		if t.invalid == stillValid {
			t.invalid = cause
		}
	}
}
