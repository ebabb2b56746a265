package front

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bookplate/bookplate/shared/graph"
)

// spelling knows how the API's paths are spelled.
type spelling struct {
	paths    []known
	literals []string
}

// known is a path of the API.
type known struct {
	segments []string
	methods  []string // that it answers
}

func newSpelling(paths map[string][]string) spelling {
	var s spelling
	for _, path := range slices.Sorted(maps.Keys(paths)) { // literals come before wildcards: '$' is before '{'
		segments := strings.Split(strings.Trim(path, "/"), "/")
		s.paths = append(s.paths, known{segments, slices.Sorted(slices.Values(paths[path]))})
		for _, one := range segments {
			if !isWildcard(one) {
				s.literals = append(s.literals, one)
			}
		}
	}
	return s
}

func isWildcard(segment string) bool { return strings.HasPrefix(segment, "{") }

// correct is the right spelling of an escaped path. It is odd when it is spelled otherwise, and the API has it.
func (s spelling) correct(escaped string) (path string, odd bool) {
	path = graph.CanonicalPath(escaped, s.literals)
	return path, path != escaped && len(s.methods(path)) > 0
}

// methods are those that the path answers, spelled right; none if the API doesn't have it.
func (s spelling) methods(path string) []string {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if segments[0] != "v1.0" && segments[0] != "beta" {
		return nil
	}
	for _, one := range s.paths {
		if matches(one.segments, segments[1:]) {
			return one.methods
		}
	}
	return nil
}

func matches(known, segments []string) bool {
	if len(known) != len(segments) {
		return false
	}
	for i, one := range known {
		if !isWildcard(one) && one != segments[i] {
			return false
		}
	}
	return true
}

func withPath(r *http.Request, escaped string) *http.Request {
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		return r // the API answers it
	}
	r = r.Clone(r.Context())
	r.URL.Path, r.URL.RawPath = plain, escaped
	return r
}
