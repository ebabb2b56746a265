// Command bench counts what the main job costs: giving so many titles to so many readers. It does it twice: with the
// product's program and Apple's fake as processes of their own, and with many more readers in virtual time. Each count stands
// beside the least that arithmetic allows. Counts are the same on every machine; times are only shown, and never judged.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/world"
)

const (
	domain    = "school.example"
	groupName = "Everybody who reads"
	pageSize  = 500 // rows a page of the fake's
	gcPercent = 50  // in virtual time the table is in memory, and that is most of what there is
)

func userName(i int) string { return fmt.Sprintf("reader%06d@%s", i, domain) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := play(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// play plays the role that the first argument names, or runs the benchmark.
func play(ctx context.Context, args []string, out, messages io.Writer) error {
	if len(args) > 0 {
		if r, ok := roles[args[0]]; ok {
			return r(ctx, args[1:], out)
		}
	}
	return run(ctx, args, out, messages)
}

func run(ctx context.Context, args []string, out, messages io.Writer) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(messages)
	titles := flags.Int("titles", 25, "how many titles each reader is given")
	readers := flags.Int("readers", 10000, "readers of the run with processes; 0: no such run")
	virtually := flags.Int("virtual", 100000, "readers of the run in virtual time; 0: no such run")
	pollAfter := flags.Duration("poll-after", 200*time.Millisecond, "when the product's process first looks at a request")
	profile := flags.String("cpuprofile", "", "`file` for a CPU profile of the run in virtual time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *titles < 1 || *readers < 0 || *virtually < 0 {
		return errors.New("titles are 1 or more, readers 0 or more, and there are no other arguments (see -help)")
	}
	if *readers > 0 {
		fmt.Fprintf(out, "%d titles to %d readers: the one-program stack, and Apple's fake as its own process\n", *titles, *readers)
		show := newProgress(out, world.Real().Clock)
		l := live{titles: *titles, readers: *readers, pollAfter: *pollAfter, show: show, messages: messages}
		result, err := l.run(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, result)
	}
	if *virtually == 0 {
		return nil
	}
	if *profile != "" {
		stop, err := profiled(*profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	debug.SetGCPercent(gcPercent)
	fmt.Fprintf(out, "%d titles to %d readers: in virtual time, in this process\n", *titles, *virtually)
	of := size{*titles, *virtually, applefake.DocumentedLimits(), pageSize}
	result, err := inVirtualTime(ctx, of, newProgress(out, world.Real().Clock))
	if err != nil {
		return err
	}
	cpu, memory := usage()
	fmt.Fprintf(out, "%s  It took %s of virtual time, most of it at Apple's pace; of this process %s s of CPU and at most %s MB, with\n"+
		"  the table and Apple's fake in it.\n", result, result.took.Round(time.Second), seconds(cpu), megabytes(memory))
	return nil
}

func profiled(path string) (stop func() error, err error) {
	file, err := os.Create(path) // #nosec G304 -- the caller's own choice
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}
