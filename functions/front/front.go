package front

import (
	"context"
	"net/http"

	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
)

// Config is what the function is made of.
type Config struct {
	door.Config
	// OpenAPI is the API's description in YAML.
	OpenAPI []byte
	// Ready says what keeps the service from working, nil for nothing. It must be quick. May be nil.
	Ready func(context.Context) error
}

// New returns the handler: of its routes, and with an error of everything else.
func New(c Config) http.Handler { return door.New(c.Config, routes(c)) }

// Routes are the handler's mux patterns.
func Routes() []string { return door.Patterns(routes(Config{})) }

func routes(c Config) []door.Route {
	return []door.Route{
		{Method: http.MethodGet, Path: "/openapi.yaml", Need: auth.None, Bare: true, Answer: c.describe},
		{Method: http.MethodGet, Path: "/healthz", Need: auth.None, Bare: true, Answer: c.health},
	}
}

func (c Config) describe(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, err := w.Write(c.OpenAPI)
	return err
}

func (c Config) health(w http.ResponseWriter, r *http.Request) error {
	if c.Ready != nil {
		if err := c.Ready(r.Context()); err != nil {
			return problem.New(problem.Unavailable, "NotReady",
				"The service can't work at the moment. Try again later.").Because(err)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write([]byte(`{"status":"ok"}`))
	if err != nil {
		graph.WriteError(w, r, err)
	}
	return nil
}
