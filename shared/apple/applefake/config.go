package applefake

import (
	"net/url"
	"slices"
	"unicode/utf8"
)

// notificationTypes is what can be subscribed; the service config names the first four.
var notificationTypes = []string{
	"ASSET_MANAGEMENT", "USER_MANAGEMENT", "USER_ASSOCIATED", "ASSET_COUNT",
	"TEST_NOTIFICATION", "SUBSCRIPTION_MANAGEMENT", "SUBSCRIPTION_COUNT", "UNLIMITED_ASSET",
}

// serviceConfig is GET /service/config, which needs no token.
func serviceConfig(c *call) (any, *refusal) {
	type errorCode struct {
		ErrorMessage string `json:"errorMessage"`
		ErrorNumber  int    `json:"errorNumber"`
	}
	answer := struct {
		ErrorCodes        []errorCode       `json:"errorCodes"`
		Limits            Limits            `json:"limits"`
		NotificationTypes []string          `json:"notificationTypes"`
		URLs              map[string]string `json:"urls"`
	}{Limits: c.server.limits, NotificationTypes: notificationTypes[:4]}
	answer.Limits.MaxRequestPerSecond = max(answer.Limits.MaxRequestPerSecond, 0)
	for _, k := range known {
		if k.number >= 9600 && k.number != 9616 && k.number != 9622 { // the old API's, and one never documented
			answer.ErrorCodes = append(answer.ErrorCodes, errorCode{k.message, k.number})
		}
	}
	answer.URLs = map[string]string{
		"contentMetadataLookup": c.base + metadataPath,
		"invitationEmail":       c.base + invitationPath + "?inviteCode=%25inviteCode%25&mt=8",
	}
	for path, methods := range c.server.routes {
		for _, route := range methods {
			if route.endpoint != EndpointServiceConfig && route.endpoint != EndpointConfigure {
				answer.URLs[route.endpoint] = c.base + apiPath + path
			}
		}
	}
	return answer, nil
}

// readConfig is GET /client/config. It echoes the notification secret in clear, as Apple does.
func readConfig(c *call) (any, *refusal) {
	l := c.location
	answer := clientConfigAnswer{
		CountryISO2ACode: l.spec.Country, DefaultPlatform: l.spec.Platform, LocationName: l.spec.Name,
		NotificationAuthToken: l.notify.secret, NotificationURL: l.notify.url,
		SubscribedNotificationTypes: l.notify.types, WebsiteURL: "https://school.apple.com", common: c.common(true),
	}
	if l.spec.Platform == Business {
		answer.WebsiteURL = "https://business.apple.com"
	}
	return answer, nil
}

// writeConfig is POST /client/config, the one write that is done when it is answered. What the body leaves out stays;
// the notification types are replaced as a whole. A notification URL must take a test before anything is changed.
func writeConfig(c *call) (any, *refusal) {
	var body clientConfigBody
	if r := c.decode(&body); r != nil {
		return nil, r
	}
	if r := c.checkConfig(&body); r != nil {
		return nil, r
	}
	if body.NotificationURL != nil && *body.NotificationURL != "" {
		if !c.server.test(c, &body) {
			return nil, refuse(9728)
		}
	}
	if _, err := c.location.commit(op{At: c.now, Kind: opConfigure, Config: &body}); err != nil {
		return nil, refuse(9603)
	}
	return readConfig(c)
}

// checkConfig checks in the order: required, limits, values.
func (c *call) checkConfig(body *clientConfigBody) *refusal {
	info, address, secret := body.MDMInfo, text(body.NotificationURL), text(body.NotificationAuthToken)
	if info != nil && (info.ID == "" || info.Name == "" || info.Metadata == "") {
		return refuse(9723)
	}
	if (body.NotificationURL == nil) != (body.NotificationAuthToken == nil) || (address == "") != (secret == "") {
		return refuse(9710)
	}
	if r := c.checkLengths(info, address, secret); r != nil {
		return r
	}
	if address != "" && !c.server.acceptable(address) {
		return refuse(9712)
	}
	for _, name := range body.NotificationTypes {
		if !slices.Contains(notificationTypes, name) {
			return refuse(9602)
		}
	}
	return nil
}

func (c *call) checkLengths(info *MDMInfo, address, secret string) *refusal {
	limits, length := c.server.limits, utf8.RuneCountInString // Apple doesn't say what it counts
	if info == nil {
		info = &MDMInfo{}
	}
	switch {
	case length(info.ID) > limits.MaxMDMIDLength:
		return refuse(9724)
	case length(info.Name) > limits.MaxMDMNameLength:
		return refuse(9725)
	case length(info.Metadata) > limits.MaxMDMMetadataLength:
		return refuse(9713)
	case length(address) > limits.MaxNotificationLength || length(secret) > limits.MaxNotificationLength:
		return refuse(9711)
	}
	return nil
}

// acceptable tells whether a notification URL is HTTPS with a host and a path only.
func (s *Server) acceptable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil &&
		(u.Scheme == "https" || u.Scheme == "http" && s.options.PlainHTTP)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (l *Location) configure(body clientConfigBody) {
	if body.MDMInfo != nil {
		l.mdm = body.MDMInfo
	}
	if body.NotificationURL != nil {
		l.notify.url, l.notify.secret = *body.NotificationURL, *body.NotificationAuthToken
	}
	if body.NotificationTypes != nil {
		l.notify.types = body.NotificationTypes
	}
}

// TakeOver lets another manager write its mdmInfo, as any holder of a token may at any time; nil: nobody manages it.
func (l *Location) TakeOver(info *MDMInfo) error {
	if info != nil {
		own := *info
		info = &own
	}
	_, err := l.act(op{Kind: opTakeOver, MDM: info})
	return err
}
