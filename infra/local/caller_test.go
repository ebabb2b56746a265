package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// pause is how long one waits before one asks again.
const pause = 20 * time.Millisecond

// caller is a client that expects its server to die at any moment: it asks again until there is an answer.
type caller struct {
	t      *testing.T
	ctx    context.Context // ends when the test has taken too long
	base   string
	bearer string
}

// ask sends the request until it is answered, and not by a failure of the moment. Body is text, or goes as JSON; into
// gets the answer, unless it is an error.
func (c caller) ask(method, path string, body, into any) (status int) {
	c.t.Helper()
	text, contentType := c.encode(path, body)
	for {
		status, answer, err := c.once(method, c.base+path, contentType, text)
		if err == nil && status < 500 && status != http.StatusTooManyRequests {
			if into != nil && status < 300 {
				if err := json.Unmarshal(answer, into); err != nil {
					c.t.Fatalf("%s %s: %v in %s", method, path, err, answer)
				}
			}
			return status
		}
		c.pause(method, path, status, err, string(answer))
	}
}

// pause waits a little, and ends the test if it has waited too long.
func (c caller) pause(about ...any) {
	c.t.Helper()
	select {
	case <-time.After(pause):
	case <-c.ctx.Done():
		c.t.Fatalf("%v; at last: %v", c.ctx.Err(), about)
	}
}

// until asks the question again and again until the answer is yes.
func (c caller) until(what string, yes func() bool) {
	c.t.Helper()
	for !yes() {
		c.pause("waiting until", what)
	}
}

func (c caller) get(path string, into any) {
	c.t.Helper()
	c.must(http.MethodGet, path, nil, into, http.StatusOK)
}

// must is ask for what can only be answered in one of these ways.
func (c caller) must(method, path string, body, into any, expected ...int) (status int) {
	c.t.Helper()
	status = c.ask(method, path, body, into)
	for _, one := range expected {
		if status == one {
			return status
		}
	}
	c.t.Fatalf("%s %s: status %d", method, path, status)
	return status
}

func (c caller) encode(path string, body any) (text, contentType string) {
	c.t.Helper()
	switch body := body.(type) {
	case nil:
		return "", ""
	case string:
		return body, "text/plain"
	default:
		data, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		if strings.HasPrefix(path, "/scim/") {
			return string(data), "application/scim+json"
		}
		return string(data), "application/json"
	}
}

func (c caller) once(method, address, contentType, body string) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader([]byte(body)))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.bearer)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	answer, err = io.ReadAll(got.Body)
	if closed := got.Body.Close(); err == nil {
		err = closed
	}
	return got.StatusCode, answer, err
}

// all reads all pages of a collection of the API.
func all[T any](c caller, path string) (list []T) {
	c.t.Helper()
	for path != "" {
		var page struct {
			Value []T    `json:"value"`
			Next  string `json:"@odata.nextLink"`
		}
		c.get(path, &page)
		list = append(list, page.Value...)
		path = strings.TrimPrefix(page.Next, c.base)
	}
	return list
}
