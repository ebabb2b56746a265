package main_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// build builds both programs, as anybody would who runs them, and returns their directory.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", dir+string(filepath.Separator), ".", "./apple")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the programs: %v\n%s", err, said)
	}
	return dir
}

// program is one that this test starts, and may kill and start again.
type program struct {
	name    string
	path    string
	args    []string
	log     *os.File // what it says, over all its lives
	current *exec.Cmd
	ended   chan struct{} // closed at the end of the current life
	err     error         // how it ended
}

// newProgram returns a program that isn't running yet. Whatever becomes of the test, it won't outlive it; if the test
// fails, the end of what the program said is shown.
func newProgram(t *testing.T, path string, args ...string) *program {
	t.Helper()
	name := filepath.Base(path)
	log, err := os.OpenFile(filepath.Join(t.TempDir(), name+".log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	p := &program{name: name, path: path, args: args, log: log}
	t.Cleanup(func() {
		if p.current != nil {
			p.kill()
		}
		if t.Failed() {
			t.Logf("the end of what %s said:\n%s", name, p.tail(40))
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p *program) start() error {
	cmd := exec.Command(p.path, p.args...)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "BOOKPLATE_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	p.current, p.ended = cmd, make(chan struct{})
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return nil
}

// kill ends the program without a chance to do anything more, and returns when it has ended. It tells whether the program
// was still running.
func (p *program) kill() bool {
	wasRunning := p.current.Process.Kill() == nil
	<-p.ended
	p.current = nil
	return wasRunning
}

// stop ends the program as Ctrl-C does.
func (p *program) stop() error {
	if err := p.current.Process.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("stopping %s: %w", p.name, err)
	}
	<-p.ended
	p.current = nil
	return p.err
}

func (p *program) tail(lines int) string {
	data, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// freePort finds one below those that systems hand out to connections, so that nobody gets it while the program that
// listens there is dead.
func freePort(t *testing.T, chance *rand.Rand) string {
	t.Helper()
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(20000+chance.IntN(10000)))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return address
	}
	t.Fatal("no port is free")
	return ""
}
