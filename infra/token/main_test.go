package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/world"
)

func TestTheFunctionsAcceptWhatTheOperatorIssues(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	v := world.NewVirtual(1, time.Date(2026, 2, 11, 10, 0, 0, 0, time.UTC))
	var out, messages strings.Builder
	if err := run([]string{"-new-key", dir}, v.World(), &out, &messages); err != nil || out.Len() > 0 {
		t.Fatal(err, out.String())
	}
	private := filepath.Join(dir, "private.pem")
	if info, err := os.Stat(private); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("private key: %v, %v", info.Mode(), err)
	}
	args := []string{
		"-key", private, "-role", "manager", "-subject", "anna@school.example", "-name", "Anna", "-for", "2h", "-audience", "ours",
	}
	if err := run(args, v.World(), &out, &messages); err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSuffix(out.String(), "\n")
	if strings.Contains(messages.String(), token) || !strings.Contains(messages.String(), "as manager until 2026-02-11T12:00:00Z") {
		t.Errorf("messages: %s", messages.String())
	}
	text, err := os.ReadFile(filepath.Join(dir, "public.pem"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := auth.ParsePublic(text)
	if err != nil {
		t.Fatal(err)
	}
	verifier := auth.NewVerifier(keys, "ours", v)
	want := auth.Caller{Subject: "anna@school.example", Name: "Anna", Role: auth.Manager}
	if got, err := verifier.Verify(token); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	v.Advance(2*time.Hour + 61*time.Second)
	if _, err := verifier.Verify(token); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("after two hours: %v", err)
	}
}

func TestKeysAreNeverOverwritten(t *testing.T) {
	dir := t.TempDir()
	w := world.NewVirtual(1, time.Time{}).World()
	var out strings.Builder
	if err := run([]string{"-new-key", dir}, w, &out, &out); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, "private.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"-new-key", dir}, w, &out, &out); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("again: %v", err)
	}
	after, err := os.ReadFile(filepath.Join(dir, "private.pem"))
	if err != nil || string(after) != string(before) {
		t.Errorf("the key changed: %v", err)
	}
}

func TestMistakesAreToldAndNothingIsPrinted(t *testing.T) {
	public := filepath.Join(t.TempDir(), "public.pem")
	if err := os.WriteFile(public, []byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, says := range map[string]string{
		"":                                     "-new-key",
		"-key k":                               "-role",
		"-key k -role viewer":                  "-subject",
		"-key k -new-key d":                    "exclude",
		"-key k -role viewer -subject a extra": "extra",
		"-key k -role boss -subject a":         "administrator",
		"-key k -role viewer -subject a -for 9000h":   "366 days",
		"-key /missing/k -role viewer -subject a":     "read key",
		"-key " + public + " -role viewer -subject a": "public key",
		"-unknown": "-help",
		"-key " + public + " -role viewer -for tomorrow": "-help",
	} {
		var out, messages strings.Builder
		err := run(strings.Fields(args), world.NewVirtual(1, time.Time{}).World(), &out, &messages)
		if err == nil || !strings.Contains(err.Error(), says) || out.Len() > 0 {
			t.Errorf("%s: %v, printed %q", args, err, out.String())
		}
	}
}

func TestHelpExplainsItself(t *testing.T) {
	var out, messages strings.Builder
	if err := run([]string{"-help"}, world.NewVirtual(1, time.Time{}).World(), &out, &messages); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"-new-key DIR", "administrator", "Example:", "-audience"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("help lacks %q", part)
		}
	}
}
