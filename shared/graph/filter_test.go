package graph_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
)

func bookSchema() graph.Schema {
	return graph.Schema{
		Type:    "microsoft.graph.managedEBook",
		Derived: []string{"microsoft.graph.iosVppEBook"},
		Properties: map[string]graph.Kind{
			"id": graph.String, "displayName": graph.String, "publisher": graph.String, "appleId": graph.String,
			"vppTokenId": graph.GUID, "totalLicenseCount": graph.Int, "publishedDateTime": graph.Time, "featured": graph.Bool,
			"genres": graph.Complex, "actor/userPrincipalName": graph.String,
		},
		Expand: []string{"assignments", "installSummary"},
	}
}

func petitPrince() graph.Entity {
	return graph.Entity{
		"@odata.type": "#microsoft.graph.iosVppEBook", "id": "b1", "displayName": "L'île du Petit Prince", "publisher": nil,
		"appleId": "vpp@ecole.example", "vppTokenId": "9f0b1c2d-3e4f-4a5b-8c6d-7e8f90a1b2c3", "totalLicenseCount": 30,
		"publishedDateTime": "1943-04-06T00:00:00Z", "featured": true, "genres": []string{"Fiction"},
		"actor": map[string]any{"userPrincipalName": "anna@school.example"},
	}
}

