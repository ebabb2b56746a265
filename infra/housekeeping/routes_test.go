package housekeeping

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/functions/assignments"
	"github.com/bookplate/bookplate/functions/books"
	"github.com/bookplate/bookplate/functions/directory"
	"github.com/bookplate/bookplate/functions/front"
	"github.com/bookplate/bookplate/functions/tokens"
	"github.com/bookplate/bookplate/infra"
)

// served are the mux patterns of the functions that answer HTTP, by the name of their folder.
func served() map[string][]string {
	return map[string][]string{
		"assignments": assignments.Routes(),
		"books":       books.Routes(),
		"directory":   directory.Patterns(),
		"front":       front.Routes(),
		"tokens":      tokens.Routes(),
	}
}

func TestTheGatewayRoutesWhatTheFunctionsServe(t *testing.T) {
	patterns := served()
	for name, f := range loadTemplate(t).Functions {
		want := patterns[name]
		if name == "front" {
			want = nil // it has the gateway's default route, which is whatever no other function has
		}
		compare(t, "template.yaml, "+name, f.Routes(), "its code", byWildcard(t, want))
		if f.HasDefaultRoute() != (name == "front") {
			t.Errorf("template.yaml: front, and no other function, has the default route; %s is wrong", name)
		}
	}
}

// byWildcard leaves out the patterns that the gateway brings by another one's wildcard, which must be the same function's:
// nothing says that its route keys may have a dollar sign.
func byWildcard(t *testing.T, patterns []string) []string {
	t.Helper()
	var routes []string
	for _, p := range patterns {
		parent, isCount := strings.CutSuffix(p, "/$count")
		if !isCount {
			routes = append(routes, p)
			continue
		}
		if !slices.ContainsFunc(patterns, func(other string) bool {
			rest, under := strings.CutPrefix(other, parent+"/{")
			return under && strings.HasSuffix(rest, "}") && !strings.Contains(rest, "/")
		}) {
			t.Errorf("no wildcard of the function's leads to %s", p)
		}
	}
	return routes
}

func TestTheDescriptionHasWhatTheFunctionsServe(t *testing.T) {
	var all []string
	for _, patterns := range served() {
		all = append(all, patterns...)
	}
	compare(t, "infra/openapi.yaml", loadDescription(t).routes(), "the code", all)
}

// front spells paths by them, and says which methods they answer.
func TestThePathsReadOffTheDescriptionAreThoseOfAVersion(t *testing.T) {
	var got, want []string
	for path, methods := range infra.Paths() {
		for _, method := range methods {
			got = append(got, method+" "+path)
		}
	}
	for path, item := range loadDescription(t).Paths {
		for method := range item.operations() {
			if item.Servers == nil {
				want = append(want, method+" "+path)
			}
		}
	}
	compare(t, "what is read off its lines", got, "infra/openapi.yaml", want)
}

// Two functions that served the same path would answer differently on AWS and in the one program.
func TestNoTwoFunctionsServeTheSame(t *testing.T) {
	first := map[string]string{}
	for name, patterns := range served() {
		for _, p := range patterns {
			if other, taken := first[p]; taken {
				t.Errorf("%s is served by %s and by %s", p, other, name)
			}
			first[p] = name
		}
	}
}

// A wildcard must have one name in a place: the gateway refuses routes that differ in that only.
func TestWildcardsHaveOneNameInAPlace(t *testing.T) {
	wildcard := regexp.MustCompile(`\{[^}]*\}`)
	names := map[string]string{}
	for _, patterns := range served() {
		for _, p := range patterns {
			_, path, _ := strings.Cut(p, " ")
			for _, at := range wildcard.FindAllStringIndex(path, -1) {
				place := wildcard.ReplaceAllString(path[:at[0]], "{}")
				name := path[at[0]:at[1]]
				if was, known := names[place]; known && was != name {
					t.Errorf("%s… is followed by %s and by %s", place, was, name)
				}
				names[place] = name
			}
		}
	}
}

// compare tells which entries are on one side only.
func compare(t *testing.T, oneName string, one []string, otherName string, other []string) {
	t.Helper()
	one, other = slices.Sorted(slices.Values(one)), slices.Sorted(slices.Values(other))
	for _, route := range one {
		if !slices.Contains(other, route) {
			t.Errorf("%s has %s, which %s lacks", oneName, route, otherName)
		}
	}
	for _, route := range other {
		if !slices.Contains(one, route) {
			t.Errorf("%s lacks %s, which %s has", oneName, route, otherName)
		}
	}
	if len(slices.Compact(slices.Clone(one))) != len(one) {
		t.Errorf("%s has a route twice", oneName)
	}
}
