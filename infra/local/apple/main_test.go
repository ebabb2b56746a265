package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/shared/world"
)

// running starts the program and returns its base URL, its token, and how to stop it.
func running(t *testing.T, args ...string) (base, token string, stop func()) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "made-up.vpptoken")
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"-listen", "127.0.0.1:0", "-token-file", file}, args...), write)
		ended <- err
		_ = write.CloseWithError(fmt.Errorf("the program ended: %w", err)) // a pipe's end can't fail to close
	}()
	var said bytes.Buffer
	for strings.Count(said.String(), "\n") < 2 {
		part := make([]byte, 1024)
		n, err := read.Read(part)
		if err != nil {
			t.Fatal(err)
		}
		said.Write(part[:n])
	}
	_, rest, _ := strings.Cut(said.String(), "http://")
	base, _, _ = strings.Cut(rest, "\n")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return "http://" + base, strings.TrimSpace(string(raw)), func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("stopping: %v", err)
		}
	}
}

func get(t *testing.T, base, token, path string) map[string]any {
	t.Helper()
	return ask(t, http.MethodGet, base+path, token, "")
}

func post(t *testing.T, base, token, path, body string) map[string]any {
	t.Helper()
	return ask(t, http.MethodPost, base+path, token, body)
}

func ask(t *testing.T, method, address, token, body string) (fields map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(json.NewDecoder(answer.Body).Decode(&fields), answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return fields
}

func TestTheProgramServesALibraryAndStops(t *testing.T) {
	base, token, stop := running(t, "-titles", "10", "-readers", "20", "-licenses", "40", "-page-size", "7")
	defer stop()
	if !strings.HasSuffix(base, "/mdm/v2") {
		t.Errorf("the base URL is %s", base)
	}
	if a := get(t, base, token, "/assignments"); a["totalPages"] != 6.0 || a["size"] != 7.0 {
		t.Errorf("got %v", a)
	}
	if a := get(t, base, token, "/client/config"); a["locationName"] != "School Library" {
		t.Errorf("got %v", a)
	}
	urls, ok := get(t, base, "", "/service/config")["urls"].(map[string]any)
	if !ok || urls["getAssets"] != base+"/assets" {
		t.Errorf("the service config announces %v", urls)
	}
}

func TestTheTokenAndTheBooksOutliveTheProgram(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "journal")
	base, token, stop := running(t, "-journal", journal, "-latency", "0")
	a := post(t, base, token, "/users/create", `{"users":[{"clientUserId":"u","managedAppleId":"u@school.example"}]}`)
	if a["eventId"] == nil {
		t.Fatalf("got %v", a)
	}
	stop()
	base, again, stop := running(t, "-journal", journal, "-latency", "0", "-page-size", "3")
	defer stop()
	if again != token {
		t.Error("the restarted program has another token")
	}
	users, ok := get(t, base, token, "/users?clientUserId=u")["users"].([]any)
	if !ok || len(users) != 1 {
		t.Errorf("the restarted program has users %v", users)
	}
}

func TestTheLimitsAreAnnouncedAndHeld(t *testing.T) {
	const small = "-titles=3 -readers=0 -licenses=0 -latency=0"
	limits := func(base string) map[string]any {
		t.Helper()
		announced, ok := get(t, base, "", "/service/config")["limits"].(map[string]any)
		if !ok {
			t.Fatal("no limits are announced")
		}
		return announced
	}
	base, _, stop := running(t, strings.Fields(small)...)
	defer stop()
	if l := limits(base); l["maxAssets"] != 25.0 || l["maxClientUserIds"] != 1000.0 || l["maxUsers"] != 100.0 ||
		l["maxRequestPerSecond"] != 15.0 {
		t.Errorf("without flags they are not the documented ones: %v", l)
	}
	base, token, stop := running(t, strings.Fields(small+" -max-assets=2 -max-client-user-ids=10 -max-users=1 -rate=200")...)
	defer stop()
	if l := limits(base); l["maxAssets"] != 2.0 || l["maxClientUserIds"] != 10.0 || l["maxUsers"] != 1.0 ||
		l["maxRequestPerSecond"] != 200.0 {
		t.Errorf("announced are %v", l)
	}
	if a := post(t, base, token, "/users/create", `{"users":[{"clientUserId":"a"},{"clientUserId":"b"}]}`); a["errorNumber"] == nil {
		t.Errorf("a create of two users is answered with %v", a)
	}
	if a := post(t, base, token, "/users/create", `{"users":[{"clientUserId":"a"}]}`); a["eventId"] == nil {
		t.Errorf("a create of one user is answered with %v", a)
	}
}

