package apple

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

const (
	configAge   = 5 * time.Minute // Apple: Service Config
	configRetry = time.Minute     // after a refresh that failed
)

// documentedLimits hold where Apple leaves one out. Apple: ServiceConfigResponse.Limits.
var documentedLimits = Limits{
	MaxAssets: 25, MaxClientUserIDs: 1000, MaxUsers: 100, MaxRequestsPerSecond: 15,
	MaxMDMID: 100, MaxMDMName: 100, MaxMDMMetadata: 255, MaxNotification: 512,
}

// configCache is the last good copy of the service configuration.
type configCache struct {
	mu         sync.Mutex
	last       *ServiceConfig // never changed once stored
	until      time.Time      // from then on it is read again
	refreshing bool
}

// take returns the copy if it is to be used as it is, and otherwise whether there is one to fall back to.
func (c *configCache) take(now time.Time) (cfg *ServiceConfig, use bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil && (c.refreshing || now.Before(c.until)) {
		return c.last, true
	}
	c.refreshing = true
	return c.last, false
}

func (c *configCache) store(cfg *ServiceConfig, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refreshing = false
	if cfg != nil {
		c.last = cfg
	}
	c.until = until
}

// outdated makes the next use read the configuration again.
func (c *configCache) outdated() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = time.Time{}
}

// current is the configuration to use now. Only the first read is worth waiting for: with a copy at hand it asks once.
func (s *Service) current(ctx context.Context) (ServiceConfig, error) {
	last, use := s.config.take(s.world.Now())
	if use {
		return *last, nil
	}
	tries := readTries
	if last != nil {
		tries = 1
	}
	var cfg *ServiceConfig
	err := s.retry(ctx, tries, func() (again *fault) {
		cfg, again = s.fetchConfig(ctx)
		return again
	})
	switch {
	case err == nil:
		s.config.store(cfg, s.world.Now().Add(configAge))
		return *cfg, nil
	case last != nil:
		s.log.Warn("Apple's service configuration could not be refreshed; the last good copy is used", "error", err)
		s.config.store(nil, s.world.Now().Add(configRetry))
		return *last, nil
	default:
		s.config.store(nil, time.Time{})
		return ServiceConfig{}, doing("reading Apple's service configuration", err)
	}
}

func (s *Service) fetchConfig(ctx context.Context) (*ServiceConfig, *fault) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base.String()+"/service/config", nil)
	if err != nil {
		return nil, &fault{err: err}
	}
	var limits map[string]json.RawMessage
	var urls map[string]string
	started := func() error { return ctx.Err() }
	_, f := s.exchange(request, "", started, fields{"limits": &limits, "urls": &urls})
	if f != nil {
		return nil, f
	}
	if limits == nil && urls == nil {
		return nil, nonsense("the service configuration is empty")
	}
	urls, err = s.checkURLs(urls)
	if err != nil {
		return nil, nonsense(err.Error())
	}
	return &ServiceConfig{Limits: limitsFrom(limits), URLs: urls}, nil
}

func limitsFrom(found map[string]json.RawMessage) Limits {
	limits := documentedLimits
	for key, limit := range map[string]*int{
		"maxAssets":             &limits.MaxAssets,
		"maxClientUserIds":      &limits.MaxClientUserIDs,
		"maxUsers":              &limits.MaxUsers,
		"maxRequestPerSecond":   &limits.MaxRequestsPerSecond,
		"maxMdmIdLength":        &limits.MaxMDMID,
		"maxMdmNameLength":      &limits.MaxMDMName,
		"maxMdmMetadataLength":  &limits.MaxMDMMetadata,
		"maxNotificationLength": &limits.MaxNotification,
	} {
		var n int
		if json.Unmarshal(found[key], &n) == nil && n > 0 {
			*limit = n
		}
	}
	return limits
}
