package graph

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Page sizes, in entities and in bytes. The bytes keep an answer within a gateway's 6 MB.
const (
	DefaultPage  = 100
	MaxPage      = 1000
	maxPageBytes = 4 << 20
)

// Page is one page of a collection. Count is nil unless $count asked for it; NextLink is empty on the last page.
type Page struct {
	Items    []Entity
	Count    *int
	NextLink string
}

// List answers q from all entities of a collection: filters, searches, orders (by the caller's order without $orderby),
// cuts a page and projects it. entities and what they hold stay unchanged. A page that isn't the last is never empty.
func List(r *http.Request, q Query, entities []Entity) (Page, error) {
	place, err := q.place()
	if err != nil {
		return Page{}, err
	}
	matching := q.matching(entities)
	q.sort(matching)
	var page Page
	if q.Count {
		n := len(matching)
		page.Count = &n
	}
	start := min(place.start(matching), len(matching))
	end, err := q.cut(matching, start)
	if err != nil {
		return Page{}, err
	}
	for _, e := range matching[start:end] {
		page.Items = append(page.Items, q.Project(e))
	}
	if end > start && end < len(matching) {
		page.NextLink = nextLink(r, skipToken{Next: end, After: id(matching[end-1])})
	}
	return page, nil
}

// Count is the number of entities that match q's $filter and $search, for /$count.
func Count(q Query, entities []Entity) int { return len(q.matching(entities)) }

// Size is the number of entities that a page may hold.
func (q Query) Size() int {
	size := DefaultPage
	if q.MaxPageSize > 0 {
		size = q.MaxPageSize
	}
	if q.Top != nil && (q.MaxPageSize == 0 || *q.Top < size) {
		size = *q.Top
	}
	return min(size, MaxPage)
}

// Matches says whether e passes $filter and $search.
func (q Query) Matches(e Entity) bool {
	if !q.Filter.Match(e) {
		return false
	}
	displayName, _ := e["displayName"].(string)
	return q.Search == "" || strings.Contains(fold(displayName), fold(q.Search))
}

// matching is a new slice of what matches.
func (q Query) matching(entities []Entity) []Entity {
	matching := make([]Entity, 0, len(entities))
	for _, e := range entities {
		if q.Matches(e) {
			matching = append(matching, e)
		}
	}
	return matching
}

// sort orders entities by $orderby and then by id, so that pages don't overlap.
func (q Query) sort(entities []Entity) {
	if len(q.OrderBy) == 0 {
		return
	}
	slices.SortStableFunc(entities, func(a, b Entity) int {
		for _, o := range q.OrderBy {
			c := scalarOf(value(a, o.Property), o.kind).compare(scalarOf(value(b, o.Property), o.kind))
			if o.Descending {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return strings.Compare(id(a), id(b))
	})
}

// cut is the end of the page that begins at start. A single entity makes a page however long it is.
func (q Query) cut(entities []Entity, start int) (int, error) {
	end, size := start, 0
	for end < len(entities) && end-start < q.Size() {
		text, err := encode(q.Project(entities[end]))
		if err != nil {
			return 0, fmt.Errorf("encode entity %d: %w", end, err)
		}
		if size += len(text); size > maxPageBytes && end > start {
			break
		}
		end++
	}
	return end, nil
}

func id(e Entity) string {
	s, _ := e["id"].(string)
	return s
}