func TestFilterDecides(t *testing.T) {
	for text, want := range map[string]bool{
		`displayName eq 'L''île du Petit Prince'`:                                            true,
		`displayName eq 'l''ÎLE du petit prince'`:                                            true, // letter case doesn't count
		`displayname eq 'x'`:                                                                 false,
		`displayName ne 'x'`:                                                                 true,
		`publisher eq null`:                                                                  true,
		`publisher ne null`:                                                                  false,
		`publisher ne 'x'`:                                                                   true,
		`publisher gt 'a' or publisher le 'z'`:                                               false, // null is neither
		`totalLicenseCount eq 30`:                                                            true,
		`totalLicenseCount gt 29 and totalLicenseCount lt 31`:                                true,
		`totalLicenseCount ge 30.5`:                                                          false,
		`totalLicenseCount le -1`:                                                            false,
		`totalLicenseCount in (1, 30)`:                                                       true,
		`displayName in ('a','b')`:                                                           false,
		`publisher in ('a', null)`:                                                           true,
		`featured eq true`:                                                                   true,
		`featured`:                                                                           true,
		`not featured`:                                                                       false,
		`not (featured and totalLicenseCount eq 1)`:                                          true,
		`featured eq false or featured`:                                                      true,
		`publishedDateTime lt 1950-01-01T00:00:00Z`:                                          true,
		`publishedDateTime gt 1943-04-06T01:00:00+02:00`:                                     true, // 23:00 the day before, in UTC
		`publishedDateTime eq 1943-04-06`:                                                    true,
		`publishedDateTime ge '1943-04-07T00:00:00Z'`:                                        false,
		`vppTokenId eq 9f0b1c2d-3e4f-4a5b-8c6d-7e8f90a1b2c3`:                                 true,
		`vppTokenId eq '9F0B1C2D-3E4F-4A5B-8C6D-7E8F90A1B2C3'`:                               true,
		`id eq 9f0b1c2d-3e4f-4a5b-8c6d-7e8f90a1b2c3`:                                         false,
		`startswith(displayName,'l''')`:                                                      true,
		`startswith(displayName, 'x') eq false`:                                              true,
		`endsWith(displayName,'PRINCE') eq true`:                                             true,
		`contains(tolower(displayName),'petit')`:                                             true,
		`contains(publisher,'')`:                                                             false,
		`not contains(displayName,'x')`:                                                      true,
		`tolower(displayName) eq 'x'`:                                                        false,
		`microsoft.graph.iosVppEBook/appleId eq 'vpp@ecole.example'`:                         true,
		`isof('microsoft.graph.iosVppEBook')`:                                                true,
		`isof('#microsoft.graph.managedEBook')`:                                              true,
		`isof(microsoft.graph.iosVppEBook) and featured`:                                     true,
		`actor/userPrincipalName eq 'anna@school.example'`:                                   true,
		`appleId eq microsoft.graph.someEnum'vpp@ecole.example'`:                             true,
		`displayName eq 'x' or displayName eq 'y' and featured`:                              false,
		`featured or displayName eq 'x' and displayName eq 'y'`:                              true, // and binds closer
		`(featured or displayName eq 'x') and displayName eq 'y'`:                            false,
		strings.Repeat("(", 31) + "featured" + strings.Repeat(")", 31):                       true,
		"featured" + strings.Repeat(" and featured", 500):                                    true,
		`totalLicenseCount   eq	30`:                                                          true,
		`NOT (displayName EQ 'x') AND featured`:                                              true,
		`publishedDateTime ne null and (publisher eq null or publisher eq 'x')`:              true,
		`startswith(displayName,'L') ne true`:                                                false,
		`vppTokenId ne null and startswith(vppTokenId,'9F0B')`:                               true,
		`displayName eq 'null'`:                                                              false,
		`microsoft.graph.managedEBook/displayName ne null`:                                   true,
		`contains(displayName,'île du')`:                                                     true,
		`id gt 'a' and id lt 'c' and id ge 'b1' and id le 'b1'`:                              true,
		`publishedDateTime gt 1943-04-05T23:59Z`:                                             true,
		`featured gt false`:                                                                  true,
		`publishedDateTime in (1943-04-06T00:00:00Z, 2000-01-01)`:                            true,
		`displayName eq 'x' or (displayName ne 'x' and not (totalLicenseCount in (1,2, 3)))`: true,
	} {
		f, err := graph.ParseFilter(text, bookSchema())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f.Match(petitPrince()); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestCastMakesOtherTypesNull(t *testing.T) {
	f, err := graph.ParseFilter(`microsoft.graph.iosVppEBook/appleId eq null`, bookSchema())
	if err != nil {
		t.Fatal(err)
	}
	other := petitPrince()
	other["@odata.type"] = "#microsoft.graph.somethingElse"
	if f.Match(petitPrince()) || !f.Match(other) {
		t.Error("the property of another type's entity isn't null")
	}
}

// A value may come as Go has it or as JSON has it.
func TestFilterReadsGoValues(t *testing.T) {
	type state string
	f, err := graph.ParseFilter(
		`publishedDateTime eq 1943-04-06 and displayName eq 'valid' and totalLicenseCount eq 3 and publisher eq null`, bookSchema())
	if err != nil {
		t.Fatal(err)
	}
	e, err := graph.ToEntity(map[string]any{"totalLicenseCount": 3, "displayName": state("valid")})
	if err != nil {
		t.Fatal(err)
	}
	e["publishedDateTime"] = time.Date(1943, 4, 6, 0, 0, 0, 0, time.UTC)
	if !f.Match(e) {
		t.Errorf("%v doesn't match", e)
	}
	for _, three := range []any{int32(3), uint8(3), 3.0} {
		e["totalLicenseCount"], e["displayName"] = three, state("valid")
		if !f.Match(e) {
			t.Errorf("%T doesn't match", three)
		}
	}
}

func TestWrongFiltersAreRefusedWithARemedy(t *testing.T) {
	for text, says := range map[string][]string{
		``:                                    {"at its end", "A property is expected", "displayName"},
		`adamId eq 1`:                         {"character 1", "'adamId'", "There are actor/userPrincipalName, appleId, displayName"},
		`genres eq 'x'`:                       {"no such property to filter"},
		`displayName`:                         {"operator", "eq, ne"},
		`displayName has 'x'`:                 {"character 13", "'has'", "eq, ne, gt, ge, lt, le, in"},
		`displayName eq`:                      {"at its end", "A value is expected", "single quotes"},
		`displayName eq x`:                    {"single quotes"},
		`displayName eq 'x`:                   {"no closing quote"},
		`displayName eq 5`:                    {"displayName holds a string", "a number"},
		`totalLicenseCount eq '5'`:            {"totalLicenseCount holds a number", "a string"},
		`featured eq 1`:                       {"true or false"},
		`publishedDateTime gt 'yesterday'`:    {"a date-time"},
		`'x' eq displayName`:                  {"begins with a property"},
		`displayName eq 'x' displayName`:      {"character 20", "'and' or 'or'"},
		`(displayName eq 'x'`:                 {"at its end", "')'"},
		`displayName eq 'x')`:                 {"'and' or 'or'"},
		`displayName in 'x'`:                  {"'('"},
		`displayName in ()`:                   {"A value is expected"},
		`startswith(displayName)`:             {"','"},
		`startswith(displayName,5)`:           {"string in single quotes"},
		`startswith(totalLicenseCount,'5')`:   {"takes a string property"},
		`startswith(displayName,'x') eq 'y'`:  {"true or false"},
		`length(displayName) gt 5`:            {"not supported", "startswith"},
		`isof('microsoft.graph.vppToken')`:    {"microsoft.graph.managedEBook, microsoft.graph.iosVppEBook"},
		`isof(displayName,'x')`:               {"type"},
		`microsoft.graph.vppToken/state eq 1`: {"no such property"},
		`genres/any(g:g eq 'x')`:              {"not supported"},
		`not`:                                 {"at its end"},
		`featured and`:                        {"at its end"},
		strings.Repeat("(", 40) + "featured" + strings.Repeat(")", 40): {"deeper than 32"},
		strings.Repeat("not ", 40) + "featured":                        {"deeper than 32"},
		strings.Repeat("featured and ", 1000) + "featured":             {"longer than 8192"},
	} {
		_, err := graph.ParseFilter(text, bookSchema())
		refused(t, err, problem.Invalid, append(says, "$filter")...)
	}
}

func FuzzFilterNeverPanics(f *testing.F) {
	for _, seed := range []string{
		`microsoft.graph.iosVppEBook/appleId eq 'a''b' and not (totalLicenseCount in (1,2) or isof('x'))`,
		`startswith(tolower(displayName),'x') eq true`, `publishedDateTime gt 2026-01-01T00:00:00+02:00`, `'`, `((`, "\xff'\x00", `a'b'c`,
	} {
		f.Add(seed)
	}
	schema, book := bookSchema(), petitPrince()
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := graph.ParseFilter(text, schema)
		if err != nil {
			if problem.KindOf(err) != problem.Invalid {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		got := filter.Match(book)
		if negated, err := graph.ParseFilter("not ("+text+")", schema); err == nil && negated.Match(book) == got {
			t.Errorf("%q and its negation are both %v", text, got)
		}
	})
}
