package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// role is what this program does as a process of its own. It says in one line of JSON on out where it is, and ends when
// its input does: so none outlives the program that started it.
type role func(ctx context.Context, args []string, out io.Writer) error

var roles = map[string]role{"apple": playApple, "product": runProduct, "bare": runBare}

// child is a process with a role.
type child struct {
	command *exec.Cmd
	input   io.Closer
	output  *bufio.Reader
}

// start starts a process, and reads into hello what it says first.
func start(ctx context.Context, messages io.Writer, hello any, name string, args ...string) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, program, append([]string{name}, args...)...) // #nosec G204 -- this program itself
	command.Stderr = messages
	command.WaitDelay = 10 * time.Second
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	c := &child{command, input, bufio.NewReader(output)}
	if err := c.hear(hello); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), c.stop())
	}
	return c, nil
}

// hear reads one line.
func (c *child) hear(into any) error {
	line, err := c.output.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("it said %q: %w", line, err)
	}
	return json.Unmarshal(line, into)
}

// stop has the process end, and waits for it.
func (c *child) stop() error { return errors.Join(c.input.Close(), c.command.Wait()) }

// untilInputEnds is ctx until this process's input ends.
func untilInputEnds(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // however it ends, it has ended
		cancel()
	}()
	return ctx
}

// serveUntil answers on a port of loopback until ctx ends.
func serveUntil(ctx context.Context, listener net.Listener, handler http.Handler) error {
	web := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return web.Close()
	}
}

func listen(ctx context.Context) (net.Listener, string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	return listener, "http://" + listener.Addr().String(), nil
}

func sayJSON(out io.Writer, value any) error { return json.NewEncoder(out).Encode(value) }

// client is somebody with a bearer.
type client struct {
	base, bearer string
	http         *http.Client
}

func newClient(base, bearer string) client {
	return client{base, bearer, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnceSCIM}}}
}

// do sends a body, if there is one, and reads the answer into something, if that isn't nil.
func (c client) do(ctx context.Context, method, path, contentType string, body string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.bearer)
	if body != "" {
		request.Header.Set("Content-Type", contentType)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: HTTP %d: %.300s", method, path, answer.StatusCode, data)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(data, into)
}

// send sends a value as JSON.
func (c client) send(ctx context.Context, method, path, contentType string, value, into any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return c.do(ctx, method, path, contentType, string(body), into)
}
