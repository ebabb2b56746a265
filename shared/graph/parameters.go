package graph

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bookplate/bookplate/shared/problem"
)

// Taking is h, for a list that takes the named query parameters besides Graph's options; names that begin with '$' are those
// of the options that it takes. h finds them spelled as they are here, however the request has them. One that the list
// doesn't have is refused, and one that is given twice: without it, the answer would be another list than was asked for.
func Taking(h HandlerFunc, names ...string) HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		values, err := parameters(r, names)
		if err != nil {
			return err
		}
		named := r.Clone(r.Context())
		named.URL.RawQuery = values.Encode()
		return h(w, named)
	}
}

func parameters(r *http.Request, names []string) (url.Values, error) {
	given, err := parseQuery(r)
	if err != nil {
		return nil, err
	}
	values := make(url.Values, len(given))
	for _, as := range slices.Sorted(maps.Keys(given)) { // of several mistakes, always the same one is told
		name, option := optionName(as)
		if !option {
			i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, as) })
			if i < 0 {
				return nil, problem.New(problem.Invalid, "", "There is no query parameter '%s' here. There are %s.",
					clip(as), strings.Join(names, ", ")).At(clip(as))
			}
			name = names[i]
		}
		if len(given[as]) > 1 || values[name] != nil {
			return nil, problem.New(problem.Invalid, "", "The query parameter %s is given more than once. Give it once.",
				name).At(name)
		}
		values[name] = given[as]
	}
	return values, nil
}

func parseQuery(r *http.Request) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, problem.New(problem.Invalid, "", "The query can't be read. "+
			"Percent-encode what isn't a letter or digit, and separate options by '&'.").Because(err)
	}
	return values, nil
}
