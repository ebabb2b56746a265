package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/world"
)

const madeUpAdmin = "made-up-admin-token-of-a-test"

func TestATakenPortIsReplacedUnlessItWasAskedFor(t *testing.T) {
	if taken, err := net.Listen("tcp", "127.0.0.1:3000"); err == nil { // or else somebody has it already
		defer func() { _ = taken.Close() }()
	}
	r := begin(t, "-apple", loopbackFake, "-data", t.TempDir())
	if url := r.url(); strings.HasSuffix(url, ":3000") {
		t.Errorf("it says that it is at %s", url)
	}
	if status, _, err := ask(t.Context(), http.MethodGet, r.url()+"/healthz", "", ""); err != nil || status != http.StatusOK {
		t.Errorf("health: %d, %v", status, err)
	}
	r.end()
	err := run(t.Context(), []string{"-apple", loopbackFake, "-data", t.TempDir(), "-listen", "127.0.0.1:3000"},
		variables(nil), io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "choose another address with -listen") {
		t.Errorf("a port that was asked for and is taken: %v", err)
	}
}

func TestASecondProgramOnTheSameDataIsRefused(t *testing.T) {
	dir := t.TempDir()
	for name, second := range map[string][]string{
		"with Apple": {"-apple", loopbackFake}, "as a demo": nil, "to reset": {"-apple", loopbackFake, "-reset"},
	} {
		r := begin(t, "-apple", loopbackFake, "-data", dir, "-listen", "127.0.0.1:0")
		r.url()
		err := run(t.Context(), append(second, "-data", dir, "-listen", "127.0.0.1:0"), variables(nil), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "already running in "+dir) {
			t.Errorf("%s: %v", name, err)
		}
		if status, _, err := ask(t.Context(), http.MethodGet, r.url()+"/healthz", "", ""); err != nil || status != http.StatusOK {
			t.Errorf("%s: the first one has suffered: %d, %v", name, status, err)
		}
		r.end()
	}
}

// stuckApple is Apple which, from the first request for the path on, answers nothing more. The channel tells when.
func stuckApple(t *testing.T, path string) (url, token string, stuck <-chan struct{}) {
	t.Helper()
	clock := world.Real().Clock
	fake, err := applefake.New(applefake.Options{Clock: clock, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	location, err := fake.AddLocation(applefake.Library("school.example", applefake.Generated{
		Titles: 30, Readers: 20, Licenses: 90,
	}))
	if err != nil {
		t.Fatal(err)
	}
	if token, err = location.IssueToken(clock.Now().AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	reached := make(chan struct{}, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(reached) == 0 && !strings.HasSuffix(r.URL.Path, path) {
			fake.ServeHTTP(w, r)
			return
		}
		reached <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	return server.URL + "/mdm/v2", token, reached
}

func TestCtrlCEndsItWithinFiveSecondsWhateverAppleDoes(t *testing.T) {
	for name, path := range map[string]string{
		"during an upload": "/client/config", "before anything is known of Apple": "/service/config",
		"during a sync, in its books": "/assets", "during a sync, in its licenses": "/assignments",
	} {
		t.Run(name, func(t *testing.T) {
			apple, token, stuck := stuckApple(t, path)
			r := begin(t, "-apple", apple, "-data", t.TempDir(), "-listen", "127.0.0.1:0", "-admin-token", madeUpAdmin)
			url := r.url() + "/v1.0/deviceAppManagement/vppTokens"
			uploading := make(chan struct{})
			ctx, cancel := context.WithCancel(t.Context())
			defer func() { cancel(); <-uploading }()
			go func() {
				defer close(uploading)
				_, _, _ = ask(ctx, http.MethodPost, url, madeUpAdmin, token) // whether it is answered is the case's own
			}()
			select {
			case <-stuck:
			case <-time.After(10 * time.Second):
				t.Fatalf("nothing has asked Apple for %s", path)
			}
			r.end()
		})
	}
}

func TestCtrlCEndsTheTourQuietly(t *testing.T) {
	r := begin(t, "-data", t.TempDir(), "-listen", "127.0.0.1:0")
	r.until("Upload the content token", 5*time.Second)
	r.end()
}
