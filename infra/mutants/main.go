// Command mutants proves that the simulation would notice: it breaks the product in one place, builds the simulation with
// that (go build -overlay; nothing in the tree is changed), and looks for a seed in which a law is broken.
//
//	go run ./infra/mutants
//
// A mutant is a file of this folder:
//
//	what is broken, in a line
//	file <path>
//	old
//	<lines that the file has exactly once>
//	new
//	<lines in their place>
//
// where file, old and new may come several times.
//
// It ends with status 1 when a mutant survives, doesn't fit, or doesn't build.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

const folder = "infra/mutants"

func run(args []string, out, problems io.Writer) int {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(problems)
	seeds := flags.String("seeds", "1-500", "the seeds among which each must be caught")
	only := flags.String("only", "*", "which mutants: a `pattern` of file names")
	lanes := flags.Int("lanes", runtime.GOMAXPROCS(0), "how many mutants are tried at once")
	if flags.Parse(args) != nil {
		return 2
	}
	files, err := filepath.Glob(filepath.Join(folder, *only+".mutant"))
	if err != nil || len(files) == 0 {
		fmt.Fprintln(problems, "mutants: there are none (run it at the top of the tree)", err)
		return 2
	}
	place, err := os.MkdirTemp("", "unbroken")
	if err != nil {
		fmt.Fprintln(problems, "mutants:", err)
		return 2
	}
	defer func() { _ = os.RemoveAll(place) }() // it is only what was built
	unbroken, err := build("", place, nil)
	if err != nil {
		fmt.Fprintln(problems, "mutants:", err)
		return 2
	}
	survivors := 0
	for i, result := range tryAll(files, *seeds, unbroken, *lanes) {
		r := <-result
		title := strings.TrimSuffix(filepath.Base(files[i]), ".mutant")
		switch {
		case r.err != nil:
			survivors++
			fmt.Fprintf(out, "%-28s DOESN'T WORK: %v\n", title, r.err)
		case r.caught == "":
			survivors++
			fmt.Fprintf(out, "%-28s SURVIVES\n", title)
		default:
			fmt.Fprintf(out, "%-28s %s\n", title, r.caught)
		}
	}
	fmt.Fprintf(out, "%d mutants, %d of them not caught\n", len(files), survivors)
	if survivors > 0 {
		return 1
	}
	return 0
}

type result struct {
	caught string
	err    error
}

// tryAll tries the mutants, so many at once: each has one processor, for its seeds are acted one after another.
func tryAll(files []string, seeds, unbroken string, lanes int) []chan result {
	results := make([]chan result, len(files))
	free := make(chan struct{}, max(lanes, 1))
	for i := range files {
		results[i] = make(chan result, 1)
	}
	go func() {
		for i, name := range files {
			free <- struct{}{}
			go func() {
				defer func() { <-free }()
				caught, err := try(name, seeds, unbroken)
				results[i] <- result{caught, err}
			}()
		}
	}()
	return results
}

// mutant is one way to break the product.
type mutant struct{ changes []change }

// change is one replacement.
type change struct{ file, before, after string }

// read reads a mutant's file.
func read(name string) (m mutant, err error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return m, err
	}
	for _, part := range strings.Split(string(raw), "\nfile ")[1:] {
		file, rest, hasOld := strings.Cut(part, "\nold\n")
		before, after, hasNew := strings.Cut(rest, "new\n")
		if !hasOld || !hasNew || before == "" {
			return m, fmt.Errorf("%s isn't a mutant: old or new is missing", name)
		}
		m.changes = append(m.changes, change{file, before, after})
	}
	if len(m.changes) == 0 {
		return m, fmt.Errorf("%s isn't a mutant: it names no file", name)
	}
	return m, nil
}

// applied are the files with the mutation, by path. Each change must fit in exactly one place. The top is the tree's.
func (m mutant) applied(top string) (map[string]string, error) {
	files := map[string]string{}
	for _, c := range m.changes {
		if _, known := files[c.file]; !known {
			source, err := os.ReadFile(filepath.Join(top, c.file))
			if err != nil {
				return nil, err
			}
			files[c.file] = string(source)
		}
		if n := strings.Count(files[c.file], c.before); n != 1 {
			return nil, fmt.Errorf("%s has the lines %d times, not once:\n%s", c.file, n, c.before)
		}
		files[c.file] = strings.Replace(files[c.file], c.before, c.after, 1)
	}
	return files, nil
}

// try builds the simulation with a mutant and returns what caught it; empty: nothing did. A seed in which the unbroken product
// breaks a law too has caught nothing.
func try(name, seeds, unbroken string) (caught string, err error) {
	m, err := read(name)
	if err != nil {
		return "", err
	}
	top, err := os.Getwd()
	if err != nil {
		return "", err
	}
	files, err := m.applied(top)
	if err != nil {
		return "", err
	}
	place, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(place)) }()
	program, err := build(top, place, files)
	if err != nil {
		return "", err
	}
	if caught, err = act(program, seeds); err != nil || caught == "" {
		return "", err
	}
	seed, _, _ := strings.Cut(strings.TrimPrefix(caught, "seed "), ",")
	if without, err := act(unbroken, seed); err != nil || without != "" {
		return "", errors.Join(err, fmt.Errorf("seed %s breaks a law without it too; mend that first", seed))
	}
	return caught, nil
}

// act has a program act seeds, one after another, and returns the line about the first that breaks a law; empty: none does.
func act(program, seeds string) (first string, err error) {
	said, err := exec.CommandContext(context.Background(), program, "-seeds", seeds, "-first", "-lanes", "1").Output()
	if code := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &code) || code.ExitCode() != 1) {
		return "", fmt.Errorf("the simulation itself fails: %w", err)
	}
	if first, _, _ = strings.Cut(string(said), "\n"); !strings.HasPrefix(first, "seed ") {
		return "", nil
	}
	return first, nil
}

// build builds the simulation with some files replaced.
func build(top, place string, files map[string]string) (program string, err error) {
	replace := map[string]string{}
	for name, source := range files {
		with := filepath.Join(place, fmt.Sprintf("mutated%d.go", len(replace)))
		if err := os.WriteFile(with, []byte(source), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(top, name)] = with
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return "", err
	}
	list := filepath.Join(place, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	program = filepath.Join(place, "simulate")
	compile := exec.CommandContext(context.Background(), "go", "build", "-p", "1", "-ldflags=-s -w", "-overlay", list, "-o", program,
		"./infra/simulate")
	if said, err := compile.CombinedOutput(); err != nil {
		return "", fmt.Errorf("it doesn't build: %s", said)
	}
	return program, nil
}
