package housekeeping

import (
	"fmt"
	"path"
	"strings"
	"testing"
)

// floors is design section 2: a package imports only packages on floors below its own, never a neighbor. What stands in
// a folder of a floor's package (an engine, a contract suite, a fake) imports that package and the ground, no more.
var floors = map[string]int{
	"shared/location": 6,
	"shared/grant":    5, "shared/entity": 5, "shared/standing": 5,
	"shared/assign": 4, "shared/syncrun": 4,
	"shared/reader": 3,
	"shared/token":  2, "shared/book": 2, "shared/license": 2, "shared/directory": 2,
	"shared/mark": 1, "shared/act": 1, "shared/door": 1,
	"shared/apple": 0, "shared/table": 0, "shared/vault": 0, "shared/queue": 0, "shared/graph": 0, "shared/auth": 0,
	"shared/world": ground, "shared/problem": ground,
}

// ground is what every floor stands on.
const ground = -1

// exceptions are the arrows that break the rule on purpose, and why.
var exceptions = map[string]string{
	"shared/apple → shared/vault": "a location is opened with a vault.Secret, the one type that prints as nothing (law 8)",
}

// handlers also import these packages, and why.
var handlersMay = map[string]string{
	"functions/front → infra": "it serves the API's description",
}

func TestArrowsRunOneWay(t *testing.T) {
	used := map[string]bool{}
	for _, f := range productFiles(t) {
		from := f.dir()
		for _, to := range f.imports(t) {
			if !ours(to) {
				continue
			}
			arrow := from + " → " + to
			used[arrow] = true
			if exceptions[arrow] != "" || handlersMay[arrow] != "" {
				continue
			}
			if wrong := wrongArrow(from, to); wrong != "" {
				t.Errorf("%s imports %s: %s", f.path, to, wrong)
			}
		}
	}
	for arrow := range exceptions {
		if !used[arrow] {
			t.Errorf("nothing needs the exception %s any more: remove it", arrow)
		}
	}
}

// ours says that an import path is of this tree.
func ours(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return first == "shared" || first == "functions" || first == "infra"
}

// wrongArrow says what is wrong when package from imports package to; empty when nothing is.
func wrongArrow(from, to string) string {
	top, _, _ := strings.Cut(from, "/")
	switch top {
	case "shared":
		return wrongFloor(from, to)
	case "functions":
		return wrongFunction(from, to)
	}
	return "" // infra wires whatever it likes
}

func wrongFloor(from, to string) string {
	mine, isFloor := floors[from]
	if !isFloor {
		port := path.Dir(from)
		if _, known := floors[port]; !known {
			return fmt.Sprintf("%s has no floor: give it one in floors_test.go", from)
		}
		if to != port && floors[to] != ground {
			return fmt.Sprintf("an engine, suite or fake imports its port (%s) and the ground only", port)
		}
		return ""
	}
	theirs, isFloor := floors[to]
	switch {
	case !isFloor:
		return "a floor imports floors only: no engine, fake, function or infrastructure"
	case theirs == mine:
		return fmt.Sprintf("both are on floor %d, and neighbors don't know each other", mine)
	case theirs > mine:
		return fmt.Sprintf("floor %d stands above floor %d", theirs, mine)
	}
	return ""
}

func wrongFunction(from, to string) string {
	if path.Base(from) == "bootstrap" {
		switch to {
		case path.Dir(from), "infra", "infra/setting", "infra/lambda", "infra/cloud":
			return ""
		}
		if strings.HasPrefix(to, "shared/") {
			return ""
		}
		return "a bootstrap wires its own function, shared packages, and what runs them on AWS"
	}
	if _, isFloor := floors[to]; !isFloor {
		return "a function imports floors only: engines are its bootstrap's, and functions don't know each other"
	}
	return ""
}

// The one-program stack must not link anything of AWS, at whatever depth; and as it holds the whole domain, neither does
// the domain.
func TestTheOneProgramStackLinksNothingOfAWS(t *testing.T) {
	imports := map[string][]string{}
	for _, f := range productFiles(t) {
		imports[f.dir()] = append(imports[f.dir()], f.imports(t)...)
	}
	const start = "infra/local"
	if len(imports[start]) == 0 {
		t.Fatalf("%s isn't there", start)
	}
	via := map[string]string{start: ""}
	for next := []string{start}; len(next) > 0; next = next[1:] {
		for _, to := range imports[next[0]] {
			if strings.HasPrefix(to, "github.com/aws/") || strings.HasPrefix(to, "github.com/akrylysov/") {
				t.Errorf("%s imports %s, and is linked into %s through %q", next[0], to, start, via[next[0]])
			}
			if _, seen := via[to]; !seen && ours(to) {
				via[to] = next[0]
				next = append(next, to)
			}
		}
	}
}
