package main

import (
	"path/filepath"
	"testing"
)

// A mutant that no longer fits breaks nothing, and so proves nothing.
func TestEveryMutantFitsInExactlyOnePlace(t *testing.T) {
	files, err := filepath.Glob("*.mutant")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d mutants, want 12 at least (%v)", len(files), err)
	}
	for _, name := range files {
		m, err := read(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := m.applied(filepath.Join("..", "..")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
