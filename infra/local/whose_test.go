package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/local/demo"
	"github.com/bookplate/bookplate/infra/local/stack"
)

const note = "apple.txt"

// unnoted makes the directory look as an earlier version has left it.
func unnoted(t *testing.T, dir string) string {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, note)); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return dir
}

// contents are the sums of all files of the directory (there are keys among them), of the table only that it is there: to
// open it counts a transaction.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		var data []byte
		if entry.Name() != stack.TableFile {
			data, err = os.ReadFile(path)
		}
		fmt.Fprintf(&all, "%x %s\n", sha256.Sum256(data), path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// end runs the program and returns what it ends with. It must end by itself.
func end(t *testing.T, args ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := run(ctx, append(args, "-listen", "127.0.0.1:0"), variables(nil), io.Discard, io.Discard)
	if ctx.Err() != nil {
		t.Errorf("%v: it has gone on running", args)
	}
	return err
}

func says(err error, words ...string) bool {
	for _, w := range words {
		if err == nil || !strings.Contains(err.Error(), w) {
			return false
		}
	}
	return true
}

// Made-up people among those of a school, or the reasons for licenses that exist in the demo's hands, are found by nobody
// until it is too late.
func TestADataDirectoryIsOpenedForItsOwnAppleOnly(t *testing.T) {
	const elsewhere = "https://apple.example.org/mdm/v2"
	real, fake := []string{"-apple", realApple}, []string{"-apple", loopbackFake}
	for name, c := range map[string]struct {
		dir  string
		args []string
		want []string
	}{
		"an installation's, as the demo's": {used(t, real...), nil, []string{realApple, "give -apple " + realApple, "-data"}},
		"the same with -demo":              {used(t, real...), []string{"-demo"}, []string{realApple, "-data"}},
		"an installation's, with another Apple": {
			used(t, real...), []string{"-apple", elsewhere}, []string{"give -apple " + realApple, "-data", "new URL", note},
		},
		"an installation's, with a fake":  {used(t, real...), fake, []string{"give -apple " + realApple, "-data"}},
		"a fake's, with the real Apple":   {used(t, fake...), real, []string{"Apple is on this machine", "-apple", "-data", "new URL", note}},
		"a fake's, as the demo's":         {used(t, fake...), nil, []string{"Apple is on this machine", "give -apple", "-data"}},
		"the demo's, with the real Apple": {used(t), real, []string{"the demo", "leave out -apple", "another directory with -data"}},
		"the demo's, with a fake":         {used(t), fake, []string{"the demo", "leave out -apple", "-data"}},
		"an earlier version's, as a demo's": {
			unnoted(t, used(t, real...)), nil, []string{"other than the demo", "give -apple", realApple, "-data"},
		},
	} {
		before := contents(t, c.dir)
		if err := end(t, append(c.args, "-data", c.dir)...); !says(err, append(c.want, c.dir, "nothing was changed")...) {
			t.Errorf("%s: it ended with %v", name, err)
		}
		if after := contents(t, c.dir); after != before {
			t.Errorf("%s: the directory was\n%s\nand is\n%s", name, before, after)
		}
	}
}

func TestResetSparesWhatIsNotTheDemos(t *testing.T) {
	for name, c := range map[string]struct {
		dir  string
		args []string
	}{
		"an installation's":                    {used(t, "-apple", realApple), nil},
		"an installation's, with its Apple":    {used(t, "-apple", realApple), []string{"-apple", realApple}},
		"a fake's":                             {used(t, "-apple", loopbackFake), nil},
		"an earlier version's":                 {unnoted(t, used(t, "-apple", realApple)), nil},
		"an earlier version's, with its Apple": {unnoted(t, used(t, "-apple", realApple)), []string{"-apple", realApple}},
	} {
		before := contents(t, c.dir)
		err := end(t, append(c.args, "-reset", "-data", c.dir)...)
		if !says(err, "-reset", c.dir, "nothing was removed", "the reasons for every license", "vault", "key.pem", "by hand") {
			t.Errorf("%s: it ended with %v", name, err)
		}
		if after := contents(t, c.dir); after != before {
			t.Errorf("%s: the directory was\n%s\nand is\n%s", name, before, after)
		}
	}
}

// Whoever has looked at the demo may begin in earnest in the same place.
func TestResetMakesRoomForARealInstallation(t *testing.T) {
	dir := used(t)
	write(t, filepath.Join(dir, demo.Journal), "{}\n")
	r := begin(t, "-reset", "-apple", loopbackFake, "-data", dir, "-listen", "127.0.0.1:0")
	if status, _, err := ask(t.Context(), http.MethodGet, r.url()+"/healthz", "", ""); err != nil || status != http.StatusOK {
		t.Errorf("health: %d, %v", status, err)
	}
	r.end()
	if left := names(t, dir); left != "access.json apple.txt bookplate.log key.pem table.db vault" {
		t.Errorf("left is %s", left)
	}
}
