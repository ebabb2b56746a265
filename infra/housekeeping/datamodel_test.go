package housekeeping

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const modelPage = "docs/data-model.md"

// kind is the first part of a key, or of a part of one: what stands before its first #.
var kind = regexp.MustCompile("[\"`]([a-zA-Z]+)#")

// Nobody can find or restore what no page names, and a key whose heat nobody has thought about is where a table gets hot.
func TestTheDataModelHasEveryKindOfKeyAndNoOther(t *testing.T) {
	code := map[string]bool{}
	for _, f := range productFiles(t) {
		if floors[f.dir()] == 0 || strings.HasPrefix(f.dir(), "infra") {
			continue // ports and engines have no keys of their own
		}
		for _, found := range kind.FindAllSubmatch(f.text, -1) {
			code[string(found[1])] = true
		}
	}
	// Parts without a #, and what is put together from a variable.
	for name, where := range map[string]string{
		"installation": "shared/token/installation.go", "tokens": "shared/token/record.go",
		"digests": "shared/syncrun/run.go", "sums": "shared/syncrun/run.go",
	} {
		if !strings.Contains(string(read(t, where)), `"`+name+`"`) {
			t.Errorf("%s has no keys %q any more", where, name)
		}
		code[name] = true
	}
	page := map[string]bool{}
	text := strings.NewReplacer("`installation`", "`installation#`", "`tokens`", "`tokens#`").Replace(string(read(t, modelPage)))
	for _, found := range kind.FindAllStringSubmatch(text, -1) {
		page[found[1]] = true
	}
	compare(t, modelPage, slices.Collect(maps.Keys(page)), "the code", slices.Collect(maps.Keys(code)))
}

func TestTheDataModelSaysOfEveryKeyHowHotItGets(t *testing.T) {
	rows := 0
	for line := range strings.SplitSeq(string(read(t, modelPage)), "\n") {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		rows++
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			if strings.TrimSpace(cell) == "" {
				t.Errorf("%s has an empty cell: %s", modelPage, line)
			}
		}
	}
	if rows == 0 {
		t.Errorf("%s has no rows", modelPage)
	}
}
