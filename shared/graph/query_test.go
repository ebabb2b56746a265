package graph_test

import (
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"testing"

	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
)

func parse(t *testing.T, query string, headers ...string) (graph.Query, *http.Request) {
	t.Helper()
	r := get("http://books.example/v1.0/deviceAppManagement/managedEBooks?" + query)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	q, err := graph.ParseQuery(r, bookSchema())
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return q, r
}

func TestQueryOptionsAreReadAsClientsWriteThem(t *testing.T) {
	for name, query := range map[string]string{
		"Go SDK": `$count=true&$expand=assignments&$filter=displayName%20eq%20%27x%27&` +
			`$orderby=displayName%20desc&$search=petit&$select=id,displayName&$skip=1&$top=2`,
		"without dollar": `count=true&expand=assignments&filter=displayName+eq+'x'&` +
			`orderby=displayName+desc&search=petit&select=id,displayName&skip=1&top=2`,
		"odd case and spaces": `%24COUNT=True&$Expand=Assignments&$Filter=displayname+eq+'x'&` +
			`$OrderBy=DisplayName+DESC&$Search="displayName:petit"&` +
			`$Select=+ID,+DisplayName+,id&$SKIP=1&$Top=2&api-version=7&ocid`,
	} {
		t.Run(name, func(t *testing.T) {
			q, _ := parse(t, query)
			if !reflect.DeepEqual(q.Select, []string{"id", "displayName"}) || !reflect.DeepEqual(q.Expand, []string{"assignments"}) ||
				!q.Count || q.Skip != 1 || q.Top == nil || *q.Top != 2 || q.Search != "petit" ||
				len(q.OrderBy) != 1 || q.OrderBy[0].Property != "displayName" || !q.OrderBy[0].Descending {
				t.Errorf("got %+v", q)
			}
			if q.Filter.Match(petitPrince()) || !q.Filter.Match(graph.Entity{"displayName": "X"}) {
				t.Error("wrong filter")
			}
			if !q.Expands("assignments") || q.Expands("installSummary") {
				t.Error("wrong expansion")
			}
		})
	}
}

func TestWrongOptionsAreRefusedByName(t *testing.T) {
	for query, says := range map[string][]string{
		"$apply=x":                            {"$apply", "Supported are $select"},
		"$top=-1":                             {"$top", "0 or more"},
		"$top=ten":                            {"$top"},
		"$skip=1.5":                           {"$skip"},
		"$count=yes":                          {"$count", "true or false"},
		"$top=1&top=2":                        {"$top", "more than once"},
		"$top=1&$top=2":                       {"$top", "more than once"},
		"$filter=x eq 1":                      {"$filter", "'x'"},
		"$select=isbn":                        {"$select", "'isbn'", "appleId, displayName"},
		"$select=":                            {"$select"},
		"$orderby=genres":                     {"$orderby", "'genres'", "displayName"},
		"$orderby=displayName down":           {"$orderby", "'down'"},
		"$orderby=displayName asc,":           {"$orderby"},
		"$expand=deviceStates":                {"$expand", "'deviceStates'", "assignments, installSummary"},
		"$expand=assignments($select=id)":     {"$expand", "Name the property only"},
		"$format=xml":                         {"$format", "json"},
		"$skiptoken=%zz":                      {"Percent-encode"},
		"$expand=assignments;$filter=x eq 'y": {"Percent-encode"},
	} {
		r := get("http://books.example/v1.0/x")
		r.URL.RawQuery = query
		_, err := graph.ParseQuery(r, bookSchema())
		refused(t, err, problem.Invalid, says...)
	}
	_, err := graph.ParseQuery(get("http://books.example/x?$search=a"), graph.Schema{Type: "t"})
	refused(t, err, problem.Invalid, "$search", "$filter")
	_, err = graph.ParseQuery(get("http://books.example/x?$expand=a"), graph.Schema{Type: "t"})
	refused(t, err, problem.Invalid, "$expand", "Nothing")
}

func TestOnlyRefusesOtherOptions(t *testing.T) {
	q, _ := parse(t, "$select=id&$expand=assignments&x=1&$format=json")
	if err := q.Only("$select", "$expand"); err != nil {
		t.Error(err)
	}
	refused(t, q.Only("$select"), problem.Invalid, "$expand", "Supported are $select")
}

// A client that indexes the selected keys must find all of them.
func TestSelectKeepsEverySelectedKey(t *testing.T) {
	e := petitPrince()
	e["assignments"], e["assignments@odata.context"], e["installSummary"] = []any{}, "c", graph.Entity{}
	for query, want := range map[string][]string{
		"$select=id,publisher,featured,appleId":                 {"@odata.type", "appleId", "featured", "id", "publisher"},
		"$select=microsoft.graph.iosVppEBook/appleId":           {"@odata.type", "appleId"},
		"$select=actor/userPrincipalName":                       {"@odata.type", "actor"},
		"$select=id&$expand=assignments":                        {"@odata.type", "assignments", "assignments@odata.context", "id"},
		"$select=id,installSummary&$expand=installSummary":      {"@odata.type", "id", "installSummary"},
		"$select=id,totalLicenseCount,publishedDateTime,genres": {"@odata.type", "genres", "id", "publishedDateTime", "totalLicenseCount"},
	} {
		q, _ := parse(t, query)
		got := slices.Sorted(maps.Keys(q.Project(e)))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	q, _ := parse(t, "$select=publisher,featured")
	if got := q.Project(graph.Entity{"id": "b"}); !reflect.DeepEqual(got, graph.Entity{"publisher": nil, "featured": nil}) {
		t.Errorf("missing properties aren't null: %v", got)
	}
	q, _ = parse(t, "$select=*")
	if got := q.Project(e); len(got) != len(e) {
		t.Errorf("* isn't everything: %v", got)
	}
}

func TestPageSizeIsTheLeastOfAll(t *testing.T) {
	for _, c := range []struct {
		query, prefer string
		want          int
	}{
		{"", "", graph.DefaultPage},
		{"$top=2", "", 2},
		{"$top=0", "", 0},
		{"$top=500", "", 500},
		{"$top=5000", "", graph.MaxPage},
		{"", "odata.maxpagesize=7", 7},
		{"", "return=representation, ODATA.MaxPageSize = \"7\"; x=y", 7},
		{"", "maxpagesize=7000", graph.MaxPage},
		{"$top=3", "odata.maxpagesize=7", 3},
		{"$top=9", "odata.maxpagesize=7", 7},
		{"", "odata.maxpagesize=none", graph.DefaultPage},
		{"", "odata.maxpagesize=0", graph.DefaultPage},
	} {
		q, _ := parse(t, c.query, "Prefer", c.prefer)
		if got := q.Size(); got != c.want {
			t.Errorf("%s, Prefer %s: %d, want %d", c.query, c.prefer, got, c.want)
		}
	}
}

func TestSearchIsAPartOfTheName(t *testing.T) {
	for search, want := range map[string]bool{
		`petit`: true, `"Petit Prince"`: true, `"displayname:petit prince"`: true, `PRINCE`: true, `Fiction`: false, `"l'île"`: true,
	} {
		q, _ := parse(t, "$search="+url.QueryEscape(search))
		if got := q.Matches(petitPrince()); got != want {
			t.Errorf("%s: %v, want %v", search, got, want)
		}
	}
}
