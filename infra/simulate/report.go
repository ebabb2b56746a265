package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/bookplate/bookplate/infra/simulate/play"
)

// report sums up what happened.
type report struct {
	out io.Writer

	mu       sync.Mutex
	seeds    int
	steps    int
	licenses int
	broken   int            // seeds in which a law was broken
	laws     map[string]int // and which
	counts   map[string]int
	in       map[string]int // in how many seeds it happened
}

// zeros are what must not happen.
var zeros = []string{
	"double spends", "oversold", "to the wrong person", "on a foreign location", "unexplained", "not converged", "sent blindly",
	"too early", "secrets shown", "books of Apple",
}

func (r *report) isBroken() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken > 0
}

func (r *report) add(result play.Result, short bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts, r.in, r.laws = map[string]int{}, map[string]int{}, map[string]int{}
	}
	r.seeds++
	r.steps += result.Steps
	r.licenses += result.Licenses
	for what, n := range result.Counts {
		r.counts[what] += n
		r.in[what]++
	}
	if len(result.Violations) == 0 {
		return
	}
	r.broken++
	for _, v := range result.Violations {
		r.laws[v.Law]++
	}
	if short {
		first := result.Violations[0]
		fmt.Fprintf(r.out, "seed %d, step %d: %s: %s\n", result.Seed, result.Steps, first.Law, first.What)
		return
	}
	fmt.Fprintf(r.out, "seed %d breaks a law in step %d:\n  %s\n\n", result.Seed, result.Steps,
		strings.Join(result.Story, "\n  "))
}

func (r *report) print() {
	fmt.Fprintf(r.out, "%d seeds, %d steps, %d licenses given\n", r.seeds, r.steps, r.licenses)
	for _, what := range slices.Sorted(maps.Keys(r.counts)) {
		fmt.Fprintf(r.out, "  %-60s %8d in %5d seeds\n", what, r.counts[what], r.in[what])
	}
	for _, law := range zeros {
		fmt.Fprintf(r.out, "%s: %d\n", law, r.laws[law])
	}
	for _, what := range play.Expected() {
		if 100*r.in[what] < r.seeds {
			fmt.Fprintf(r.out, "too rare to prove anything: %q happened in %d of %d seeds\n", what, r.in[what], r.seeds)
		}
	}
}

// missing is how many things happened in less than one seed of a hundred.
func (r *report) missing() (n int) {
	for _, what := range play.Expected() {
		if 100*r.in[what] < r.seeds {
			n++
		}
	}
	return n
}

func (r *report) cpu(seconds float64) {
	if r.seeds > 0 {
		fmt.Fprintf(r.out, "%.2f s of processor time a seed\n", seconds/float64(r.seeds))
	}
}
