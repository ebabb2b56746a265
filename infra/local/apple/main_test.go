package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

func get(t *testing.T, base, token, path string) (fields map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
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
	body := `{"users":[{"clientUserId":"u","managedAppleId":"u@school.example"}]}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/users/create", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", answer, err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
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
