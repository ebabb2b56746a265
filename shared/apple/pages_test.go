package apple

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"testing"

	"github.com/bookplate/bookplate/shared/world"
)

// book is a listing in pages: for each page the count it claims and whether a next one exists.
type book []struct {
	total int
	last  bool
}

func (b book) serve(r *http.Request) (*http.Response, error) {
	i, _ := strconv.Atoi(r.URL.Query().Get("pageIndex"))
	if i >= len(b) {
		return refusal(400, "9650")(r)
	}
	next := ""
	if !b[i].last {
		next = fmt.Sprintf(`"nextPageIndex":%d,`, i+1)
	}
	rows := fmt.Sprintf(`{"adamId":"%d","totalCount":2147483647,"supportedPlatforms":["iOS"]},null`, i)
	if i%3 == 1 {
		rows = "" // an empty page is no end
	}
	return ok(fmt.Sprintf(`{"assets":[%s],"currentPageIndex":%d,%s"size":1,"totalPages":%d,"versionId":"v%d",%s}`,
		rows, i, next, b[i].total, i, ours))(r)
}

func pages(n int) book {
	b := make(book, n)
	for i := range b {
		b[i].total, b[i].last = n, i == n-1
	}
	return b
}

// walked are the indexes of the visited pages.
func walked(l *Location, from int) (indexes []int, err error) {
	err = l.AssetPages(context.Background(), AssetQuery{}, from, func(p Page, found []Asset) error {
		if empty := p.Index%3 == 1; empty != (len(found) == 0) {
			return fmt.Errorf("page %d has %d rows", p.Index, len(found))
		}
		if p.VersionID != fmt.Sprintf("v%d", p.Index) {
			return fmt.Errorf("page %d has version %s", p.Index, p.VersionID)
		}
		indexes = append(indexes, p.Index)
		return nil
	})
	return indexes, err
}

func upTo(from, n int) (indexes []int) {
	for i := from; i < n; i++ {
		indexes = append(indexes, i)
	}
	return indexes
}

func TestPagesAreVisitedInOrderUntilNoneIsNext(t *testing.T) {
	grown := pages(9)
	grown[0].total = 2
	liar := pages(4)
	for i := range liar {
		liar[i].total = 0
	}
	shrunk := pages(12)
	shrunk[6].last, shrunk[6].total = true, 7
	shrunkAway := shrunk[:7]
	shrunkAway[0].total = 12
	for _, c := range []struct {
		name string
		book book
		from int
		want []int
	}{
		{"one", pages(1), 0, upTo(0, 1)},
		{"two", pages(2), 0, upTo(0, 2)},
		{"a window and one", pages(7), 0, upTo(0, 7)},
		{"many", pages(40), 0, upTo(0, 40)},
		{"from the middle", pages(9), 4, upTo(4, 9)},
		{"from the last", pages(9), 8, upTo(8, 9)},
		{"grown meanwhile", grown, 0, upTo(0, 9)},
		{"a count that is too small", liar, 0, upTo(0, 4)},
		{"shrunk meanwhile", shrunk, 0, upTo(0, 7)},
		{"shrunk meanwhile, the rest gone", shrunkAway, 0, upTo(0, 7)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t)
			w.on(assets, c.book.serve)
			got, err := walked(w.location(), c.from)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%v %v", got, err)
			}
		})
	}
}

func TestAPageThatHasGoneEndsTheWalk(t *testing.T) {
	b := pages(7)[:3]
	w := newWire(t)
	w.on(assets, b.serve)
	got, err := walked(w.location(), 0)
	if e, is := errors.AsType[*Error](err); !is || e.Number != 9650 || !reflect.DeepEqual(got, upTo(0, 3)) {
		t.Errorf("%v %v", got, err)
	}
}

