package tokens

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/token"
)

// maxBody is how long a request's body may be, in bytes. A token file has a few hundred.
const maxBody = 64 << 10

// maxText is how long a text that only people read may be, in characters.
const maxText = 256

// ask is what a caller says of a token: what is nil wasn't said. Graph's read-only properties are ignored.
type ask struct {
	Token       *string `json:"token"`
	AccountType *string `json:"vppTokenAccountType"`
	Country     *string `json:"countryOrRegion"`
	AppleID     *string `json:"appleId"`
	DisplayName *string `json:"displayName"`
	UpdateApps  *bool   `json:"automaticallyUpdateApps"`
	DataSharing *bool   `json:"dataSharingConsentGranted"`
	TakeOver    *bool   `json:"claimTokenManagementFromExternalMdm"`
}

// order is whom a claim that goes with the token may replace.
func (a ask) order() order { return order{anybody: a.TakeOver != nil && *a.TakeOver} }

// readUpload reads an upload: Graph's JSON, or the token file as it is.
func readUpload(w http.ResponseWriter, r *http.Request) (ask, error) {
	media, err := mediaType(r)
	if err != nil {
		return ask{}, err
	}
	if media == "application/json" {
		a, err := readAsk(w, r)
		if err == nil && a.Token == nil {
			err = problem.New(problem.Invalid, "TokenMissing", "The request has no token. Put the text of the .vpptoken file "+
				"into the property token, or send the file itself with Content-Type: text/plain.").At("token")
		}
		return a, err
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return ask{}, problem.New(problem.UnsupportedMedia, "", "A token file is read uncompressed only. "+
			"Send it without Content-Encoding, or as JSON.")
	}
	file, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		return ask{}, problem.New(problem.TooLarge, "", "The body is longer than the %d bytes that a token file may have. "+
			"Send the .vpptoken file as Apple gave it.", maxBody)
	}
	if err != nil {
		return ask{}, problem.New(problem.Invalid, "", "The body ended before it was complete. Send the file again.").Because(err)
	}
	text := string(file)
	return ask{Token: &text}, nil
}

// mediaType says how an upload's body is to be read. A form's type is what curl and PowerShell say of a file when they
// are told nothing. Without any type the first byte decides: no token file begins with a brace.
func mediaType(r *http.Request) (string, error) {
	given := r.Header.Get("Content-Type")
	if given == "" {
		return sniff(r)
	}
	media, _, err := mime.ParseMediaType(given)
	if err == nil {
		switch media {
		case "application/json", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded":
			return media, nil
		}
	}
	return "", problem.New(problem.UnsupportedMedia, "", "The Content-Type of the request is not one we read. Send the "+
		".vpptoken file itself with Content-Type: text/plain (not as a multipart form), or a vppToken as application/json.")
}

func sniff(r *http.Request) (string, error) {
	var first [1]byte
	n, err := io.ReadFull(r.Body, first[:])
	if err != nil && !errors.Is(err, io.EOF) {
		return "", problem.New(problem.Invalid, "", "The body ended before it was complete. Send the request again.").Because(err)
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(first[:n]), r.Body), r.Body}
	if n == 1 && (first[0] == '{' || first[0] == 0x1f) { // JSON, or gzip, which only JSON comes in
		return "application/json", nil
	}
	return "text/plain", nil
}

// readAsk reads Graph's JSON.
func readAsk(w http.ResponseWriter, r *http.Request) (ask, error) {
	var a ask
	if err := graph.ReadBody(w, r, maxBody, &a); err != nil {
		return ask{}, err
	}
	return a, errors.Join(checkText(a.AppleID, "appleId"), checkText(a.DisplayName, "displayName"))
}

func checkText(text *string, field string) error {
	if text == nil || utf8.RuneCountInString(*text) <= maxText {
		return nil
	}
	return problem.New(problem.Invalid, "", "The text is longer than %d characters. Shorten it.", maxText).At(field)
}

// check holds what the caller says against what is so.
func (a ask) check(accountType token.AccountType, country string) error {
	if a.AccountType != nil && !strings.EqualFold(*a.AccountType, string(accountType)) {
		if given := *a.AccountType; !strings.EqualFold(given, string(token.Business)) && !strings.EqualFold(given,
			string(token.Education)) {
			return problem.New(problem.Invalid, "", "The account type is business or education. The location is one of the type %s.",
				accountType).At("vppTokenAccountType")
		}
		return problem.New(problem.Invalid, "AccountTypeMismatch",
			"The request says %s, but Apple says that the location is one "+
				"of the type %s. Correct the account type or leave it out, or choose the token of the right location.",
			strings.ToLower(*a.AccountType), accountType).At("vppTokenAccountType")
	}
	if a.Country != nil && *a.Country != "" && !strings.EqualFold(*a.Country, country) {
		return problem.New(problem.Invalid, "CountryMismatch",
			"The request says %.8q, but Apple says that the location's country "+
				"is %q. Correct the country or leave it out, or choose the token of the right location.",
			*a.Country, country).At("countryOrRegion")
	}
	return nil
}

// into takes over what is for people and clients only.
func (a ask) into(r *token.Record) {
	if a.AppleID != nil {
		r.AppleID = *a.AppleID
	}
	if a.DisplayName != nil && *a.DisplayName != "" {
		r.DisplayName = *a.DisplayName
	}
	if a.UpdateApps != nil {
		r.UpdateApps = *a.UpdateApps
	}
	if a.DataSharing != nil {
		r.DataSharing = *a.DataSharing
	}
}
