package front

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/bookplate/bookplate/shared/graph"
)

// spelling knows how the API's paths are spelled.
type spelling struct {
	paths    [][]string // cut into segments
	literals []string
}

func newSpelling(paths []string) spelling {
	var s spelling
	for _, path := range paths {
		segments := strings.Split(strings.Trim(path, "/"), "/")
		s.paths = append(s.paths, segments)
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
	return path, path != escaped && s.has(path)
}

func (s spelling) has(path string) bool {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if segments[0] != "v1.0" && segments[0] != "beta" {
		return false
	}
	for _, known := range s.paths {
		if matches(known, segments[1:]) {
			return true
		}
	}
	return false
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
