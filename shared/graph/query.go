package graph

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bookplate/bookplate/shared/problem"
)

// Query is what a request asks of a collection or an entity.
type Query struct {
	// Select are the properties to answer with; nil means all.
	Select []string
	// Filter is nil when there is none.
	Filter  *Filter
	OrderBy []Order
	// Top is the most that one page may hold; nil when not given. More pages may follow, as in Graph.
	Top *int
	// Skip is how many entities to leave out before the first page.
	Skip int
	// Count asks for the number of all entities that match.
	Count  bool
	Expand []string
	// Search is a part of the displayName, without quotes.
	Search string
	// MaxPageSize is the client's "Prefer: odata.maxpagesize"; 0 when not given.
	MaxPageSize int

	skipToken string
	given     []string // the options that came, as "$top"
	schema    Schema
}

// Order is one term of $orderby.
type Order struct {
	Property   string
	Descending bool
	kind       Kind
}

// options are the ones that we know. They may come without '$' and in any letter case, as older clients write them.
func options() []string {
	return []string{
		"$select", "$filter", "$orderby", "$top", "$skip", "$count", "$expand", "$search", "$skiptoken", "$format",
	}
}

// ParseQuery reads the query options and preferences of r and checks them against s. An unknown option with '$' is an
// error, because ignoring it would give a wrong answer; other unknown parameters are ignored.
func ParseQuery(r *http.Request, s Schema) (Query, error) {
	q := Query{schema: s, MaxPageSize: preferredPage(r)}
	values, err := parseQuery(r)
	if err != nil {
		return q, err
	}
	for _, name := range slices.Sorted(maps.Keys(values)) { // of several mistakes, always the same one is told
		all := values[name]
		option, known := optionName(name)
		switch {
		case !known && strings.HasPrefix(name, "$"):
			return q, problem.New(problem.Invalid, "", "The query option %s is not supported. Supported are %s.",
				clip(name), strings.Join(options(), ", ")).At(name)
		case !known:
			continue
		case len(all) > 1 || slices.Contains(q.given, option):
			return q, problem.New(problem.Invalid, "", "The query option %s is given more than once. Give it once.", option).At(option)
		}
		q.given = append(q.given, option)
		if err := q.set(option, all[0]); err != nil {
			return q, err
		}
	}
	return q, nil
}

func optionName(name string) (string, bool) {
	name = "$" + strings.TrimPrefix(strings.ToLower(name), "$")
	return name, slices.Contains(options(), name)
}

func (q *Query) set(option, text string) (err error) {
	switch option {
	case "$select":
		q.Select, err = parseSelect(text, q.schema)
	case "$filter":
		q.Filter, err = ParseFilter(text, q.schema)
	case "$orderby":
		q.OrderBy, err = parseOrder(text, q.schema)
	case "$top":
		var n int
		n, err = whole(option, text)
		q.Top = &n
	case "$skip":
		q.Skip, err = whole(option, text)
	case "$count":
		q.Count, err = strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			err = problem.New(problem.Invalid, "", "The value of %s is not true or false.", option).At(option)
		}
	case "$expand":
		q.Expand, err = parseExpand(text, q.schema)
	case "$search":
		q.Search, err = parseSearch(text, q.schema)
	case "$skiptoken":
		q.skipToken = text
	case "$format":
		if f, _, _ := strings.Cut(text, ";"); !strings.EqualFold(f, "json") && !strings.EqualFold(f, "application/json") {
			err = problem.New(problem.Invalid, "", "Only JSON can be answered: %s is json, or left out.", option).At(option)
		}
	}
	return err
}

// Only returns a problem if r carried another option than those named, e.g. "$select". It is for entities and for lists
// that a cursor feeds, where not every option can be honored.
func (q Query) Only(allowed ...string) error {
	for _, g := range q.given {
		if !slices.Contains(allowed, g) && g != "$format" {
			return problem.New(problem.Invalid, "", "The query option %s is not supported here. Supported are %s.",
				g, strings.Join(allowed, ", ")).At(g)
		}
	}
	return nil
}

// Expands says whether the navigation property is to be expanded.
func (q Query) Expands(name string) bool { return slices.Contains(q.Expand, name) }

// Project is e with the selected properties only: each of them, null where e has none, besides e's annotations and what
// was expanded. Without $select it is e itself.
func (q Query) Project(e Entity) Entity {
	if q.Select == nil {
		return e
	}
	out := make(Entity, len(q.Select)+1)
	for _, name := range q.Select {
		out[name] = e[name]
	}
	for name, v := range e {
		navigation, _, annotated := strings.Cut(name, "@") // "@odata.type", "assignments@odata.context"
		if q.Expands(navigation) || annotated && (navigation == "" || slices.Contains(q.Select, navigation)) {
			out[name] = v
		}
	}
	return out
}

func whole(option, text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, problem.New(problem.Invalid, "", "The value of %s is not a whole number of 0 or more.", option).At(option)
	}
	return n, nil
}

// preferredPage reads "Prefer: odata.maxpagesize=50". A preference that can't be read is not honored, and not an error.
func preferredPage(r *http.Request) int {
	for _, header := range r.Header.Values("Prefer") {
		for p := range strings.FieldsFuncSeq(header, func(c rune) bool { return c == ',' || c == ';' }) {
			name, text, _ := strings.Cut(strings.TrimSpace(p), "=")
			name = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(name)), "odata.")
			if n, err := strconv.Atoi(strings.Trim(strings.TrimSpace(text), `"`)); name == "maxpagesize" && err == nil && n > 0 {
				return n
			}
		}
	}
	return 0
}