func TestAVisitorsErrorEndsTheWalk(t *testing.T) {
	enough := errors.New("enough")
	for stop := range 4 {
		w := newWire(t)
		w.on(assets, pages(30).serve)
		visits := 0
		err := w.location().AssetPages(context.Background(), AssetQuery{}, 0, func(p Page, _ []Asset) error {
			visits++
			if p.Index == stop {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || visits != stop+1 || len(w.started(assets)) > 6 {
			t.Errorf("%v after %d visits and %d requests", err, visits, len(w.started(assets)))
		}
	}
}

func TestNoPageOfAWindowIsVisitedOnceAnotherOwnerWasSeen(t *testing.T) {
	w := newWire(t)
	w.on(assets, func(r *http.Request) (*http.Response, error) {
		if r.URL.Query().Get("pageIndex") == "3" {
			return ok(owned(strangers))(r)
		}
		return pages(6).serve(r)
	})
	got, err := walked(w.location(), 0)
	if _, is := errors.AsType[*OwnerError](err); !is || !reflect.DeepEqual(got, upTo(0, 1)) {
		t.Errorf("%v %v", got, err)
	}
}

// counting is a real runner that notes how many tasks were under way at once.
type counting struct {
	world.Runner
	mu        sync.Mutex
	now, most int
}

func (c *counting) Run(ctx context.Context, width, n int, task func(context.Context, int) error) error {
	return c.Runner.Run(ctx, width, n, func(ctx context.Context, i int) error {
		c.add(1)
		defer c.add(-1)
		return task(ctx, i)
	})
}

func (c *counting) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += n
	c.most = max(c.most, c.now)
}

func TestPagesReadAtOnceAreVisitedInOrderToo(t *testing.T) {
	w := newWire(t)
	w.on(assets, pages(40).serve)
	runner := &counting{Runner: world.Real().Runner}
	got, err := walked(w.location(func(o *Options) { o.World.Runner = runner }), 0)
	if err != nil || !reflect.DeepEqual(got, upTo(0, 40)) {
		t.Errorf("%v %v", got, err)
	}
	if runner.most > 5 {
		t.Errorf("%d in flight", runner.most)
	}
}

func TestRowsAndFilters(t *testing.T) {
	const tail = `,"currentPageIndex":0,"totalPages":1,"versionId":"v1",` + ours + `}`
	w := newWire(t)
	w.on(assets, ok(`{"assets":[{"adamId":"1","pricingParam":"PLUS","productType":"Book","assignedCount":12,"availableCount":18,
		"retiredCount":1,"totalCount":31,"deviceAssignable":false,"revocable":true}],"unlimitedAssets":[{"adamId":"2"}]`+tail))
	w.on("GET /mdm/v2/users", ok(`{"users":[{"clientUserId":"u","email":"a@example.org","inviteCode":"c0de","status":"Registered"},
		{"clientUserId":"v","idHash":"h","status":"Associated"}]`+tail))
	w.on("GET /mdm/v2/assignments", ok(`{"assignments":[{"adamId":"1","pricingParam":"STDQ","clientUserId":"u"},
		{"adamId":"2","pricingParam":"STDQ","serialNumber":"S"}]`+tail))
	l, ctx := w.location(), context.Background()

	err := l.AssetPages(ctx, AssetQuery{ProductType: ProductBook, AdamID: "1"}, 0, func(p Page, got []Asset) error {
		want := []Asset{{AssetKey{"1", PricingPLUS}, ProductBook, 12, 18, 1, 31, false, true}}
		if !reflect.DeepEqual(got, want) || p != (Page{0, 1, "v1", true}) {
			t.Errorf("%+v %+v", p, got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	err = l.UserPages(ctx, UserQuery{ClientUserID: "u", SinceVersion: "v0"}, 0, func(_ Page, got []User) error {
		want := []User{{"u", "a@example.org", UserRegistered, "", "c0de"}, {"v", "", UserAssociated, "h", ""}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v", got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	err = l.AssignmentPages(ctx, AssignmentQuery{"1", "u", "v0"}, 0, func(_ Page, got []Assignment) error {
		want := []Assignment{{AssetKey{"1", PricingSTDQ}, "u", ""}, {AssetKey{"2", PricingSTDQ}, "", "S"}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v", got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for what, query := range map[string]string{
		assets:                    "adamId=1&productType=Book",
		"GET /mdm/v2/users":       "clientUserId=u&sinceVersionId=v0",
		"GET /mdm/v2/assignments": "adamId=1&clientUserId=u&sinceVersionId=v0",
	} {
		if got := w.started(what)[0].query; got != query {
			t.Errorf("%s?%s", what, got)
		}
	}
}

func TestFiltersAreRepeatedOnEveryPage(t *testing.T) {
	w := newWire(t)
	w.on(assets, pages(3).serve)
	err := w.location().AssetPages(context.Background(), AssetQuery{AdamID: "1"}, 0, func(Page, []Asset) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	queries := map[string]bool{}
	for _, s := range w.started(assets) {
		queries[s.query] = true
	}
	if !queries["adamId=1"] || !queries["adamId=1&pageIndex=1"] || !queries["adamId=1&pageIndex=2"] {
		t.Error(queries)
	}
}
