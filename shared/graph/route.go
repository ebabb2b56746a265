package graph

import (
	"net/http"
	"net/url"
	"strings"
)

// HandlerFunc answers a request or returns the error to answer with.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

func (f HandlerFunc) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := f(w, r); err != nil {
		WriteError(w, r, err)
	}
}

// Handle registers h for method and path (a mux pattern without version, e.g. "/deviceAppManagement/vppTokens/{id}")
// under /v1.0 and /beta. Like the mux itself it panics on patterns that are malformed or overlap.
func Handle(mux *http.ServeMux, method, path string, h http.Handler) {
	for _, version := range [...]string{"/v1.0", "/beta"} {
		HandleOne(mux, method, version+path, h)
	}
}

// HandleOne registers h for one full path, e.g. "/beta/deviceAppManagement/vppTokens/syncLicenseCounts".
func HandleOne(mux *http.ServeMux, method, path string, h http.Handler) {
	pattern := method + " " + path
	mux.Handle(pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		exchangeOf(r).route = pattern
		h.ServeHTTP(w, r)
	}))
}

// CanonicalPath spells an escaped path as the routes do: segments that equal one of the literals but for letter case get
// the literal's ("managedEbooks" → "managedEBooks"), a key in parentheses becomes a segment ("vppTokens('x')" →
// "vppTokens/x"), and empty segments are dropped. Whatever isn't a literal, ids above all, stays as it is.
func CanonicalPath(escaped string, literals []string) string {
	var out []string
	for s := range strings.SplitSeq(escaped, "/") {
		if s == "" {
			continue
		}
		name, key, keyed := cutKey(s)
		if literal, ok := spell(name, literals); ok && keyed {
			out = append(out, literal, key)
			continue
		}
		if literal, ok := spell(s, literals); ok {
			s = literal
		}
		out = append(out, s)
	}
	return "/" + strings.Join(out, "/")
}

// spell finds the literal that an escaped segment means.
func spell(segment string, literals []string) (string, bool) {
	plain, err := url.PathUnescape(segment)
	if err != nil {
		return "", false
	}
	for _, l := range literals {
		if strings.EqualFold(l, plain) {
			return l, true
		}
	}
	for _, v := range [...]string{"v1.0", "beta"} {
		if strings.EqualFold(v, plain) {
			return v, true
		}
	}
	return "", false
}

// cutKey splits an escaped segment of the form name('key'). A key with a quote or an equals sign in it is a function's
// parameter list and is left alone.
func cutKey(segment string) (name, key string, ok bool) {
	quoted := strings.NewReplacer("%27", "'", "%28", "(", "%29", ")").Replace(segment)
	name, rest, opened := strings.Cut(quoted, "('")
	key, closed := strings.CutSuffix(rest, "')")
	if !opened || !closed || name == "" || key == "" || strings.ContainsAny(key, "'=(") {
		return "", "", false
	}
	return name, key, true
}

// canonical is r with its path spelled canonically.
func canonical(r *http.Request, literals []string) *http.Request {
	was := r.URL.EscapedPath()
	now := CanonicalPath(was, literals)
	if now == was {
		return r
	}
	plain, err := url.PathUnescape(now)
	if err != nil {
		return r // the mux answers it
	}
	r = r.Clone(r.Context())
	r.URL.Path, r.URL.RawPath = plain, now
	return r
}

// strangeSegment is the segment that a 404 blames: the last one that is no literal of the API, or else the last.
func strangeSegment(r *http.Request) string {
	segments := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	for i := len(segments) - 1; i >= 0; i-- {
		if _, ok := spell(url.PathEscape(segments[i]), exchangeOf(r).segments); !ok {
			return segments[i]
		}
	}
	return segments[len(segments)-1]
}
