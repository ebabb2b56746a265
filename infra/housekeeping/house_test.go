package housekeeping

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// decides says that a package is domain, the client for Apple, or an HTTP function: one run of it must be a function of
// its inputs (design section 8). Clock and chance are forbidigo's and depguard's; see .golangci.yml.
func decides(dir string) bool {
	top, rest, _ := strings.Cut(dir, "/")
	switch top {
	case "functions":
		return !strings.Contains(rest, "/")
	case "shared":
		return floors[dir] > 0 || dir == "shared/apple"
	}
	return false
}

func TestCodeThatDecidesTakesConcurrencyFromTheWorld(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range productFiles(t) {
		if !decides(f.dir()) {
			continue
		}
		seen[f.dir()] = true
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if what := concurrency(n); what != "" {
				t.Errorf("%s: %s; run tasks with shared/world's Runner", f.place(n), what)
			}
			return true
		})
	}
	for dir, floor := range floors {
		if floor > 0 && !seen[dir] {
			t.Errorf("%s isn't there, but floors_test.go has a floor for it", dir)
		}
	}
}

// concurrency says what a node does with goroutines or channels; empty for any other node.
func concurrency(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "a go statement"
	case *ast.SelectStmt:
		return "a select statement"
	case *ast.ChanType:
		return "a channel"
	case *ast.SendStmt:
		return "a send"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "a receive"
		}
	}
	return ""
}

// A file of more than mostLines lines holds more than one idea. From manyLines on, think about it (go test -v lists those).
const (
	manyLines = 300
	mostLines = 400
)

func TestFilesAreShort(t *testing.T) {
	for _, f := range productFiles(t) {
		switch n := f.lines(); {
		case n > mostLines:
			t.Errorf("%s has %d lines; %d are the most", f.path, n, mostLines)
		case n > manyLines:
			t.Logf("%s has %d lines", f.path, n)
		}
	}
}

func TestPackagesAreNamedForAnIdea(t *testing.T) {
	empty := []string{"util", "utils", "common", "helper", "helpers", "manager", "managers", "misc", "base", "shared"}
	for _, f := range goFiles(t) {
		name := strings.TrimSuffix(f.syntax.Name.Name, "_test")
		if slices.Contains(empty, name) || slices.Contains(empty, path.Base(f.dir())) {
			t.Errorf("%s: a package named %q may hold anything", f.path, name)
		}
	}
}

// The comment is in doc.go; a command's may be in main.go.
func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	said := map[string]string{}
	for _, f := range productFiles(t) {
		if _, known := said[f.dir()]; !known {
			said[f.dir()] = ""
		}
		if f.syntax.Doc == nil {
			continue
		}
		base := path.Base(f.path)
		if base != "doc.go" && (f.syntax.Name.Name != "main" || base != "main.go") {
			t.Errorf("%s: the package's comment belongs into doc.go", f.path)
		}
		want := "Package " + f.syntax.Name.Name + " "
		if f.syntax.Name.Name == "main" {
			want = "Command " + path.Base(f.dir()) + " "
		}
		if !strings.HasPrefix(f.syntax.Doc.Text(), want) {
			t.Errorf("%s: the package's comment should begin with %q", f.path, want)
		}
		said[f.dir()] = base
	}
	for dir, where := range said {
		if where == "" {
			t.Errorf("%s doesn't say what it is for", dir)
		}
	}
}

// The words are put together here, so that this file doesn't have them.
func TestNothingIsLeftForLater(t *testing.T) {
	later := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b|\bt\.Sk` + `ip`)
	for _, f := range goFiles(t) {
		if found := later.FindIndex(f.text); found != nil {
			t.Errorf("%s: %q", f.path, line(f.text, found[0]))
		}
	}
}

// In a bubble of testing/synctest, time is virtual too.
func TestTestsDoNotSleep(t *testing.T) {
	for _, f := range goFiles(t) {
		if !f.test || slices.Contains(f.imports(t), "testing/synctest") {
			continue
		}
		if found := strings.Index(string(f.text), "time.Sl"+"eep("); found >= 0 {
			t.Errorf("%s: %q; use world.NewVirtual", f.path, line(f.text, found))
		}
	}
}

func TestTextKeepsTheHousesSpelling(t *testing.T) {
	british := regexp.MustCompile(`(?i)licen` + `ce`)
	machine := regexp.MustCompile(`(^|[^\w.])/(work|root|home|farm|Users/[a-z]+/)/`)
	for _, name := range files(t) {
		switch path.Ext(name) {
		case ".go", ".yaml", ".yml", ".json", ".toml", ".md", "":
		default:
			continue
		}
		text := read(t, name)
		if found := british.FindIndex(text); found != nil {
			t.Errorf("%s: %q; it is spelled license", name, line(text, found[0]))
		}
		if found := machine.FindIndex(text); found != nil {
			t.Errorf("%s: %q; that path is on one machine only", name, line(text, found[0]))
		}
	}
}

// line is the line of text in which the byte at offset stands.
func line(text []byte, offset int) string {
	begin := strings.LastIndexByte(string(text[:offset]), '\n') + 1
	rest, _, _ := strings.Cut(string(text[begin:]), "\n")
	return strings.TrimSpace(rest)
}
