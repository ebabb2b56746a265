package door

import (
	"log/slog"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/world"
)

// Route is one thing that an HTTP function answers.
type Route struct {
	Method string
	// Path is a mux pattern without method and version, e.g. "/deviceAppManagement/vppTokens/{id}".
	Path string
	// Need is the role that a caller must have; auth.None lets everybody in.
	Need   auth.Role
	Answer graph.HandlerFunc
	// Bare routes are served at Path itself; all others under /v1.0 and /beta.
	Bare bool
}

// Config is what every HTTP function takes from outside. Verify may be nil only where no route needs a role.
type Config struct {
	Verify auth.VerifyFunc
	World  world.World
	Log    *slog.Logger
	// TrustForwarded says that a proxy of ours sets X-Forwarded-Proto and -Host.
	TrustForwarded bool
}

// New returns the handler of the routes. Like the mux it panics on patterns that are malformed or overlap.
func New(c Config, routes []Route) http.Handler {
	gate := auth.Gate{Verify: c.Verify, Fail: graph.WriteError}
	mux := http.NewServeMux()
	for _, r := range routes {
		var h http.Handler = r.Answer
		if r.Need != auth.None {
			h = gate.Require(r.Need, h)
		}
		for _, path := range r.paths() {
			graph.HandleOne(mux, r.Method, path, h)
		}
	}
	return graph.Handler(mux, graph.Options{
		Clock: c.World, IDs: func() string { return world.NewID(c.World) }, Log: c.Log,
		Segments: Segments(Patterns(routes)), TrustForwarded: c.TrustForwarded,
	})
}

// Patterns are the routes as the mux has them, method, path and version: "GET /v1.0/deviceAppManagement/vppTokens/{id}".
func Patterns(routes []Route) []string {
	var patterns []string
	for _, r := range routes {
		for _, path := range r.paths() {
			patterns = append(patterns, r.Method+" "+path)
		}
	}
	return patterns
}

func (r Route) paths() []string {
	if r.Bare {
		return []string{r.Path}
	}
	return []string{"/v1.0" + r.Path, "/beta" + r.Path}
}

// Segments are the literal segments of the patterns' paths, each once: what graph.CanonicalPath spells right.
func Segments(patterns []string) []string {
	var segments []string
	seen := make(map[string]bool)
	for _, p := range patterns {
		_, path, _ := strings.Cut(p, " ")
		for s := range strings.SplitSeq(path, "/") {
			if s != "" && !strings.HasPrefix(s, "{") && !seen[s] {
				seen[s] = true
				segments = append(segments, s)
			}
		}
	}
	return segments
}

// ID is a text of the caller's as an id of ours. All ids are UUIDs in lower case; what isn't one is cut to something that
// a table can look up in vain and a message can quote.
func ID(text string) string {
	if id, err := uuid.Parse(text); err == nil {
		return id.String()
	}
	const most = 80
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "?")
	for i := range text {
		if i+utf8.UTFMax > most {
			return text[:i]
		}
	}
	if text == "" {
		return "?"
	}
	return text
}
