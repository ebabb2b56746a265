package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
)

// contentType has no space before the semicolon: clients compare the part before it without trimming.
const contentType = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"

// collection fixes the order of a collection's parts as Graph sends them.
type collection[T any] struct {
	Context  string `json:"@odata.context"`
	Count    *int   `json:"@odata.count,omitempty"`
	NextLink string `json:"@odata.nextLink,omitempty"`
	Value    []T    `json:"value"`
}

// WriteEntity answers with one entity (a struct or map that encodes as a JSON object) and its @odata.context, which is
// the service's $metadata URL followed by "#" and context, e.g. "deviceAppManagement/vppTokens/$entity".
func WriteEntity(w http.ResponseWriter, r *http.Request, status int, context string, entity any) {
	text, err := encode(entity)
	if err == nil && (len(text) < 2 || text[0] != '{') {
		err = errors.New("not a JSON object")
	}
	var link []byte
	if err == nil {
		link, err = encode(contextURL(r, context))
	}
	if err != nil {
		WriteError(w, r, fmt.Errorf("encode entity: %w", err))
		return
	}
	body := append([]byte(`{"@odata.context":`), link...)
	if text[1] != '}' {
		body = append(body, ',')
	}
	writeJSON(w, r, status, append(body, text[1:]...))
}

// WriteCollection answers 200 with a collection. items may be nil; clients get an empty array. count and nextLink are
// left out when nil and empty.
func WriteCollection[T any](w http.ResponseWriter, r *http.Request, context string, items []T, count *int, nextLink string) {
	if items == nil {
		items = []T{}
	}
	body, err := encode(collection[T]{contextURL(r, context), count, nextLink, items})
	if err != nil {
		WriteError(w, r, fmt.Errorf("encode collection: %w", err))
		return
	}
	writeJSON(w, r, http.StatusOK, body)
}

// WritePage answers with a page that List made.
func WritePage(w http.ResponseWriter, r *http.Request, context string, p Page) {
	WriteCollection(w, r, context, p.Items, p.Count, p.NextLink)
}

// WriteCount answers a /$count request: a bare integer as plain text.
func WriteCount(w http.ResponseWriter, r *http.Request, n int) {
	w.Header().Set("Content-Type", "text/plain")
	send(w, r, http.StatusOK, []byte(strconv.Itoa(n)))
}

// WriteNoContent answers 204.
func WriteNoContent(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }

func contextURL(r *http.Request, context string) string {
	return Origin(r) + "/" + version(r) + "/$metadata#" + context
}

// encode leaves & < > as they are: links stay readable, and the content type keeps browsers from sniffing HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func writeJSON(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	w.Header().Set("Content-Type", contentType)
	send(w, r, status, body)
}

func send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil && !errors.Is(err, http.ErrBodyNotAllowed) {
		x := exchangeOf(r)
		x.log.InfoContext(r.Context(), "answer not delivered", slog.String("requestId", x.requestID), slog.Any("error", err))
	}
}
