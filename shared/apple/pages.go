package apple

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
)

// AssetPages reads the assets from page from on, until a page that has no next one. See walk for the order.
func (l *Location) AssetPages(ctx context.Context, q AssetQuery, from int, visit func(Page, []Asset) error) error {
	lst := listing{getAssets, "assets", filters("productType", q.ProductType, "adamId", q.AdamID)}
	return walk(ctx, l, lst, from, visit)
}

// UserPages reads the users from page from on, until a page that has no next one. See walk for the order.
func (l *Location) UserPages(ctx context.Context, q UserQuery, from int, visit func(Page, []User) error) error {
	lst := listing{getUsers, "users", filters("clientUserId", q.ClientUserID, "sinceVersionId", q.SinceVersion)}
	return walk(ctx, l, lst, from, visit)
}

// AssignmentPages reads the assignments, also those of retired users, from page from on, until a page that has no next
// one. See walk for the order.
func (l *Location) AssignmentPages(
	ctx context.Context, q AssignmentQuery, from int, visit func(Page, []Assignment) error,
) error {
	lst := listing{getAssignments, "assignments", filters(
		"adamId", q.AdamID, "clientUserId", q.ClientUserID, "sinceVersionId", q.SinceVersion)}
	return walk(ctx, l, lst, from, visit)
}

// listing is what Apple gives in pages. name is the key of the rows.
type listing struct {
	endpoint
	name  string
	query url.Values
}

func filters(namesAndValues ...string) url.Values {
	query := url.Values{}
	for i := 0; i < len(namesAndValues); i += 2 {
		if value := namesAndValues[i+1]; value != "" {
			query.Set(namesAndValues[i], value)
		}
	}
	return query
}

// result is one page read, or why it wasn't.
type result[T any] struct {
	page Page
	rows []T
	err  error
}

// walk reads the pages from page from on and visits them in the order of their indexes, one at a time, also when they
// are empty. The first is read alone, the others at most 5 at once, as far as the newest page's count reaches. An
// error of visit ends the walk and is returned as it is. A caller that has visited page n can go on at n+1.
func walk[T any](ctx context.Context, l *Location, lst listing, from int, visit func(Page, []T) error) error {
	page, rows, err := readPage[T](ctx, l, lst, from)
	if err != nil {
		return err
	}
	if err := visit(page, rows); err != nil {
		return err
	}
	for !page.Last {
		results, err := readWindow[T](ctx, l, lst, page)
		if err != nil {
			return err
		}
		for _, r := range results {
			if r.err != nil {
				return r.err
			}
			if err := visit(r.page, r.rows); err != nil {
				return err
			}
			page = r.page
			if page.Last {
				break // the listing has become shorter: what the others were is of no interest
			}
		}
	}
	return nil
}

// readWindow reads the pages that follow a page which isn't the last: at least one, whatever its count says.
func readWindow[T any](ctx context.Context, l *Location, lst listing, after Page) ([]result[T], error) {
	first := after.Index + 1
	width := min(max(after.TotalPages-first, 1), pagesInFlight)
	results := make([]result[T], width)
	err := l.service.world.Run(ctx, pagesInFlight, width, func(ctx context.Context, i int) error {
		page, rows, err := readPage[T](ctx, l, lst, first+i)
		results[i] = result[T]{page, rows, err}
		if IsNumber(err, NumberPage) {
			return nil // an error only if no page before it turns out to be the last
		}
		return err
	})
	return results, err
}

func readPage[T any](ctx context.Context, l *Location, lst listing, index int) (Page, []T, error) {
	var head struct {
		index, next *int
		total       int
		version     string
	}
	var found []T
	c := &call{endpoint: lst.endpoint, doing: fmt.Sprintf("reading page %d of the %s", index, lst.name)}
	c.query = url.Values{}
	for name, values := range lst.query {
		c.query[name] = values
	}
	if index != 0 { // Apple's text of error 9650 excludes 0, which is the default
		c.query.Set("pageIndex", strconv.Itoa(index))
	}
	c.answer = func() fields {
		head.index, head.next, head.total, head.version, found = nil, nil, 0, "", nil
		return fields{
			"currentPageIndex": &head.index, "nextPageIndex": &head.next, "totalPages": &head.total,
			"versionId": &head.version, lst.name: rows(&found),
		}
	}
	c.whole = func() bool {
		return head.index != nil && *head.index == index && head.version != "" &&
			(head.next == nil || *head.next > index)
	}
	if _, err := l.read(ctx, c); err != nil {
		return Page{}, nil, err
	}
	return Page{Index: index, TotalPages: head.total, VersionID: head.version, Last: head.next == nil}, found, nil
}
