// Command size measures the functions as they are deployed: how large each archive is, and how long a process takes from
// its start until it asks Lambda's runtime for its first event. The latter is measured beside a function that does
// nothing, in turns, because the machine's own share is the same for both. It fails where a limit is passed.
//
// It is given the folder in which make has built the functions for arm64 (<folder>/deployed/<function>/bootstrap) and for
// this machine (<folder>/here/<function>/bootstrap, and …/here/empty/bootstrap).
package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/infra/setting"
)

const (
	mostBytes = 6 << 20
	mostExtra = 15 * time.Millisecond
	rounds    = 21
	patience  = 10 * time.Second
	emptyName = "empty"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "size: run this as `make size`")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, out io.Writer) error {
	entries, err := os.ReadDir(filepath.Join(dir, "deployed"))
	if err != nil {
		return err
	}
	names := []string{emptyName}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	starts, err := measure(ctx, filepath.Join(dir, "here"), names)
	if err != nil {
		return err
	}
	empty := median(starts[emptyName])
	fmt.Fprintf(out, "%-12s %8s %12s %10s   (medians of %d)\n", "function", "zip", "to /next", "more", rounds)
	fmt.Fprintf(out, "%-12s %8s %9.1f ms\n", emptyName, "", milliseconds(empty))
	var wrong []error
	for _, name := range names[1:] {
		size, err := zipped(filepath.Join(dir, "deployed", name, "bootstrap"))
		if err != nil {
			return err
		}
		extra := median(starts[name]) - empty
		fmt.Fprintf(out, "%-12s %5.2f MB %9.1f ms %7.1f ms\n", name, float64(size)/(1<<20),
			milliseconds(median(starts[name])), milliseconds(extra))
		if size > mostBytes {
			wrong = append(wrong, fmt.Errorf("%s is larger than %d MB", name, mostBytes>>20))
		}
		if extra > mostExtra {
			wrong = append(wrong, fmt.Errorf("%s takes more than %s longer to start than nothing", name, mostExtra))
		}
	}
	return errors.Join(wrong...)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median(list []time.Duration) time.Duration {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// zipped is the size of the archive that is deployed, in bytes.
func zipped(path string) (int64, error) {
	program, err := os.ReadFile(path) // #nosec G304 -- as asked
	if err != nil {
		return 0, err
	}
	var size counter
	archive := zip.NewWriter(&size)
	file, err := archive.Create("bootstrap")
	if err == nil {
		_, err = file.Write(program)
	}
	return int64(size), errors.Join(err, archive.Close())
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// measure starts each function once a round. The first round warms the disk's cache and doesn't count.
func measure(ctx context.Context, dir string, names []string) (map[string][]time.Duration, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	asked := make(chan time.Time, 1)
	web := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/runtime/invocation/next") {
			asked <- time.Now()
		}
		<-r.Context().Done() // there is no event: the process waits until it is killed
	})}
	go func() { _ = web.Serve(listener) }()
	defer func() { _ = web.Close() }()
	starts := make(map[string][]time.Duration)
	for round := range rounds + 1 {
		for _, name := range names {
			took, err := start(ctx, filepath.Join(dir, name, "bootstrap"), listener.Addr().String(), asked)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if round > 0 {
				starts[name] = append(starts[name], took)
			}
		}
	}
	return starts, nil
}

func start(ctx context.Context, program, runtime string, asked <-chan time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	command := exec.CommandContext(ctx, program) // #nosec G204 -- as asked
	command.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + runtime, "AWS_REGION=eu-central-1", "AWS_LAMBDA_LOG_FORMAT=JSON",
		"AWS_ACCESS_KEY_ID=madeup", "AWS_SECRET_ACCESS_KEY=made-up", "AWS_LAMBDA_FUNCTION_NAME=made-up",
	}
	for _, s := range setting.All() {
		if s.Needed { // nothing is called with it
			command.Env = append(command.Env, string(s.Name)+"=made-up")
		}
	}
	command.Stdout, command.Stderr = os.Stderr, os.Stderr // a function that can't start says why
	began := time.Now()
	if err := command.Start(); err != nil {
		return 0, err
	}
	var took time.Duration
	var err error
	select {
	case at := <-asked:
		took = at.Sub(began)
	case <-ctx.Done():
		err = errors.New("it never asked for an event")
	}
	cancel()
	_ = command.Wait() // it was killed
	return took, err
}
