// Command apple serves the fake of Apple's App and Book Management API on this machine, with a made-up school library and
// a made-up content token for it. Point a device management service at the base URL that it prints.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/world"
)

type settings struct {
	listen, journal, tokenFile, domain  string
	titles, readers, licenses, pageSize int
	latency                             time.Duration
	seed                                uint64
	// spare is Generated.Spare, but 0 is none.
	spare  int
	limits applefake.Limits
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "apple:", err)
		os.Exit(1)
	}
}

func parse(args []string) (settings, error) {
	s := settings{limits: applefake.DocumentedLimits()}
	flags := flag.NewFlagSet("apple", flag.ContinueOnError)
	flags.StringVar(&s.listen, "listen", "127.0.0.1:9000", "address to listen on")
	flags.IntVar(&s.titles, "titles", 1200, "number of generated titles")
	flags.IntVar(&s.readers, "readers", 400, "number of generated readers")
	flags.IntVar(&s.licenses, "licenses", 3000, "number of licenses that the generated readers hold")
	flags.IntVar(&s.spare, "spare", 20, "licenses of a generated title that nobody holds, on the average")
	flags.IntVar(&s.pageSize, "page-size", 500, "rows a page")
	flags.DurationVar(&s.latency, "latency", 2*time.Second, "time that a write takes")
	flags.IntVar(&s.limits.MaxRequestPerSecond, "rate", s.limits.MaxRequestPerSecond,
		"requests a second that a location takes; below zero: no limit")
	flags.IntVar(&s.limits.MaxAssets, "max-assets", s.limits.MaxAssets, "titles that one associate takes")
	flags.IntVar(&s.limits.MaxClientUserIDs, "max-client-user-ids", s.limits.MaxClientUserIDs, "users that one associate takes")
	flags.IntVar(&s.limits.MaxUsers, "max-users", s.limits.MaxUsers, "users that one create takes")
	flags.Uint64Var(&s.seed, "seed", 1, "seed of the generated content and of chance")
	flags.StringVar(&s.journal, "journal", "", "file that keeps every change; empty: nothing outlives the program")
	flags.StringVar(&s.tokenFile, "token-file", "made-up.vpptoken", "file to write the content token to")
	flags.StringVar(&s.domain, "managed-domain", "school.example", "domain of the organization's Managed Apple Accounts")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if s.limits.MaxAssets < 1 || s.limits.MaxClientUserIDs < 1 || s.limits.MaxUsers < 1 {
		return s, errors.New("-max-assets, -max-client-user-ids and -max-users are 1 or more: a request is for somebody")
	}
	if s.latency == 0 {
		s.latency = -1
	}
	if s.spare == 0 {
		s.spare = -1
	}
	return s, nil
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	s, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	clock := world.Real().Clock
	server, token, err := library(s, clock)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if err := os.WriteFile(s.tokenFile, []byte(token+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing the token file: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	fmt.Fprintf(out, "A fake of Apple's service is at http://%s/mdm/v2\nIts content token is in %s\n", listener.Addr(), s.tokenFile)
	return serve(ctx, server, listener, clock)
}

// library makes the fake with its one location and returns a token that opens it: the one of before, if it still does.
func library(s settings, clock world.Clock) (*applefake.Server, string, error) {
	server, err := applefake.New(applefake.Options{
		Clock: clock, Seed: s.seed, Journal: s.journal, WireLimit: 1000, Limits: &s.limits, PageSize: s.pageSize,
		Latency: applefake.Latency{Base: s.latency}, PlainHTTP: true, Client: &http.Client{Timeout: 10 * time.Second},
	})
	if err != nil {
		return nil, "", err
	}
	location, err := server.AddLocation(applefake.Library(s.domain, applefake.Generated{
		Titles: s.titles, Readers: s.readers, Licenses: s.licenses, Spare: s.spare,
	}))
	if err != nil {
		return nil, "", errors.Join(err, server.Close())
	}
	token := location.Token()
	if token == "" {
		token, err = location.IssueToken(clock.Now().AddDate(1, 0, 0))
	}
	if err != nil {
		return nil, "", errors.Join(err, server.Close())
	}
	return server, token, nil
}

// serve answers, and delivers notifications every second, until ctx ends.
func serve(ctx context.Context, server *applefake.Server, listener net.Listener, clock world.Clock) error {
	web := &http.Server{
		Handler: server, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx }, // ends the requests that a fault holds
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	go func() {
		for clock.Sleep(ctx, time.Second) == nil {
			server.Deliver(ctx)
		}
	}()
	select {
	case err := <-served:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	err := web.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		err = web.Close() // connections on which nobody has asked anything; what was taken is in the journal
	}
	if err != nil {
		return fmt.Errorf("stopping: %w", err)
	}
	return nil
}
