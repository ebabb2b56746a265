package housekeeping

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	quoted = regexp.MustCompile("`([^`]+)`")
	placed = regexp.MustCompile(`^([a-z0-9/_]+\.go): (?:\w+\.)?(\w+)$`)
)

// The tables of laws in docs/architecture.md name where each is enforced and quote the line. An ellipsis stands for the
// rest of it; "the same" for the quotation above.
func TestTheLawsAreEnforcedWhereTheyAreSaidToBe(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.ReplaceAll(line, `\|`, "\x00"), " | ")
		if len(cells) != 4 {
			continue
		}
		var files, names []string
		for _, q := range quoted.FindAllStringSubmatch(cells[0], -1) {
			if at := placed.FindStringSubmatch(q[1]); at != nil {
				files, names = append(files, at[1]), append(names, at[2])
			}
		}
		if len(files) == 0 {
			continue
		}
		rows++
		source := ""
		for i, file := range files {
			text, err := os.ReadFile(filepath.Join("..", "..", file))
			if err != nil {
				t.Errorf("%s: %v", cells[0], err)
			}
			if !strings.Contains(string(text), names[i]) {
				t.Errorf("%s says nothing of %s", file, names[i])
			}
			source += string(text)
		}
		line := quoted.FindStringSubmatch(strings.ReplaceAll(cells[1], "\x00", "|"))
		if line == nil {
			continue // said in words
		}
		for part := range strings.SplitSeq(line[1], "…") {
			if part = strings.TrimSpace(part); part != "" && !strings.Contains(source, part) {
				t.Errorf("%s: there is no %q", cells[0], part)
			}
		}
	}
	if rows < 40 {
		t.Errorf("%d rows of laws were found", rows)
	}
}
