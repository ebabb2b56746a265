package housekeeping

import (
	"bytes"
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

// The race detector has next to nothing to find where everything happens in one goroutine, and makes it ten times as slow.
// So the Makefile leaves such packages out; nobody may begin to do two things at once there. Tests that run beside one
// another share nothing.
func TestPackagesWithoutTheRaceDetectorRunOneGoroutine(t *testing.T) {
	found := regexp.MustCompile(`(?m)^ONE_GOROUTINE \?= (.+)$`).FindSubmatch(read(t, "Makefile"))
	if found == nil {
		t.Fatal("the Makefile doesn't say which packages run one goroutine")
	}
	left := map[string]bool{} // of the packages named, whether a file was seen
	for _, dir := range strings.Split(string(found[1]), "|") {
		left[dir] = false
	}
	for _, f := range goFiles(t) {
		if _, named := left[f.dir()]; !named {
			continue
		}
		left[f.dir()] = true
		for _, other := range []string{"world.Real(", "httptest.NewServer", "httptest.NewUnstarted", `"sync"`} {
			if f.dir() != "infra/housekeeping" && bytes.Contains(f.text, []byte(other)) {
				t.Errorf("%s has %s: have the race detector look at its package", f.path, other)
			}
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if what := concurrency(n); what != "" {
				t.Errorf("%s: %s: have the race detector look at its package", f.place(n), what)
			}
			return true
		})
	}
	for dir, seen := range left {
		if !seen {
			t.Errorf("the Makefile leaves out %s, which isn't there", dir)
		}
	}
}
