//go:build aws && e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// function is a built function with what Lambda knows of it. Lambda starts processes as it needs them, one a concurrent
// event, and keeps them.
type function struct {
	name, bootstrap, emulator, folder string

	env     []string
	journal *journal
	slots   chan *instance // nil: no process yet
	mu      sync.Mutex
	busy    map[*instance]bool
}

func newFunction(t *testing.T, name, bootstrap, emulator string, env []string, j *journal, concurrency int) *function {
	f := &function{
		name: name, bootstrap: bootstrap, emulator: emulator, folder: t.TempDir(), env: env, journal: j,
		slots: make(chan *instance, concurrency), busy: map[*instance]bool{},
	}
	for range concurrency {
		f.slots <- nil
	}
	t.Cleanup(func() {
		for range concurrency {
			if i := <-f.slots; i != nil {
				i.end()
			}
		}
	})
	return f
}

// invoke runs the function once. An error means that Lambda has no answer: the process died, say.
func (f *function) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var i *instance
	select {
	case i = <-f.slots:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var err error
	defer func() {
		if err != nil && i != nil {
			i.end()
			i = nil
		}
		f.slots <- i
	}()
	if i == nil {
		if i, err = f.start(ctx); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	f.busy[i] = true
	f.mu.Unlock()
	answer, err := i.invoke(ctx, payload)
	f.mu.Lock()
	delete(f.busy, i)
	f.mu.Unlock()
	return answer, err
}

// kill ends the processes that are at work, as a power cut would, and says how many there were.
func (f *function) kill() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.busy {
		i.kill()
	}
	return len(f.busy)
}

// instance is one process of a function, and its emulator.
type instance struct {
	url     string
	command *exec.Cmd // the emulator, which starts the function's own process with the first event
	process string    // file with the number of that
	ended   chan struct{}
}

func (f *function) start(ctx context.Context) (*instance, error) {
	web, runtime := freeAddress(), freeAddress()
	folder, err := os.MkdirTemp(f.folder, f.name)
	if err != nil {
		return nil, err
	}
	process := filepath.Join(folder, "process")
	command := exec.Command(f.emulator,
		"--runtime-interface-emulator-address", web, "--runtime-api-address", runtime,
		"/bin/sh", "-c", `echo $$ >"$0"; exec "$1"`, process, f.bootstrap)
	command.Env = f.env
	// None outlives the test: a bootstrap ends by itself when its emulator is gone.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, input := io.Pipe()
	command.Stdout, command.Stderr = input, input
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", f.name, err)
	}
	i := &instance{
		url: "http://" + web + "/2015-03-31/functions/function/invocations", command: command, process: process,
		ended: make(chan struct{}),
	}
	go f.journal.read(f.name, output)
	go func() {
		_ = command.Wait() // killed, always
		_ = input.Close()
		close(i.ended)
	}()
	err = i.ready(ctx, web)
	return i, err
}

func (i *instance) ready(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return connection.Close()
		}
		select {
		case <-tick.C:
		case <-i.ended:
			return errors.New("the emulator of Lambda's runtime ended at once")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// errFunction: the function answered with an error, or its process died under it.
var errFunction = errors.New("the function failed")

func (i *instance) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	var failed struct {
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}
	if answer.StatusCode != http.StatusOK || json.Unmarshal(data, &failed) == nil && failed.ErrorMessage != "" {
		return nil, fmt.Errorf("%w: %d: %.300s", errFunction, answer.StatusCode, data)
	}
	return data, nil
}

// kill ends the function's process first, so that it does nothing after its emulator has gone.
func (i *instance) kill() {
	if number, err := os.ReadFile(i.process); err == nil {
		if pid, err := strconv.Atoi(strings.TrimSpace(string(number))); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	_ = i.command.Process.Kill()
}

func (i *instance) end() {
	i.kill()
	<-i.ended
}

func freeAddress() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0" // the emulator then says what is wrong
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// journal gathers what the functions log: the calls to AWS that they made, and all of it as text.
type journal struct {
	mu    sync.Mutex
	calls map[string]map[call]int // by function
	file  *os.File
	wrong []string
	taboo string // must not appear
}

// call is an action on a resource, as infra/cloud logs it.
type call struct{ Action, Resource string }

func (j *journal) read(name string, output io.Reader) {
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		j.line(name, lines.Bytes())
	}
}

func (j *journal) line(name string, line []byte) {
	var entry struct {
		Message, Action, Resource string
	}
	isJSON := json.Unmarshal(line, &entry) == nil
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.taboo != "" && bytes.Contains(line, []byte(j.taboo)) {
		j.wrong = append(j.wrong, name+" logged a secret")
	}
	if isJSON && entry.Message == "call to AWS" {
		if j.calls[name] == nil {
			j.calls[name] = map[call]int{}
		}
		j.calls[name][call{entry.Action, entry.Resource}]++
		return
	}
	fmt.Fprintf(j.file, "%-12s %s\n", name, line)
}
