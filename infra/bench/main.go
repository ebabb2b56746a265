// Command bench counts what the main job costs: giving so many titles to so many readers.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/bookplate/bookplate/infra/bench/measure"
	"github.com/bookplate/bookplate/shared/world"
)

const (
	domain    = "school.example"
	groupName = "Everybody who reads"
	pageSize  = 500 // rows a page of the fake's, as has been seen of Apple
)

func userName(i int) string { return fmt.Sprintf("reader%06d@%s", i, domain) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	titles := flags.Int("titles", 25, "titles")
	virtualReaders := flags.Int("virtual", 100000, "readers of the run in virtual time; 0: no such run")
	profile := flags.String("cpuprofile", "", "`file` to write a CPU profile to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Fprintf(out, "%d titles to %d readers, in virtual time\n", *titles, *virtualReaders)
	c, err := inVirtualTime(ctx, *titles, *virtualReaders, newProgress(out, world.Real().Clock))
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	fmt.Fprintln(out, measure.Requests(c.job, c.counts, c.rows))
	fmt.Fprintln(out, measure.Items(c.job, c.calls))
	fmt.Fprintln(out, c.took)
	return nil
}
