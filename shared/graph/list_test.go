package graph_test

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
)

// shelf is n books b000, b001 …, whose totalLicenseCount goes 0 1 2 0 1 2 ….
func shelf(n int) []graph.Entity {
	books := make([]graph.Entity, n)
	for i := range books {
		books[i] = graph.Entity{"id": fmt.Sprintf("b%03d", i), "displayName": fmt.Sprint("Book ", i), "totalLicenseCount": i % 3}
	}
	return books
}

func ids(books []graph.Entity) string {
	var out []string
	for _, b := range books {
		out = append(out, b["id"].(string))
	}
	return strings.Join(out, " ")
}

// follow reads all pages as a client does, by their links alone.
func follow(t *testing.T, target string, books func(page int) []graph.Entity) (pages []graph.Page) {
	t.Helper()
	for len(pages) < 100 {
		q, err := graph.ParseQuery(get(target), bookSchema())
		if err != nil {
			t.Fatal(err)
		}
		page, err := graph.List(get(target), q, books(len(pages)))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page)
		if page.NextLink == "" {
			return pages
		}
		if len(page.Items) == 0 {
			t.Fatal("an empty page is followed by another")
		}
		u, err := url.Parse(page.NextLink)
		if err != nil || u.Scheme != "http" || u.Host != "books.example:3000" || strings.ContainsAny(page.NextLink, " '\"") {
			t.Fatalf("link %q: %v", page.NextLink, err)
		}
		target = page.NextLink
	}
	t.Fatal("the pages never end")
	return nil
}

const booksURL = "http://books.example:3000/beta/deviceAppManagement/managedEBooks?"

func TestPagesHoldEverythingOnceInOrder(t *testing.T) {
	for query, want := range map[string]string{
		"$top=2":                            "b000 b001|b002 b003|b004",
		"$top=5":                            "b000 b001 b002 b003 b004",
		"$top=2&$skip=3":                    "b003 b004",
		"$top=2&$skip=1":                    "b001 b002|b003 b004",
		"$skip=9":                           "",
		"$top=0":                            "",
		"$top=2&$orderby=totalLicenseCount": "b000 b003|b001 b004|b002",
		"$top=2&$orderby=totalLicenseCount%20desc,displayName%20desc":        "b002 b004|b001 b003|b000",
		"$top=1&$filter=displayName%20ge%20%27Book%203%27":                   "b003|b004",
		"top=2&filter=totalLicenseCount+ne+0":                                "b001 b002|b004",
		"$top=2&$search=%22book%201%22":                                      "b001",
		"$filter=displayName eq 'none'":                                      "",
		"$orderby=publisher desc,microsoft.graph.iosVppEBook/appleId,id asc": "b000 b001 b002 b003 b004",
	} {
		target := booksURL + strings.NewReplacer(" ", "%20", "'", "%27").Replace(query)
		var got []string
		for _, p := range follow(t, target, func(int) []graph.Entity { return shelf(5) }) {
			got = append(got, ids(p.Items))
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%s: %s, want %s", query, strings.Join(got, "|"), want)
		}
	}
}

func TestLinkKeepsTheOtherOptions(t *testing.T) {
	pages := follow(t, booksURL+"$top=2&$count=true&$filter=displayName%20ne%20%27L%27%27%C3%AEle%27&$skip=1&x=a%26b&$select=id",
		func(int) []graph.Entity { return shelf(5) })
	link := pages[0].NextLink
	const kept = "?$top=2&$count=true&$filter=displayName%20ne%20%27L%27%27%C3%AEle%27&x=a%26b&$select=id&$skiptoken="
	if !strings.HasPrefix(link, strings.TrimSuffix(booksURL, "?")+kept) {
		t.Errorf("got %s", link)
	}
	for _, p := range pages {
		if p.Count == nil || *p.Count != 5 {
			t.Errorf("count %v on a page, want 5: $skip and pages don't count", p.Count)
		}
	}
}

func TestBooksThatComeAndGoDontMoveThePages(t *testing.T) {
	pages := follow(t, booksURL+"$top=2", func(page int) []graph.Entity {
		books := shelf(6)
		if page > 0 {
			books = append([]graph.Entity{{"id": "a-new-one"}}, books...)
		}
		if page > 1 {
			books = append(books[:4:4], books[5:]...) // b003, the last of the page before, has gone
		}
		return books
	})
	var got []string
	for _, p := range pages {
		got = append(got, ids(p.Items))
	}
	if want := "b000 b001|b002 b003|b004 b005"; strings.Join(got, "|") != want {
		t.Errorf("got %s, want %s", strings.Join(got, "|"), want)
	}
}

