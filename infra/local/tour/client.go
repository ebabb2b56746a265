package tour

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// client is somebody with a bearer.
type client struct {
	base, bearer string
	http         *http.Client
}

// answerError is an answer other than 2xx.
type answerError struct {
	status  int
	message string
}

func (e *answerError) Error() string { return fmt.Sprintf("HTTP %d: %s", e.status, e.message) }

func (c client) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, "", nil, into)
}

func (c client) post(ctx context.Context, path string, body, into any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	contentType := "application/json"
	if strings.HasPrefix(path, "/scim") {
		contentType = "application/scim+json"
	}
	return c.do(ctx, http.MethodPost, path, contentType, data, into)
}

func (c client) do(ctx context.Context, method, path, contentType string, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.bearer)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		return &answerError{answer.StatusCode, message(data)}
	}
	if into == nil || len(data) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// message is what an error says to people, in either protocol's shape.
func message(body []byte) string {
	var e struct {
		Error  struct{ Message string }
		Detail string
	}
	if json.Unmarshal(body, &e) != nil || e.Error.Message+e.Detail == "" {
		return string(body[:min(len(body), 200)])
	}
	return e.Error.Message + e.Detail
}

// list reads all pages of a collection.
func list[T any](ctx context.Context, c client, path string) ([]T, error) {
	var all []T
	for path != "" {
		var page struct {
			Value []T    `json:"value"`
			Next  string `json:"@odata.nextLink"`
		}
		if err := c.get(ctx, path, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Value...)
		path = strings.TrimPrefix(page.Next, c.base)
	}
	return all, nil
}

// found returns the id of the SCIM resource that a filter finds, or an empty one.
func (c client) found(ctx context.Context, kind, attribute, value string) (string, error) {
	var page struct {
		Resources []struct {
			ID string `json:"id"`
		}
	}
	query := url.Values{"filter": {fmt.Sprintf("%s eq %q", attribute, value)}, "excludedAttributes": {"members"}}
	if err := c.get(ctx, "/scim/v2/"+kind+"?"+query.Encode(), &page); err != nil || len(page.Resources) == 0 {
		return "", err
	}
	return page.Resources[0].ID, nil
}

// wait asks again and again until done says so, at most for limit.
func wait(ctx context.Context, limit time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
