package apple

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/vault"
)

const (
	maxTokenFile  = 64 << 10 // bytes; real ones have a few hundred
	maxInnerToken = 256      // bytes, decoded
)

// ContentToken is what a .vpptoken file says. It says nothing about the location: that is for ClientConfig to say.
type ContentToken struct {
	Secret  vault.Secret // the file's text without the white space around it: what Apple wants as the bearer
	Expires time.Time
	Org     string
}

// DecodeToken reads a .vpptoken file. Its errors are problems of kind Invalid, each with what to do about it:
// TokenEmpty, TokenTooLarge, TokenDecoded (the JSON inside was pasted), TokenNotBase64, TokenInner (the secret inside
// was pasted), TokenUnknownContent, TokenIncomplete. It doesn't look at the clock: see CheckExpiry.
func DecodeToken(file []byte) (ContentToken, error) {
	outer := bytes.TrimSpace(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")))
	if len(outer) == 0 {
		return ContentToken{}, invalid("TokenEmpty", "The token file is empty. Download it again from Apple and upload it.")
	}
	if len(outer) > maxTokenFile {
		return ContentToken{}, invalid("TokenTooLarge",
			"This is too large for a content token. Upload the .vpptoken file as Apple gave it.")
	}
	inside, err := decodeBase64(outer)
	if err != nil {
		return ContentToken{}, err
	}
	var content struct {
		Token   *string `json:"token"`
		Expires *string `json:"expDate"`
		Org     *string `json:"orgName"`
	}
	if json.Unmarshal(inside, &content) != nil {
		return ContentToken{}, notJSONInside(inside)
	}
	expires, missing := time.Time{}, []string{}
	if content.Token == nil || *content.Token == "" {
		missing = append(missing, "token")
	}
	if content.Expires != nil {
		expires = parseTime(*content.Expires)
	}
	if expires.IsZero() {
		missing = append(missing, "expDate")
	}
	if content.Org == nil {
		missing = append(missing, "orgName")
	}
	switch len(missing) {
	case 0:
		return ContentToken{Secret: vault.NewSecret(string(outer)), Expires: expires, Org: *content.Org}, nil
	case 3:
		return ContentToken{}, unknownContent()
	default:
		return ContentToken{}, invalid("TokenIncomplete",
			"The content token lacks a usable "+strings.Join(missing, ", ")+". Download it again from Apple and upload the "+
				"whole file, unchanged.")
	}
}

// CheckExpiry returns a problem (TokenExpired) when the token has expired.
func (t ContentToken) CheckExpiry(now time.Time) error {
	if now.Before(t.Expires) {
		return nil
	}
	return problem.New(problem.Invalid, "TokenExpired", "The content token expired on %s. Download a new one from Apple "+
		"(a token is valid for one year) and upload it.", t.Expires.Format("2 January 2006"))
}

func decodeBase64(outer []byte) ([]byte, error) {
	if outer[0] == '{' {
		return nil, invalid("TokenDecoded", "This is the content of a token file in decoded form. Apple only accepts the "+
			"file as it was downloaded: upload that.")
	}
	// The decoder skips line breaks, but the text is sent to Apple as it is, in one line.
	inside, err := base64.StdEncoding.Strict().DecodeString(string(outer))
	if err != nil || bytes.ContainsAny(outer, "\r\n") {
		return nil, invalid("TokenNotBase64", "This is not a content token: it is not one line of Base64 text, or it was cut off. "+
			"Upload the .vpptoken file as Apple gave it.")
	}
	return inside, nil
}

// notJSONInside tells the secret from inside the file, which looks like a token to people, from other things.
func notJSONInside(inside []byte) error {
	if len(inside) > maxInnerToken || bytes.ContainsAny(inside, " \n{") {
		return unknownContent()
	}
	return invalid("TokenInner", "This looks like the value of \"token\" inside a token file. Apple only accepts the whole "+
		"file: upload it as it was downloaded.")
}

func unknownContent() error {
	return invalid("TokenUnknownContent", "This is Base64 text, but no content token is inside. Download the token of the "+
		"location from Apple, under Payments and Billing or Apps and Books, and upload the .vpptoken file.")
}

func invalid(code, message string) error { return problem.New(problem.Invalid, code, "%s", message) }
