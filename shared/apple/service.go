package apple

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/bookplate/bookplate/shared/vault"
	"github.com/bookplate/bookplate/shared/world"
)

const requestTimeout = 30 * time.Second

// Options are what a Service needs.
type Options struct {
	// BaseURL is where Apple's service begins, e.g. "https://vpp.itunes.apple.com/mdm/v2". Plain HTTP only to loopback.
	BaseURL string
	// HTTP carries the requests; nil means the network. Tests pass the fake's.
	HTTP  http.RoundTripper
	World world.World
	Log   *slog.Logger // nil: nothing is logged
	// Timeout is how long one request may take, with its answer: zero means 30 s, negative means no limit. The limit
	// runs on the machine's clock, never on the World's: transports inside the process go without one.
	Timeout time.Duration
}

// Service is Apple's service for the whole process. Safe for concurrent use.
type Service struct {
	base    *url.URL
	http    http.RoundTripper
	world   world.World
	log     *slog.Logger
	timeout time.Duration // zero or less: none
	config  configCache
}

// NewService returns the service at a base URL, or says what is wrong with the options. It sends nothing.
func NewService(o Options) (*Service, error) {
	base, err := parseBase(o.BaseURL)
	if err != nil {
		return nil, err
	}
	if o.World.Clock == nil || o.World.Rand == nil || o.World.Runner == nil {
		return nil, fmt.Errorf("a client for Apple's service needs a whole World")
	}
	s := &Service{base: base, http: o.HTTP, world: o.World, log: o.Log, timeout: o.Timeout}
	if s.http == nil {
		s.http = http.DefaultTransport
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.timeout == 0 {
		s.timeout = requestTimeout
	}
	return s, nil
}

// Config is what Apple says about itself: at most 5 minutes old, or the last good copy while Apple can't be asked.
// It is read without a token, and every URL in it has been checked. It returns ErrUnavailable only before the first
// good copy.
func (s *Service) Config(ctx context.Context) (ServiceConfig, error) {
	cfg, err := s.current(ctx)
	cfg.URLs = maps.Clone(cfg.URLs)
	return cfg, err
}

// Open returns the location that a token opens. It sends nothing. A Location is cheap; one job opens one, because its
// pacing and its memory of foreign owners are its own.
func (s *Service) Open(token vault.Secret, id Identity) *Location {
	return &Location{
		service: s,
		bearer:  token.Reveal,
		gate:    gate{clock: s.world, log: s.log, id: id, named: s.world.Now()},
		calls:   map[string]int{},
	}
}
