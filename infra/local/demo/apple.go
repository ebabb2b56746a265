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
	// URL is the base URL for a client; Token, from Start on, the made-up content token of its one location.
	URL, Token string

	listener net.Listener
	server   *applefake.Server // nil before Start
	web      *http.Server
	ended    chan error
}

// The library that somebody else has been giving books from before.
const (
	generatedTitles   = 1193 // with those of Stock: 1,200
	generatedReaders  = 350
	generatedLicenses = 3000
)

// Location is Apple's uId of the library.
const Location = "1576566424837749"

// Journal is the name of the fake's journal in the data directory.
const Journal = "apple.journal"

// Options are those of the fake with its journal in dir.
func Options(dir string) applefake.Options {
	return applefake.Options{
		Clock: world.Real().Clock, Seed: 1, Journal: filepath.Join(dir, Journal), WireLimit: 1000,
		Latency: applefake.Latency{Base: 500 * time.Millisecond}, PlainHTTP: true,
	}
}

// Library is the fake's one location.
func Library() applefake.LocationSpec {
	return applefake.LocationSpec{
		UID: Location, Name: "School Library", Country: "US", Platform: applefake.Education, Org: "MADE-UP-SCHOOL",
		Domains: []string{Domain}, Stock: stock(),
		Generated: applefake.Generated{
			Titles: generatedTitles, Readers: generatedReaders, Licenses: generatedLicenses,
		},
	}
}

// Listen takes a port for the fake, so that its URL is known. Nobody answers until Start.
func Listen(ctx context.Context) (*Apple, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the fake of Apple's service: %w", err)
	}
	return &Apple{
		URL: "http://" + listener.Addr().String() + "/mdm/v2", listener: listener, ended: make(chan error, 1),
	}, nil
}

// Start reads the journal in dir and answers from then on. The caller sees to it that nobody else uses dir.
func (a *Apple) Start(dir string) error {
	options := Options(dir)
	server, err := applefake.New(options)
	if err != nil {
		return err
	}
	if a.Token, err = stocked(server, options.Clock); err != nil {
		return errors.Join(err, server.Close())
	}
	a.server = server
	a.web = &http.Server{Handler: server, ReadHeaderTimeout: 10 * time.Second}
	go func() { a.ended <- a.web.Serve(a.listener) }()
	return nil
}

// stocked adds the library and returns a token that opens it.
func stocked(server *applefake.Server, clock world.Clock) (string, error) {
	location, err := server.AddLocation(Library())
	if err != nil {
		return "", err
	}
	if token := location.Token(); token != "" {
		return token, nil
	}
	return location.IssueToken(clock.Now().AddDate(1, 0, 0))
}

// Close stops the fake. What it has answered is in its journal.
func (a *Apple) Close() error {
	if a.server == nil {
		return a.listener.Close()
	}
	err := a.web.Close()
	if served := <-a.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return errors.Join(err, a.server.Close())
}
