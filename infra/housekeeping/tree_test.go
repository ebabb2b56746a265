package housekeeping

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the import path of the tree's root.
const module = "github.com/bookplate/bookplate/"

// goFile is one Go file of the tree.
type goFile struct {
	path   string // from the root, with slashes
	test   bool
	text   []byte
	syntax *ast.File
	at     *token.FileSet
}

// dir is the file's package, as a path from the root.
func (f goFile) dir() string { return path.Dir(f.path) }

func (f goFile) lines() int { return bytes.Count(f.text, []byte("\n")) }

// imports are the import paths of the file; what it imports from this tree is a path from the root.
func (f goFile) imports(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, spec := range f.syntax.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatalf("%s: %v", f.path, err)
		}
		paths = append(paths, strings.TrimPrefix(p, module))
	}
	return paths
}

// place is where a node stands, for people.
func (f goFile) place(n ast.Node) string {
	return f.path + ":" + strconv.Itoa(f.at.Position(n.Pos()).Line)
}

// files are the paths of the tree's files, from its root, without what git and builds keep there.
func files(t *testing.T) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir("../..", func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch entry.Name() {
		case ".git", ".cache", ".bookplate", "bookplate-data", ".aws-sam":
			if entry.IsDir() {
				return fs.SkipDir
			}
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		rel, err := filepath.Rel("../..", at)
		paths = append(paths, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// read is the content of a file of the tree.
func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// goFiles are the tree's Go files.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	var found []goFile
	set := token.NewFileSet()
	for _, name := range files(t) {
		if path.Ext(name) != ".go" {
			continue
		}
		f := goFile{path: name, test: strings.HasSuffix(name, "_test.go"), text: read(t, name), at: set}
		var err error
		if f.syntax, err = parser.ParseFile(set, name, f.text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			t.Fatal(err)
		}
		found = append(found, f)
	}
	if len(found) < 100 {
		t.Fatalf("only %d Go files found: the tests look at the wrong place", len(found))
	}
	return found
}

// productFiles are the Go files that aren't tests.
func productFiles(t *testing.T) []goFile {
	t.Helper()
	return slices.DeleteFunc(goFiles(t), func(f goFile) bool { return f.test })
}
