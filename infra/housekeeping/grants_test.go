package housekeeping

import (
	"go/ast"
	"go/token"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/infra/setting"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/license"
)

// grantsPage explains states and reasons to operators, in the product's own words.
const grantsPage = "docs/grants.md"

// tableUnder are the rows of the first table under a heading of a page, by what stands in backticks in their first cell.
func tableUnder(t *testing.T, page, heading string) map[string][]string {
	t.Helper()
	_, rest, found := strings.Cut(string(read(t, page)), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("%s has no heading %q", page, heading)
	}
	section, _, _ := strings.Cut(rest, "\n## ")
	rows := make(map[string][]string)
	began := false
	for line := range strings.SplitSeq(section, "\n") {
		if !strings.HasPrefix(line, "|") {
			if began {
				break
			}
			continue
		}
		began = true
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		if name := strings.Trim(cells[0], "`"); name != cells[0] {
			rows[name] = cells
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no table under %q", page, heading)
	}
	return rows
}

// constants are the values of the string constants of a type that a package declares, as the package spells the type.
func constants(t *testing.T, dir, typeName string) []string {
	t.Helper()
	var values []string
	for _, f := range productFiles(t) {
		if f.dir() != dir {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || spec.Type == nil || spelled(spec.Type) != typeName {
				return true
			}
			for _, value := range spec.Values {
				if lit, ok := value.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatalf("%s: %v", f.place(lit), err)
					}
					values = append(values, text)
				}
			}
			return true
		})
	}
	return values
}

func spelled(of ast.Expr) string {
	switch of := of.(type) {
	case *ast.Ident:
		return of.Name
	case *ast.SelectorExpr:
		return spelled(of.X) + "." + of.Sel.Name
	}
	return ""
}

// allReasons are the reasons of the code; a few are license's own, because it sets them.
func allReasons(t *testing.T) []string {
	return append(constants(t, "shared/assign", "license.Reason"), constants(t, "shared/license", "Reason")...)
}

func TestTheGrantsPageHasEveryStateAndReasonOfTheCode(t *testing.T) {
	for heading, want := range map[string][]string{
		"States of a pair":                  constants(t, "shared/license", "State"),
		"States of a batch":                 constants(t, "shared/license", "BatchState"),
		"Why somebody waits, or is refused": allReasons(t),
		"A location has stopped":            constants(t, "shared/token", "State"),
	} {
		rows := tableUnder(t, grantsPage, heading)
		compare(t, grantsPage+", "+heading, slices.Collect(maps.Keys(rows)), "the code", want)
	}
}

// A row that has other words than the product is printed as it must be.
func TestTheGrantsPageHasTheProductsWords(t *testing.T) {
	check := func(name string, cells []string, says assign.Explanation) {
		t.Helper()
		if len(cells) < 3 || cells[1] != says.Text || cells[2] != says.Next {
			t.Errorf("%s: the row of %s must begin:\n| `%s` | %s | %s |", grantsPage, name, name, says.Text, says.Next)
		}
	}
	for name, cells := range tableUnder(t, grantsPage, "Why somebody waits, or is refused") {
		check(name, cells, assign.Explain(license.Reason(name)))
	}
	for name, cells := range tableUnder(t, grantsPage, "States of a pair") {
		if says := assign.Standing(license.License{State: license.State(name)}); says != (assign.Explanation{}) {
			check(name, cells, says)
		}
	}
}

// Every command of the page that calls the API.
var command = regexp.MustCompile(`(?m)^ *api (.*)"\$API([^"?]*)(?:\?([^"]*))?"`)

func TestTheGrantsPagesCommandsCallWhatIsServed(t *testing.T) {
	mux := http.NewServeMux()
	for name, patterns := range served() {
		if name == "front" {
			continue // answers whatever nobody else serves
		}
		for _, p := range patterns {
			mux.Handle(p, http.NotFoundHandler())
		}
	}
	asks := parametersOf(loadDescription(t))
	found := command.FindAllStringSubmatch(string(read(t, grantsPage)), -1)
	if all := len(regexp.MustCompile(`(?m)^ *api `).FindAllIndex(read(t, grantsPage), -1)); all == 0 || len(found) != all {
		t.Fatalf("%s has %d commands, of which %d can be read", grantsPage, all, len(found))
	}
	for _, c := range found {
		options, path, query := c[1], "/v1.0"+strings.ReplaceAll(c[2], "$", ""), strings.ReplaceAll(c[3], `\$`, "$")
		method := http.MethodGet
		if strings.Contains(options, "-X POST") || strings.Contains(options, "-d ") {
			method = http.MethodPost
		}
		_, pattern := mux.Handler(httptest.NewRequest(method, path, nil))
		if pattern == "" {
			t.Errorf("%s: nobody serves %s %s", grantsPage, method, path)
			continue
		}
		for pair := range strings.SplitSeq(query, "&") {
			name, _, _ := strings.Cut(pair, "=")
			if known := asks[strings.Replace(pattern, "/v1.0", "", 1)]; name != "" && !slices.Contains(known, name) {
				t.Errorf("%s: %s has the parameters %v, and not %s", grantsPage, pattern, known, name)
			}
		}
	}
}

// parametersOf are the query parameters of each operation, by its mux pattern without the version.
func parametersOf(d description) map[string][]string {
	names := make(map[string][]string)
	for path, item := range d.Paths {
		for method, o := range item.operations() {
			for _, p := range slices.Concat(item.Parameters, o.Parameters) {
				name := p.Name
				if p.Ref != "" {
					name = d.Components.Parameters[p.Ref[strings.LastIndexByte(p.Ref, '/')+1:]].Name
				}
				names[method+" "+path] = append(names[method+" "+path], name)
			}
		}
	}
	return names
}

func TestTheGrantsPageHasTheSettingsDefaults(t *testing.T) {
	rows := tableUnder(t, grantsPage, "The settings")
	for _, one := range []setting.Name{
		setting.Hold, setting.ApprovalAbove, setting.SelfApproval, setting.FederatedDomains, setting.ResendAfter, setting.PollAfter,
	} {
		flag := "-" + strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(string(one), "BOOKPLATE_")), "_", "-")
		i := slices.IndexFunc(setting.All(), func(s setting.Setting) bool { return s.Name == one })
		s := setting.All()[i]
		cells := rows[flag]
		if len(cells) < 3 || cells[2] != s.Default || (cells[1] == "") != s.Test {
			t.Errorf("%s: the row of %s is %q; its default is %q, and AWS has it: %v", grantsPage, flag, cells, s.Default, !s.Test)
		}
	}
}
