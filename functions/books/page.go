package books

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
)

// list is a list of ours with its parameters.
func list(h graph.HandlerFunc, parameters ...string) graph.HandlerFunc {
	return graph.Taking(h, append(parameters, "$top", "$skiptoken")...)
}

// asked reads the options of a list that a cursor feeds. What would need the whole list is refused.
func asked(r *http.Request) (graph.Query, error) {
	for name := range r.URL.Query() {
		switch option := "$" + strings.ToLower(strings.TrimPrefix(name, "$")); option {
		case "$filter", "$orderby", "$search", "$select", "$expand", "$skip", "$count":
			return graph.Query{}, problem.New(problem.Invalid, "", "The query option %s is not supported here. Supported are $top "+
				"and the parameters of this list.", option).At(option)
		}
	}
	q, err := graph.ParseQuery(r, graph.Schema{})
	if err != nil {
		return q, err
	}
	return q, q.Only("$top", "$skiptoken")
}

// turn reads one page of something; what it doesn't want of it, it leaves out.
type turn[T any] func(limit int, cursor string) (found []T, next string, err error)

// mostTurns is after how many turns an answer ends with what it has, so that it comes in time (20 s).
const mostTurns = 40

// gather reads on until there is enough for an answer of the size, or no more: a page that isn't the last is empty only if
// very much was read in vain. Three quarters are enough, because ever smaller reads for the rest would never end where
// little is wanted.
func gather[T any](size int, q graph.Query, read turn[T]) (all []T, next string, err error) {
	if next, err = q.Cursor(); err != nil || size == 0 {
		return nil, "", err
	}
	for turns := 1; ; turns++ {
		var found []T
		found, next, err = read(size-len(all), next)
		if err != nil {
			return nil, "", badLink(err)
		}
		all = append(all, found...)
		if next == "" || 4*len(all) >= 3*size || turns == mostTurns {
			return all, next, nil
		}
	}
}

// badLink explains a cursor that isn't one of the list.
func badLink(err error) error {
	if !errors.Is(err, table.ErrCursor) {
		return err
	}
	return problem.New(problem.Invalid, "", "The link to the next page is damaged or belongs to another list. "+
		"Begin again at the first page.").At("$skiptoken").Because(err)
}

// answer writes what read gives, a page at a time.
func answer[T any](w http.ResponseWriter, r *http.Request, context string, read turn[T]) error {
	q, err := asked(r)
	if err != nil {
		return err
	}
	items, next, err := gather(q.Size(), q, read)
	if err != nil {
		return err
	}
	graph.WriteCollection(w, r, context, items, nil, graph.NextLink(r, next))
	return nil
}

// place is the location that a request names by tokenId or location; the only one, when there is but one token. The
// record is nil when the location's token was deleted.
func (s server) place(r *http.Request) (location string, record *token.Record, err error) {
	values := r.URL.Query()
	if id := values.Get("tokenId"); id != "" {
		doc, err := token.Load(r.Context(), s.Store, door.ID(id))
		return doc.Value.Location, &doc.Value, at(err, "tokenId")
	}
	if location = values.Get("location"); location != "" {
		location = door.ID(location)
		record, _, err := s.stock(r.Context(), location)
		if err == nil && record == nil {
			err = s.wasThere(r.Context(), location)
		}
		return location, record, err
	}
	all, err := token.All(r.Context(), s.Store)
	if err != nil {
		return "", nil, err
	}
	if len(all) != 1 {
		return "", nil, problem.New(problem.Invalid, "", "Say of which location: tokenId=<id> or location=<uId>. "+
			"GET /v1.0/deviceAppManagement/vppTokens lists the %d tokens that there are.", len(all)).At("tokenId")
	}
	return all[0].Value.Location, &all[0].Value, nil
}

// wasThere refuses a location that never had a token.
func (s server) wasThere(ctx context.Context, location string) error {
	known, err := token.Locations(ctx, s.Store)
	if err == nil && !slices.Contains(known, location) {
		err = problem.New(problem.NotFound, "LocationNotFound", "There is no location %.80q, and there never was one. Name it by "+
			"its uId: GET /v1.0/deviceAppManagement/vppTokens has it as x_locationId.", location).At("location")
	}
	return err
}

// bookOf is the book that a request names.
func (s server) bookOf(r *http.Request, values url.Values) (book.Book, error) {
	doc, err := book.Load(r.Context(), s.Store, door.ID(values.Get("book")))
	return doc.Value, at(err, "book")
}

// at names the parameter at fault.
func at(err error, parameter string) error {
	if p, ok := problem.As(err); ok {
		return p.At(parameter)
	}
	return err
}
