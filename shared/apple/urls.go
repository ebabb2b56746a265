package apple

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/bookplate/bookplate/shared/problem"
)

// Apple's keys of the URLs that aren't endpoints of the management API.
const (
	keyLookup     = "contentMetadataLookup"
	keyInvitation = "invitationEmail"
)

// endpoint is one operation: Apple's key of its URL, and its documented path for when Apple leaves the key out.
type endpoint struct {
	key    string
	method string
	path   string
}

var (
	readClientConfig  = endpoint{"clientConfig", http.MethodGet, "/client/config"}
	writeClientConfig = endpoint{"clientConfig", http.MethodPost, "/client/config"}
	getAssets         = endpoint{"getAssets", http.MethodGet, "/assets"}
	getAssignments    = endpoint{"getAssignments", http.MethodGet, "/assignments"}
	getUsers          = endpoint{"getUsers", http.MethodGet, "/users"}
	associateAssets   = endpoint{"associateAssets", http.MethodPost, "/assets/associate"}
	createUsers       = endpoint{"createUsers", http.MethodPost, "/users/create"}
	updateUsers       = endpoint{"updateUsers", http.MethodPost, "/users/update"}
	retireUsers       = endpoint{"retireUsers", http.MethodPost, "/users/retire"}
	eventStatus       = endpoint{"eventStatus", http.MethodGet, "/status"}
	lookupTitles      = endpoint{keyLookup, http.MethodGet, ""}
)

// bearerKeys are the URLs to which a token is sent as bearer.
var bearerKeys = []string{
	readClientConfig.key, getAssets.key, getAssignments.key, getUsers.key,
	associateAssets.key, createUsers.key, updateUsers.key, retireUsers.key, eventStatus.key,
}

func parseBase(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, errors.New("the base URL of Apple's service must look like https://vpp.itunes.apple.com/mdm/v2")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the base URL of Apple's service at %s must not carry a user, query or fragment", u.Host)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u, nil
	default:
		return nil, fmt.Errorf("the base URL of Apple's service at %s must begin with https:// (http:// only on loopback)",
			u.Host)
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func isApple(u *url.URL) bool {
	host := strings.ToLower(u.Host)
	return u.Scheme == "https" && (host == "apple.com" || strings.HasSuffix(host, ".apple.com"))
}

// trusts says that a token may be sent to a URL: to the origin of the base URL, which the operator gave, and from one of
// Apple's hosts to another.
func (s *Service) trusts(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Opaque != "" || u.Host == "" {
		return false
	}
	return u.Scheme == s.base.Scheme && u.Host == s.base.Host || isApple(s.base) && isApple(u)
}

// endpointURL is where an endpoint is. Its configuration has been checked by checkURLs.
func (s *Service) endpointURL(cfg ServiceConfig, e endpoint) (*url.URL, error) {
	text := cfg.URLs[e.key]
	if text == "" && e.path != "" {
		text = s.base.String() + e.path
	}
	if text == "" && isApple(s.base) {
		text = "https://uclient-api.itunes.apple.com/WebObjects/MZStorePlatform.woa/wa/lookup"
	}
	if text == "" {
		return nil, &UnavailableError{Cause: fmt.Errorf("its configuration names no usable URL for %s", e.key)}
	}
	return url.Parse(text)
}

// checkURLs returns the URLs that may be used. One that is wrong where a bearer would be sent makes the whole
// configuration untrustworthy; any other is left out.
func (s *Service) checkURLs(urls map[string]string) (map[string]string, error) {
	for _, key := range bearerKeys {
		if text := urls[key]; text != "" && !s.trusts(text) {
			return nil, fmt.Errorf("the service configuration names a URL for %s that no token may be sent to", key)
		}
	}
	good := map[string]string{}
	for key, text := range urls {
		// The invitation is a template: its query needn't be well-formed. People open it, and it never gets a token.
		place, _, _ := strings.Cut(text, "?")
		u, err := url.Parse(place)
		if s.trusts(place) || key == keyInvitation && err == nil && u.User == nil && isApple(u) {
			good[key] = text
		} else if text != "" {
			s.log.Warn("a URL in Apple's service configuration is not used", "key", key)
		}
	}
	return good, nil
}

// InvitationURL is the link with which a person links their Apple Account to a Registered user, made from Apple's
// template and the user's invite code. Apple: Managing users; both spellings of the placeholder have been seen.
func InvitationURL(cfg ServiceConfig, inviteCode string) (string, error) {
	if inviteCode == "" {
		return "", problem.New(problem.Conflict, "NoInviteCode",
			"Apple has given this reader no invite code. Only readers without a linked Apple Account have one.")
	}
	template := cfg.URLs[keyInvitation]
	for _, placeholder := range []string{"%25inviteCode%25", "%inviteCode%"} {
		if strings.Contains(template, placeholder) {
			return strings.ReplaceAll(template, placeholder, url.QueryEscape(inviteCode)), nil
		}
	}
	return "", problem.New(problem.Upstream, "NoInvitationTemplate",
		"Apple's service configuration has no usable template for invitations at the moment. Try again later.")
}
