// Command simulate acts many seeds of the simulation (design section 8) and reports what happened in them.
//
//	go run ./infra/simulate -seeds 1-1000
//
// It ends with status 1 when a law was broken in a seed, or when so little happened that it proves nothing. A failing seed
// prints its story; the same seed always has the same.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/bookplate/bookplate/infra/simulate/play"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

type options struct {
	from, to uint64
	steps    int
	lanes    int
	trace    bool
	first    bool
	rare     bool
	stories  string
}

func run(args []string, out, problems io.Writer) int {
	o, err := parse(args, problems)
	if err != nil {
		fmt.Fprintln(problems, "simulate:", err)
		return 2
	}
	var seeds []uint64
	if o.stories != "" {
		if seeds, err = readStories(o.stories); err != nil {
			fmt.Fprintln(problems, "simulate:", err)
			return 2
		}
	}
	for n := o.from; n <= o.to && n > 0; n++ {
		seeds = append(seeds, n)
	}
	r := &report{out: out}
	// A play keeps little and drops much: a collector that waits longer costs less of the processor's time.
	debug.SetGCPercent(800)
	act(o, seeds, r)
	r.print()
	r.cpu(processor())
	if r.broken > 0 || !o.first && !o.rare && len(seeds) >= 100 && r.missing() > 0 {
		return 1
	}
	return 0
}

func parse(args []string, problems io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	flags.SetOutput(problems)
	seeds := flags.String("seeds", "1-100", "which seeds: `from-to`, or one")
	flags.IntVar(&o.steps, "steps", 200, "how many steps a seed has")
	flags.IntVar(&o.lanes, "lanes", runtime.GOMAXPROCS(0), "how many seeds are acted at once")
	flags.BoolVar(&o.trace, "trace", false, "print every line of the trace")
	flags.BoolVar(&o.first, "first", false, "end with the first seed that breaks a law, and print it on one line")
	flags.BoolVar(&o.rare, "rare", false, "don't fail when something happens in too few seeds")
	flags.StringVar(&o.stories, "stories", "", "also act the seeds that the `file` keeps")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	from, to, both := strings.Cut(*seeds, "-")
	if !both {
		to = from
	}
	if *seeds == "" {
		return o, nil
	}
	if o.from, err = strconv.ParseUint(from, 10, 64); err != nil {
		return o, fmt.Errorf("the seeds %q aren't numbers", *seeds)
	}
	if o.to, err = strconv.ParseUint(to, 10, 64); err != nil || o.from == 0 || o.to < o.from {
		return o, fmt.Errorf("the seeds %q aren't a range from 1 on", *seeds)
	}
	return o, nil
}

// act acts the seeds, several at once: each for itself depends on nothing but its number.
func act(o options, seeds []uint64, r *report) {
	results := make([]chan play.Result, len(seeds))
	for i := range results {
		results[i] = make(chan play.Result, 1)
	}
	var next int
	var mu sync.Mutex
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next <= len(seeds) && (!o.first || !r.isBroken())
	}
	for range max(o.lanes, 1) {
		go func() {
			for i, ok := take(); ok; i, ok = take() {
				results[i] <- play.Run(play.Options{Seed: seeds[i], Steps: o.steps, Trace: o.trace})
			}
		}()
	}
	for i := range seeds {
		result := <-results[i]
		if o.trace {
			fmt.Fprintln(r.out, strings.Join(result.Trace, "\n"))
		}
		r.add(result, o.first)
		if o.first && r.isBroken() {
			return
		}
	}
}

// readStories reads the seeds that ever failed: a number a line, then what happened.
func readStories(name string) (seeds []uint64, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		text, _, _ := strings.Cut(lines.Text(), "\t")
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		seeds = append(seeds, seed)
	}
	return seeds, lines.Err()
}

// processor is the seconds of processor time used so far.
func processor() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}
