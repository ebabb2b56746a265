// Command local runs Bookplate as one program: all its functions behind one port, with everything that it keeps in one
// directory. Without the URL of Apple's service it plays Apple itself, and shows the main job happening.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/bookplate/bookplate/infra/local/demo"
	"github.com/bookplate/bookplate/infra/local/stack"
	"github.com/bookplate/bookplate/infra/local/tour"
	"github.com/bookplate/bookplate/shared/auth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bookplate:", err)
		os.Exit(1)
	}
}

func run(
	ctx context.Context, args []string, env func(string) (string, bool), out, messages io.Writer,
) (err error) {
	s, err := parse(args, env, messages)
	if err != nil {
		return err
	}
	if s.reset {
		if err := reset(s.Data); err != nil {
			return err
		}
	}
	if err := stack.Claim(s.Options); err != nil { // before there is a log of ours in somebody else's directory
		return err
	}
	logs, err := openLog(s, messages)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, logs.Close()) }()
	s.Log = slog.New(slog.NewJSONHandler(logs, nil))
	if !s.Demo {
		return serve(ctx, s.Options, out, nil)
	}
	fake, err := demo.Listen(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fake.Close()) }()
	s.Apple = fake.URL
	return serve(ctx, s.Options, out, fake)
}

// serve runs the stack until ctx ends, and the tour in it if Apple is the fake.
func serve(ctx context.Context, o stack.Options, out io.Writer, fake *demo.Apple) error {
	st, err := stack.Open(o)
	if err != nil {
		return err
	}
	if fake != nil {
		if err := fake.Start(o.Data); err != nil { // only now is the directory ours alone
			return errors.Join(err, st.Close())
		}
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- st.Serve(running)
		stop() // what is shown of a stack that has ended needn't be waited for
	}()
	greet(out, st, o)
	shown := present(running, out, st, fake)
	if shown != nil {
		if running.Err() == nil {
			fmt.Fprintf(out, "\n%v\nThe log is %s.\n", shown, filepath.Join(o.Data, logFile))
		}
		stop()
	}
	if err := <-ended; err != nil {
		return err
	}
	if ctx.Err() != nil { // as asked, perhaps in the middle of the tour
		fmt.Fprintln(out, "\nStopped. Everything is kept; the next start goes on from here.")
		return nil
	}
	return shown
}

func present(ctx context.Context, out io.Writer, st *stack.Stack, fake *demo.Apple) error {
	if fake == nil {
		return invite(out, st, toBegin)
	}
	if err := perform(ctx, out, st, fake); err != nil {
		return err
	}
	return invite(out, st, afterTheTour)
}

func greet(out io.Writer, st *stack.Stack, o stack.Options) {
	fmt.Fprintf(out, "Bookplate is at %s, its data in %s. Apple is %s.\n", st.URL(), o.Data, o.Apple)
	for name, secret := range st.Made() {
		fmt.Fprintf(out, "Made -%s, shown only now: %s\n", name, secret)
	}
	fmt.Fprintln(out)
}

func perform(ctx context.Context, out io.Writer, st *stack.Stack, fake *demo.Apple) error {
	admin, err := st.Issue(auth.Administrator, "tour", time.Hour)
	if err != nil {
		return err
	}
	scim, err := st.Issue(auth.IdentityProvider, "tour", time.Hour)
	if err != nil {
		return err
	}
	show := tour.Tour{
		Base: st.URL(), AdminToken: admin, SCIMToken: scim, ContentToken: fake.Token,
		Out: out, Terminal: isTerminal(out), Now: time.Now,
	}
	return show.Run(ctx)
}

// What one may ask for. A new installation has no books and no people yet, and no location to ask about.
var (
	afterTheTour = []string{
		"deviceAppManagement/managedEBooks?$top=3&$orderby=displayName", "bookplate/readers?status=invited",
		"bookplate/licenses?person=" + demo.Somebody,
	}
	toBegin = []string{
		"deviceAppManagement/vppTokens", "deviceAppManagement/managedEBooks?$top=3&$orderby=displayName",
		"bookplate/licenses?person=<userName>",
	}
)

// invite shows how to go on by hand.
func invite(out io.Writer, st *stack.Stack, hints []string) error {
	fmt.Fprintln(out, "\nAccess tokens, valid for 8 hours:")
	for _, role := range []auth.Role{auth.Viewer, auth.Manager, auth.Administrator} {
		bearer, err := st.Issue(role, role.String(), 8*time.Hour)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s=%s\n", envName(role), bearer)
	}
	fmt.Fprintln(out, "\nTry, after pasting the lines above into a shell:")
	for _, hint := range hints {
		fmt.Fprintf(out, "  curl -H \"Authorization: Bearer $VIEWER\" '%s/v1.0/%s'\n", st.URL(), hint)
	}
	fmt.Fprintf(out, "\nAPI: %[1]s/openapi.yaml   Health: %[1]s/healthz   Ctrl-C stops it.\n", st.URL())
	return nil
}

func envName(r auth.Role) string {
	return map[auth.Role]string{auth.Viewer: "VIEWER", auth.Manager: "MANAGER", auth.Administrator: "ADMINISTRATOR"}[r]
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
