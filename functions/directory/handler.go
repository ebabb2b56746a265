package directory

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/world"
)

// Prefix is where the server answers.
const Prefix = "/scim/v2"

// MaxBody is how long a request's body may be, in bytes: what Lambda lets through once the gateway has encoded it
// (6 MB of base64). It holds a whole membership of some 50,000.
const MaxBody = 4_500_000

// Config is what the server is made of. All fields but BaseURL are needed.
type Config struct {
	Directory *directory.Directory
	// Verify checks the caller, usually their bearer token. It returns nil, or a problem: Unauthenticated for a caller
	// that can't be believed. Any other error is answered with 500, because Entra stops for hours after a wrong 401.
	Verify func(*http.Request) error
	// BaseURL is what locations begin with, e.g. "https://books.school.example/scim/v2"; empty takes it from the request.
	BaseURL string
	Clock   world.Clock
	Log     *slog.Logger
}

type server struct {
	Config
	library       library
	users, groups shape
}

// New returns the handler for everything under Prefix.
func New(c Config) (http.Handler, error) {
	lib, err := newLibrary()
	if err != nil {
		return nil, fmt.Errorf("set up SCIM: %w", err)
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	s := &server{Config: c, library: lib}
	s.users, s.groups = accepted()
	return s.door(s.routes()), nil
}

// endpoint answers a request, or returns the error to answer with.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// Patterns are the routes that the server has, as net/http's mux and the API's description write them.
func Patterns() []string {
	var patterns []string
	for pattern := range (&server{}).endpoints() {
		patterns = append(patterns, pattern)
	}
	return patterns
}

func (s *server) endpoints() map[string]endpoint {
	return map[string]endpoint{
		"GET " + Prefix + "/ServiceProviderConfig": s.describe,
		"GET " + Prefix + "/ResourceTypes":         s.describe,
		"GET " + Prefix + "/ResourceTypes/{name}":  s.describe,
		"GET " + Prefix + "/Schemas":               s.describe,
		"GET " + Prefix + "/Schemas/{urn}":         s.describe,
		"GET " + Prefix + "/Users":                 s.listUsers,
		"POST " + Prefix + "/Users":                s.createUser,
		"GET " + Prefix + "/Users/{id}":            s.getUser,
		"PUT " + Prefix + "/Users/{id}":            s.replaceUser,
		"PATCH " + Prefix + "/Users/{id}":          s.patchUser,
		"DELETE " + Prefix + "/Users/{id}":         s.deleteUser,
		"GET " + Prefix + "/Groups":                s.listGroups,
		"POST " + Prefix + "/Groups":               s.createGroup,
		"GET " + Prefix + "/Groups/{id}":           s.getGroup,
		"PUT " + Prefix + "/Groups/{id}":           s.replaceGroup,
		"PATCH " + Prefix + "/Groups/{id}":         s.patchGroup,
		"DELETE " + Prefix + "/Groups/{id}":        s.deleteGroup,
	}
}

func (s *server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	known := map[string]bool{}
	for pattern, answer := range s.endpoints() {
		mux.Handle(pattern, s.answering(answer))
		_, path, _ := strings.Cut(pattern, " ")
		known[path] = true
	}
	for path := range known {
		mux.Handle(path, s.answering(wrongMethod))
	}
	mux.Handle("/", s.answering(nowhere))
	return mux
}

func (s *server) describe(w http.ResponseWriter, r *http.Request) error {
	return s.library.describe(w, stripped(r))
}

// stripped is the request as the library wants it: without the prefix.
func stripped(r *http.Request) *http.Request {
	copied := r.Clone(r.Context())
	copied.URL.Path = strings.TrimPrefix(copied.URL.Path, Prefix)
	return copied
}

func wrongMethod(w http.ResponseWriter, r *http.Request) error {
	if notOffered(w, r) {
		return nil
	}
	return problem.New(problem.MethodNotAllowed, "", "%.20q isn't possible here.", r.Method)
}

func nowhere(w http.ResponseWriter, r *http.Request) error {
	if notOffered(w, r) {
		return nil
	}
	return problem.New(problem.NotFound, "", "There is no such endpoint. SCIM is served at %s/Users and %s/Groups.",
		Prefix, Prefix)
}

// notOffered answers for the parts of RFC 7644 that no provider needs.
func notOffered(w http.ResponseWriter, r *http.Request) bool {
	last := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch last {
	case "Bulk", "Me", ".search":
		writeJSON(w, http.StatusNotImplemented, failure{
			Schemas: []string{errorSchema}, Status: "501",
			Detail: "The server doesn't do " + last + "; its ServiceProviderConfig says what it does.",
		})
		return true
	}
	return false
}

// answering turns an endpoint's error into SCIM's shape.
func (s *server) answering(answer endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := answer(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if status, ours := writeError(w, err); ours {
		s.Log.ErrorContext(r.Context(), "directory request failed",
			"method", r.Method, "route", r.Pattern, "status", status, "error", err)
	}
}

// door lets in callers who are known, catches panics, and logs every request: never its body, which is about people,
// and never its token.
func (s *server) door(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := s.Clock.Now()
		seen := &statusWriter{ResponseWriter: w}
		defer func() {
			if thrown := recover(); thrown != nil {
				err := fmt.Errorf("panic: %v\n%s", thrown, debug.Stack())
				if seen.status != 0 { // too late for an answer
					s.Log.ErrorContext(r.Context(), "directory request failed", "route", r.Pattern, "error", err)
				} else {
					s.fail(seen, r, err)
				}
			}
			s.Log.InfoContext(r.Context(), "directory request", "method", r.Method, "route", r.Pattern,
				"status", seen.status, "milliseconds", s.Clock.Now().Sub(begun).Milliseconds())
		}()
		if err := s.Verify(r); err != nil {
			s.fail(seen, r, err)
			return
		}
		next.ServeHTTP(seen, r)
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// body reads the request's body.
func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return nil, problem.New(problem.TooLarge, "", "The body has more than %d bytes. Send members in several PATCH "+
			"requests instead of replacing them all at once.", MaxBody)
	}
	if err != nil {
		return nil, refuse(invalidSyntax, "The body couldn't be read to its end.")
	}
	return data, nil
}

// resource reads the body of a POST or PUT.
func (s *server) resource(w http.ResponseWriter, r *http.Request, kind shape) (input, error) {
	data, err := body(w, r)
	if err != nil {
		return input{}, err
	}
	if data, err = kind.resource(data); err != nil {
		return input{}, err
	}
	in, err := s.library.read(r.Context(), r.Method, kind.endpoint, data)
	if err != nil {
		err = kind.blameResource(err, data)
	}
	return in, err
}

// operations reads the body of a PATCH. They may be none.
func (s *server) operations(w http.ResponseWriter, r *http.Request, kind shape) (input, error) {
	data, err := body(w, r)
	if err != nil {
		return input{}, err
	}
	if data, err = kind.patch(data); err != nil || data == nil {
		return input{}, err
	}
	in, err := s.library.read(r.Context(), r.Method, kind.endpoint, data)
	if err != nil {
		err = kind.blameOperation(r.Context(), s.library, err, data)
	}
	return in, err
}
