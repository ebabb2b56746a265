package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/infra/local/stack"
)

// used makes a data directory as the program leaves it: the demo's, unless there are other arguments.
func used(t *testing.T, args ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	s, err := parse(append(args, "-data", dir, "-listen", "127.0.0.1:0"), variables(nil), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	st, err := stack.Open(s.Options)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestResetRemovesWhatIsKept(t *testing.T) {
	dir := used(t)
	if kept := names(t, dir); kept != "access.json apple.txt key.pem table.db vault" {
		t.Fatalf("kept is %s", kept)
	}
	if err := reset(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("left is %s", names(t, dir))
	}
}

func TestResetLeavesWhatIsNotOurs(t *testing.T) {
	dir := used(t)
	write(t, filepath.Join(dir, "thesis.txt"), "somebody's only copy")
	if err := reset(dir); err != nil {
		t.Error(err)
	}
	if left := names(t, dir); left != "thesis.txt" {
		t.Errorf("left is %s", left)
	}
	if err := reset(dir); err != nil || names(t, dir) != "thesis.txt" {
		t.Errorf("a directory that isn't ours: %v, left is %s", err, names(t, dir))
	}
	if err := reset(filepath.Join(dir, "nothing")); err != nil {
		t.Errorf("no directory: %v", err)
	}
}

func TestResetRefusesATableThatIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, stack.TableFile), strings.Repeat("somebody else's table\n", 1000))
	if err := reset(dir); err == nil || names(t, dir) != stack.TableFile {
		t.Errorf("%v, left is %s", err, names(t, dir))
	}
}
