//go:build aws

package emulators

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// patience is how long an emulator may take until it answers: a Java one on a busy machine takes its time.
const patience = time.Minute

// The versions are in the Makefile, which installs; the folders are its too.

// DynamoDBLocal starts Amazon's own DynamoDB for laptops. It counts wrong what checks in transactions, deletes of
// nothing in a batch, and absent keys of a batch consume.
func DynamoDBLocal(t testing.TB) aws.Config {
	dir := installed(t, "dynamodb-local")
	return start(t, dir, func(port string) []string {
		return []string{
			"java", "-Xmx512m", "-Djava.library.path=" + dir, "-cp", filepath.Join(dir, "*"),
			"software.amazon.dynamodb.services.local.main.ServerRunner", "-inMemory", "-sharedDb", "-port", port,
		}
	})
}

// Dynoxide starts another DynamoDB, which counts as Amazon's documentation says.
func Dynoxide(t testing.TB) aws.Config {
	dir := installed(t, "dynoxide")
	program := filepath.Join(dir, "node_modules", "@dynoxide", "linux-x64", "dynoxide")
	return start(t, dir, func(port string) []string { return []string{program, "serve", "--port", port} })
}

// Moto starts Secrets Manager and SQS. It consumes no units and knows no quotas.
func Moto(t testing.TB) aws.Config {
	dir := installed(t, "moto")
	program := filepath.Join(dir, "bin", "moto_server")
	return start(t, dir, func(port string) []string { return []string{program, "-H", "127.0.0.1", "-p", port} })
}

func installed(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join(root(), ".cache", "emulators", name)
	if _, err := os.Stat(filepath.Join(dir, ".installed")); err != nil {
		t.Fatalf("the emulator %s isn't installed; run `make emulators`: %v", name, err)
	}
	return dir
}

// root is the tree's own folder: the one above infra.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// start runs an emulator on a free port until the test ends, and returns the configuration that leads there.
func start(t testing.TB, dir string, command func(port string) []string) aws.Config {
	t.Helper()
	port := freePort(t)
	var log strings.Builder
	// The shell ends the emulator when its own input ends: at the end of the test, or of the process, however it dies.
	args := append([]string{"-c", `"$@" </dev/null & child=$!; cat >/dev/null; kill $child; wait $child`, "emulator"},
		command(port)...)
	shell := exec.CommandContext(context.WithoutCancel(t.Context()), "/bin/sh", args...)
	shell.Dir, shell.Stdout, shell.Stderr = dir, &log, &log
	input, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := input.Close(); err != nil {
			t.Error(err)
		}
		_ = shell.Wait() // the emulator was killed: that is no news
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(dir), log.String())
		}
	})
	url := "http://127.0.0.1:" + port
	if err := answers(t.Context(), url); err != nil {
		t.Fatalf("%s: %v", filepath.Base(dir), err)
	}
	return aws.Config{
		Region: "eu-central-1", BaseEndpoint: &url, HTTPClient: &http.Client{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "madeup", SecretAccessKey: "made-up"}, nil
		}),
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err := errors.Join(err, listener.Close()); err != nil {
		t.Fatal(err)
	}
	return port
}

// answers waits until something answers there, whatever it says.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			return answer.Body.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no answer within %v: %w", patience, err)
		case <-tick.C:
		}
	}
}
