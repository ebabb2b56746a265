package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/world"
)

// Domain is the school's: its userNames are Managed Apple Accounts.
const Domain = "school.example"

// Apple is the fake of Apple's service, listening on loopback.
type Apple struct {
	// URL is the base URL for a client; Token the made-up content token of its one location.
	URL, Token string

	server *applefake.Server
	web    *http.Server
	ended  chan error
}

// The library that somebody else has been giving books from before.
const (
	generatedTitles   = 1193 // with those of Stock: 1,200
	generatedReaders  = 350
	generatedLicenses = 3000
)

// StartApple starts the fake with the journal in dir.
func StartApple(ctx context.Context, dir string) (*Apple, error) {
	clock := world.Real().Clock
	server, err := applefake.New(applefake.Options{
		Clock: clock, Seed: 1, Journal: filepath.Join(dir, "apple.journal"), WireLimit: 1000,
		Latency: applefake.Latency{Base: 500 * time.Millisecond}, PlainHTTP: true,
	})
	if err != nil {
		return nil, err
	}
	a := &Apple{server: server, ended: make(chan error, 1)}
	if err := a.open(ctx, clock); err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return a, nil
}

func (a *Apple) open(ctx context.Context, clock world.Clock) error {
	spec := applefake.LocationSpec{
		Name: "School Library", Country: "US", Platform: applefake.Education, Org: "MADE-UP-SCHOOL",
		Domains: []string{Domain}, Stock: stock(),
		Generated: applefake.Generated{
			Titles: generatedTitles, Readers: generatedReaders, Licenses: generatedLicenses,
		},
	}
	location, err := a.server.AddLocation(spec)
	if err != nil {
		return err
	}
	if a.Token = location.Token(); a.Token == "" {
		if a.Token, err = location.IssueToken(clock.Now().AddDate(1, 0, 0)); err != nil {
			return err
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for the fake of Apple's service: %w", err)
	}
	a.URL = "http://" + listener.Addr().String() + "/mdm/v2"
	a.web = &http.Server{Handler: a.server, ReadHeaderTimeout: 10 * time.Second}
	go func() { a.ended <- a.web.Serve(listener) }()
	return nil
}

// Close stops the fake. What it has answered is in its journal.
func (a *Apple) Close() error {
	err := a.web.Close()
	if served := <-a.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return errors.Join(err, a.server.Close())
}