func TestPagesStayWithinTheGatewaysBytes(t *testing.T) {
	books := shelf(9)
	for _, b := range books {
		b["displayName"] = strings.Repeat("x", 1<<20)
	}
	books[0]["displayName"] = strings.Repeat("x", 5<<20) // longer than a page, and still answered
	pages := follow(t, booksURL, func(int) []graph.Entity { return books })
	var got []string
	for _, p := range pages {
		got = append(got, ids(p.Items))
	}
	if want := "b000|b001 b002 b003|b004 b005 b006|b007 b008"; strings.Join(got, "|") != want {
		t.Errorf("got %s, want %s", strings.Join(got, "|"), want)
	}
	if small := follow(t, booksURL+"$select=id", func(int) []graph.Entity { return books }); len(small) != 1 {
		t.Errorf("%d pages of ids, want 1: only what is sent counts", len(small))
	}
}

func TestListLeavesTheEntitiesAlone(t *testing.T) {
	books := shelf(5)
	follow(t, booksURL+"$top=2&$orderby=displayName%20desc&$select=id", func(int) []graph.Entity { return books })
	if !reflect.DeepEqual(books, shelf(5)) {
		t.Errorf("changed to %v", books)
	}
}

func TestCountCountsWhatMatches(t *testing.T) {
	q, _ := parse(t, "$filter=totalLicenseCount%20eq%200&$search=book")
	if got := graph.Count(q, shelf(5)); got != 2 {
		t.Errorf("got %d", got)
	}
}

func TestCursorTravelsInTheLink(t *testing.T) {
	_, r := parse(t, "$top=2")
	if link := graph.NextLink(r, ""); link != "" {
		t.Errorf("a link %s without a cursor", link)
	}
	const cursor = "partition\x00sort/\xc3\xa9"
	next := get(graph.NextLink(r, cursor))
	q, err := graph.ParseQuery(next, bookSchema())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := q.Cursor(); got != cursor || err != nil || *q.Top != 2 {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := graph.List(next, q, shelf(5)); problem.KindOf(err) != problem.Invalid {
		t.Errorf("a list took a cursor's link: %v", err)
	}
	first, _ := parse(t, "")
	if got, err := first.Cursor(); got != "" || err != nil {
		t.Errorf("first page: %q, %v", got, err)
	}
	pages := follow(t, booksURL+"$top=2", func(int) []graph.Entity { return shelf(3) })
	q, err = graph.ParseQuery(get(pages[0].NextLink), bookSchema())
	if err != nil {
		t.Fatal(err)
	}
	_, err = q.Cursor()
	refused(t, err, problem.Invalid, "$skiptoken", "first page")
}

func TestLinksAreBuiltFromTheRequestsOwnOrigin(t *testing.T) {
	for _, c := range []struct {
		target string
		trust  bool
		want   string
	}{
		{"http://books.example:3000/v1.0/x", false, "http://books.example:3000"},
		{"https://books.example/v1.0/x", false, "https://books.example"},
		{"http://inner:8080/v1.0/x", true, "https://outer.example"},
	} {
		var got string
		s := serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = graph.Origin(r) }),
			func(o *graph.Options) { o.TrustForwarded = c.trust })
		r := get(c.target)
		r.Header.Set("X-Forwarded-Proto", "https, http")
		r.Header.Set("X-Forwarded-Host", "outer.example")
		w := s.do(r)
		if got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
		if hsts := w.Header().Get("Strict-Transport-Security") != ""; hsts != strings.HasPrefix(c.want, "https") {
			t.Errorf("%+v: Strict-Transport-Security: %v", c, hsts)
		}
	}
}

func FuzzSkipTokenNeverPanics(f *testing.F) {
	for _, seed := range []string{"", "MQ", "e30", "eyJuIjoyLCJhIjoiYjAwMSJ9", "eyJuIjotMX0", "eyJuIjo5OTk5OTk5OTl9", "%"} {
		f.Add(seed)
	}
	books := shelf(5)
	f.Fuzz(func(t *testing.T, token string) {
		r := get(booksURL + "$top=2&$skiptoken=" + url.QueryEscape(token))
		q, err := graph.ParseQuery(r, bookSchema())
		if err != nil {
			t.Fatal(err)
		}
		page, err := graph.List(r, q, books)
		if err != nil && problem.KindOf(err) != problem.Invalid || page.NextLink != "" && len(page.Items) == 0 {
			t.Errorf("%q: %v, %+v", token, err, page)
		}
		if _, err := q.Cursor(); err != nil && problem.KindOf(err) != problem.Invalid {
			t.Errorf("%q: %v", token, err)
		}
	})
}
