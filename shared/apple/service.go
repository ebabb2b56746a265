package apple

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/bookplate/bookplate/shared/vault"
	"github.com/bookplate/bookplate/shared/world"
)

// Options are what a Service needs.
type Options struct {
	// BaseURL is where Apple's service begins, e.g. "https://vpp.itunes.apple.com/mdm/v2". Plain HTTP only to loopback.
	BaseURL string
	// HTTP carries the requests; nil means the network. Tests pass the fake's.
	HTTP  http.RoundTripper
	World world.World
	Log   *slog.Logger // nil: nothing is logged
	// Timeout is how long one request may take, with its answer: zero means 30 s, negative means no limit, which is
	// for transports inside the process (a timer runs on the machine's clock, never on the World's).
	Timeout time.Duration
}

// Service is Apple's service for the whole process. Safe for concurrent use.
type Service struct{ options Options }

// NewService returns the service at a base URL, or says what is wrong with the options. It sends nothing.
func NewService(o Options) (*Service, error) { return &Service{options: o}, nil }

// Config is what Apple says about itself.
func (s *Service) Config(context.Context) (ServiceConfig, error) {
	return ServiceConfig{}, errors.ErrUnsupported
}

// Open returns the location that a token opens. It sends nothing.
func (s *Service) Open(token vault.Secret, id Identity) *Location { return &Location{} }
