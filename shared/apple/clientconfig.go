package apple

import (
	"context"
	"strings"
)

// ClientConfig reads what Apple says about the location. Nothing else shows as well whether a token is good: the
// service configuration answers anybody.
func (l *Location) ClientConfig(ctx context.Context) (ClientConfig, error) {
	var cfg ClientConfig
	c := &call{endpoint: readClientConfig, doing: "reading the location's configuration"}
	c.into(&cfg)
	e, err := l.read(ctx, c)
	if err != nil {
		return ClientConfig{}, err
	}
	return cfg.with(e), nil
}

// Claim makes us the location's owner, whoever is it now, and from then on the Location expects us in every answer. It
// sets nothing else. The answer shows the configuration as it then is. Two systems may claim at once and the last one
// wins, so read the configuration again after a while.
//
// It is a write: it isn't repeated, and its errors are those of writes. On a Location that has seen a foreign owner
// in place of its own MDMID it is refused; a take-over opens the location without an MDMID.
func (l *Location) Claim(ctx context.Context, owner MDMInfo) (ClientConfig, error) {
	var cfg ClientConfig
	c := &call{
		endpoint: writeClientConfig, doing: "claiming the location", claim: &owner,
		body: map[string]MDMInfo{"mdmInfo": owner},
	}
	c.into(&cfg)
	e, err := l.write(ctx, c)
	if err != nil {
		return ClientConfig{}, err
	}
	return cfg.with(e), nil
}

// into leaves notificationAuthToken out: Apple echoes the secret in clear, and what isn't decoded can't leak.
func (c *call) into(cfg *ClientConfig) {
	c.answer = func() fields {
		*cfg = ClientConfig{}
		return fields{
			"locationName": &cfg.LocationName, "countryISO2ACode": &cfg.Country, "defaultPlatform": &cfg.Platform,
			"websiteURL": &cfg.Website, "notificationUrl": &cfg.NotificationURL,
			"subscribedNotificationTypes": &cfg.NotificationType,
		}
	}
	c.whole = func() bool { return true }
}

func (cfg ClientConfig) with(e envelope) ClientConfig {
	cfg.UID = e.uid
	cfg.Country = strings.ToUpper(cfg.Country)
	if e.owner() != "" {
		cfg.MDMInfo = e.mdm
	}
	cfg.TokenExpires = parseTime(e.expires)
	return cfg
}
