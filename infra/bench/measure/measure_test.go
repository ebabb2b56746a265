package measure

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/table/tabletest"
	"github.com/bookplate/bookplate/shared/world"
)

var documented = apple.Limits{MaxAssets: 25, MaxClientUserIDs: 1000, MaxUsers: 100}

func TestTheLeastIsArithmetic(t *testing.T) {
	for _, test := range []struct {
		titles, readers int
		want            map[Kind]int
	}{
		{25, 10000, map[Kind]int{
			Associates: 10, Creates: 100, AssociatePolls: 10, CreatePolls: 100, CountReads: 2, DeltaPages: 500, UserDeltaPages: 20,
			LookUps: 0,
		}},
		{26, 1001, map[Kind]int{
			Associates: 4, Creates: 11, AssociatePolls: 4, CreatePolls: 11, CountReads: 1, DeltaPages: 53, UserDeltaPages: 3,
		}},
		{1, 1, map[Kind]int{Associates: 1, Creates: 1, DeltaPages: 1}},
	} {
		j := Job{Titles: test.titles, Readers: test.readers, Limits: documented, PageSize: 500, AtOnce: 5}
		for kind, want := range test.want {
			if got, ok := j.Least(kind); !ok || got.Count != want || got.Why == "" {
				t.Errorf("%d titles to %d readers: the least of %s is %+v, want %d", test.titles, test.readers, kind, got, want)
			}
		}
	}
	if _, ok := (Job{}).Least(Others); ok {
		t.Error("there is a least of what isn't counted by kind")
	}
}

// answers is a service that answers everything alike.
type answers string

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(a)))}, nil
}

func TestRequestsAreCountedByWhatTheyAsk(t *testing.T) {
	w := NewWire()
	ask := func(method, path, answer string) {
		t.Helper()
		got, err := w.Tap(httptest.NewRequest(method, "/mdm/v2"+path, nil), answers(answer))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(got.Body)
		if err != nil || string(body) != answer {
			t.Errorf("%s: the client got %q, %v; want what was answered", path, body, err)
		}
	}
	ask("POST", "/assets/associate", `{"eventId":"a"}`)
	ask("POST", "/users/create", `{"eventId":"c"}`)
	ask("GET", "/status?eventId=a", `{"eventStatus":"PENDING"}`)
	ask("GET", "/status?eventId=a", `{"eventStatus":"COMPLETE"}`)
	ask("GET", "/status?eventId=c", `{"eventStatus":"COMPLETE"}`)
	ask("GET", "/status?eventId=unknown", `{}`)
	ask("GET", "/assets?productType=Book", `{"size":25}`)
	ask("GET", "/assignments?sinceVersionId=v", `{"size":500}`)
	ask("GET", "/assignments?sinceVersionId=v&pageIndex=1", `{"size":7}`)
	ask("GET", "/assignments?adamId=1", `{"size":3}`)
	ask("GET", "/users?sinceVersionId=v", `{"size":4}`)
	ask("GET", "/users?clientUserId=u", `{"size":1}`)
	ask("GET", "/client/config", `not JSON`)
	counts := map[Kind]int{
		Associates: 1, Creates: 1, AssociatePolls: 2, CreatePolls: 1, CountReads: 1, DeltaPages: 2, UserDeltaPages: 1, LookUps: 2,
		Others: 2,
	}
	rows := map[Kind]int{CountReads: 25, DeltaPages: 507, UserDeltaPages: 4, LookUps: 4}
	for kind, want := range counts {
		if w.Counts()[kind] != want || w.Rows()[kind] != rows[kind] {
			t.Errorf("%s: %d with %d rows, want %d with %d", kind, w.Counts()[kind], w.Rows()[kind], want, rows[kind])
		}
	}
}

func TestACountedTableIsATable(t *testing.T) {
	tabletest.Run(t, func(*testing.T) table.Engine { return NewEngine(mem.New(world.Real())) })
}

func TestItemsAndUnitsAreCounted(t *testing.T) {
	e := NewEngine(mem.New(world.Real()))
	store := table.NewStore(e, world.Real())
	item := func(sort string) table.Item {
		return table.Item{Key: table.Key{Part: "p", Sort: sort}, Body: []byte(`{}`)}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(store.PutAll(t.Context(), item("a"), item("b"), item("c")))
	before := e.Calls()
	if before.Written != 3 || before.Commits != 0 || before.WriteUnits != 3 {
		t.Errorf("three items in bulk are counted as %+v", before)
	}
	_, err := store.GetMany(t.Context(), []table.Key{item("a").Key, item("b").Key, item("x").Key})
	must(err)
	_, err = store.Get(t.Context(), item("a").Key)
	must(err)
	if c := e.Calls().Sub(before); c.Reads != 2 || c.Read != 3 || c.ReadUnits != 4 || c.Written != 0 {
		t.Errorf("three items read, and one that isn't there, are counted as %+v", c)
	}
	must(store.DeleteAll(t.Context(), item("a").Key))
	if c := e.Calls().Sub(before); c.Written != 1 {
		t.Errorf("a deletion is counted as %+v", c)
	}
}

func TestTablesAreLaidOutInColumns(t *testing.T) {
	got := Table([]string{"what", "n", "why"}, [][]string{{"a", "10", "x"}, {"⌈b⌉", "7", ""}})
	want := "  what   n  why\n  ────  ──  ───\n  a     10  x\n  ⌈b⌉    7  \n"
	if got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	if Ratio(3, 2) != "1.50×" || Ratio(3, 0) != "" {
		t.Errorf("ratios %q and %q", Ratio(3, 2), Ratio(3, 0))
	}
}