func TestSpareIsWhatNobodyHolds(t *testing.T) {
	for spare, isRight := range map[string]func(available float64) bool{
		"0":   func(a float64) bool { return a == 0 },
		"100": func(a float64) bool { return a > 100*60/2 && a < 100*60*2 },
	} {
		base, token, stop := running(t, "-titles", "60", "-readers", "5", "-licenses", "100", "-spare", spare)
		available := 0.0
		assets, _ := get(t, base, token, "/assets?pricingParam=STDQ")["assets"].([]any)
		for _, a := range assets {
			row, _ := a.(map[string]any)
			if id, _ := row["adamId"].(string); strings.HasPrefix(id, "14") { // generated
				n, _ := row["availableCount"].(float64)
				available += n
			}
		}
		if len(assets) < 60 || !isRight(available) {
			t.Errorf("-spare %s: %v are available of %d assets", spare, available, len(assets))
		}
		stop()
	}
}

func TestABadStartIsAnError(t *testing.T) {
	busy, _, stop := running(t, "-titles", "0", "-readers", "0", "-licenses", "0")
	defer stop()
	busy = strings.TrimSuffix(strings.TrimPrefix(busy, "http://"), "/mdm/v2")
	file := filepath.Join(t.TempDir(), "token")
	for name, args := range map[string][]string{
		"flag":       {"-nonsense"},
		"address":    {"-listen", busy, "-token-file", file},
		"token file": {"-token-file", filepath.Join(file, "no", "folder")},
		"library":    {"-titles", "1", "-readers", "1", "-licenses", "2", "-token-file", file},
		"limit":      {"-max-users", "0", "-token-file", file},
		"journal":    {"-journal", filepath.Join(file, "no", "folder"), "-token-file", file},
	} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := run(t.Context(), []string{"-help"}, io.Discard); err != nil {
		t.Errorf("asking for help: %v", err)
	}
}

func TestAConnectionWithoutARequestDoesNotKeepItRunning(t *testing.T) {
	base, _, stop := running(t, "-titles", "0", "-readers", "0", "-licenses", "0")
	silent, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(base, "http://"), "/mdm/v2"))
	if err != nil {
		t.Fatal(err)
	}
	get(t, base, "", "/service/config") // by now the silent one has been accepted
	stop()
	if err := silent.Close(); err != nil {
		t.Error(err)
	}
}

func TestAnExpiredTokenIsReplacedAtTheStart(t *testing.T) {
	s, err := parse([]string{"-journal", filepath.Join(t.TempDir(), "journal")})
	if err != nil {
		t.Fatal(err)
	}
	virtual := world.NewVirtual(1, world.Real().Now())
	_, first, err := library(s, virtual)
	if err != nil {
		t.Fatal(err)
	}
	virtual.Advance(364 * 24 * 3600e9)
	if _, second, err := library(s, virtual); err != nil || second != first {
		t.Errorf("a token that is valid was replaced (%v)", err)
	}
	virtual.Advance(2 * 24 * 3600e9)
	if _, third, err := library(s, virtual); err != nil || third == first {
		t.Errorf("an expired token was kept (%v)", err)
	}
}
