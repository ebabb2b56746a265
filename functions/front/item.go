package front

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bookplate/bookplate/shared/problem"
)

// item is a request of a batch. Its URL is relative to the version, e.g. "/deviceAppManagement/vppTokens". Of its headers
// an Authorization isn't read: all of a batch is done with the bearer of the batch.
type item struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

// readItems makes the requests that a batch is about, all or none.
func (f front) readItems(items []item, version string) ([]asked, error) {
	if len(items) == 0 || len(items) > batchMost {
		return nil, problem.New(problem.Invalid, "", "A batch has 1 to %d requests, and this one has %d. Send several batches.",
			batchMost, len(items)).At("requests")
	}
	asks := make([]asked, len(items))
	for i, one := range items {
		at := func(field string) string { return fmt.Sprintf("requests[%d].%s", i, field) }
		if one.ID == "" || len(one.ID) > 128 || slices.ContainsFunc(items[:i], func(o item) bool { return o.ID == one.ID }) {
			return nil, problem.New(problem.Invalid, "", "Each request of a batch needs an id of its own, of 1 to 128 bytes.").At(at("id"))
		}
		asks[i].method = strings.ToUpper(one.Method)
		if !slices.Contains([]string{"GET", "POST", "PATCH", "PUT", "DELETE"}, asks[i].method) {
			return nil, problem.New(problem.Invalid, "", "The method is none of GET, POST, PATCH, PUT and DELETE.").At(at("method"))
		}
		var err *problem.Error
		if asks[i].target, err = f.target(one.URL, version); err != nil {
			return nil, err.At(at("url"))
		}
		asks[i].header = http.Header{}
		for name, value := range one.Headers {
			if !strings.EqualFold(name, "Content-Encoding") { // what stands in JSON isn't compressed
				asks[i].header.Set(name, value)
			}
		}
		if asks[i].body, err = one.text(asks[i].header); err != nil {
			return nil, err.At(at("body"))
		}
	}
	return asks, checkOrder(items)
}

// target is the path as the API spells it, with the version, and the query.
func (f front) target(text, version string) (string, *problem.Error) {
	bad := func(what string) *problem.Error {
		return problem.New(problem.Invalid, "", "%s Write it relative to the version, like /deviceAppManagement/vppTokens.", what)
	}
	u, err := url.Parse(text)
	switch {
	case text == "":
		return "", bad("The request has no url.")
	case err != nil || u.IsAbs() || u.Host != "" || u.User != nil || u.Fragment != "":
		return "", bad("The url can't be read, or leads elsewhere.")
	case isBatch("/" + u.Path):
		return "", bad("A batch can't be part of a batch.")
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return "", bad("The url has segments of dots.")
		}
	}
	path, _ := f.spelling.correct(version + "/" + strings.TrimPrefix(u.EscapedPath(), "/"))
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path, nil
}

// text is the body to send: JSON as it stands, anything else from base64.
func (i item) text(header http.Header) ([]byte, *problem.Error) {
	if len(i.Body) == 0 || string(i.Body) == "null" {
		return nil, nil
	}
	kind := header.Get("Content-Type")
	if kind == "" {
		header.Set("Content-Type", "application/json")
		return i.Body, nil
	}
	if media, _, err := mime.ParseMediaType(kind); err == nil && media == "application/json" {
		return i.Body, nil
	}
	var encoded string
	if json.Unmarshal(i.Body, &encoded) == nil {
		plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(encoded, "="))
		if body, err := base64.RawStdEncoding.DecodeString(plain); err == nil {
			return body, nil
		}
	}
	return nil, problem.New(problem.Invalid, "", "A body that isn't application/json is written as a string of base64.")
}

// checkOrder refuses what could never be begun.
func checkOrder(items []item) error {
	done := map[string]bool{}
	for range items {
		for _, one := range items {
			if !slices.ContainsFunc(one.DependsOn, func(id string) bool { return !done[id] }) {
				done[one.ID] = true
			}
		}
	}
	for i, one := range items {
		if !done[one.ID] {
			return problem.New(problem.Invalid, "", "The request %q depends on one that isn't in the batch, or on itself in a circle.",
				one.ID).At(fmt.Sprintf("requests[%d].dependsOn", i))
		}
	}
	return nil
}
