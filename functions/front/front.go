package front

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/world"
)

// Config is what the function is made of.
type Config struct {
	door.Config
	// OpenAPI is the API's description in YAML.
	OpenAPI []byte
	// Paths are the paths that the API has under /v1.0 and /beta, with {wildcards}, and the methods that each answers.
	Paths map[string][]string
	// API carries a request to the API's own entrance, wherever the request's URL says that it goes: what counts is its
	// path and query.
	API http.RoundTripper
	// Ready says what keeps the service from working, nil for nothing. It must be quick. May be nil.
	Ready func(context.Context) error
}

// front is the function.
type front struct {
	Config
	spelling spelling
}

// New returns the handler: of its routes, of odd spellings of other functions' routes, and with an error of everything else.
func New(c Config) http.Handler {
	f := front{c, newSpelling(c.Paths)}
	own := door.New(c.Config, f.routes())
	entered := func(h graph.HandlerFunc) http.Handler {
		return graph.Handler(h, graph.Options{
			Clock: c.World, IDs: func() string { return world.NewID(c.World) }, Log: c.Log, TrustForwarded: c.TrustForwarded,
		})
	}
	passOn, wrongMethod := entered(f.passOn), entered(f.wrongMethod)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, odd := f.spelling.correct(r.URL.EscapedPath())
		methods := f.spelling.methods(path)
		switch {
		case isBatch(path):
			own.ServeHTTP(w, r)
		case odd && !isOwn(r):
			passOn.ServeHTTP(w, withPath(r, path))
		case len(methods) > 0 && !slices.Contains(methods, r.Method):
			wrongMethod.ServeHTTP(w, r)
		default:
			own.ServeHTTP(w, r)
		}
	})
}

// wrongMethod refuses what comes here because no function answers the path by that method.
func (f front) wrongMethod(w http.ResponseWriter, r *http.Request) error {
	path, _ := f.spelling.correct(r.URL.EscapedPath())
	return graph.WrongMethod(w, r, f.spelling.methods(path)...)
}

// Routes are the handler's mux patterns.
func Routes() []string { return door.Patterns(front{}.routes()) }

func (f front) routes() []door.Route {
	return []door.Route{
		{Method: http.MethodGet, Path: "/openapi.yaml", Need: auth.None, Bare: true, Answer: f.describe},
		{Method: http.MethodGet, Path: "/healthz", Need: auth.None, Bare: true, Answer: f.health},
		// Whoever may call anything may call a part of it in a batch.
		{Method: http.MethodPost, Path: batchPath, Need: auth.Reader, Answer: f.batch},
	}
}

// patience is for how long front waits for the API: AWS's gateway waits 30 s for front.
const patience = 25 * time.Second

// passOn asks the API for what the request asks, spelled right.
func (f front) passOn(w http.ResponseWriter, r *http.Request) error {
	body, err := readAll(r.Body, bodyMost)
	if err != nil {
		return problem.New(problem.TooLarge, "", "The body is longer than %d bytes, or ended before it was complete. "+
			"Spell the path as the API's description has it, and send it again.", bodyMost).Because(err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	got, err := f.ask(ctx, r, asked{method: r.Method, target: r.URL.RequestURI(), header: r.Header, body: body})
	if err != nil {
		return err
	}
	for name, values := range got.header {
		if !ofTheConnection[name] {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(got.status)
	_, err = w.Write(got.body)
	return err
}

func (f front) describe(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, err := w.Write(f.OpenAPI)
	return err
}

func (f front) health(w http.ResponseWriter, r *http.Request) error {
	if f.Ready != nil {
		if err := f.Ready(r.Context()); err != nil {
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
