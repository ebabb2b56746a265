package measure

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

// Kind is a kind of request to Apple.
type Kind string

// The kinds. Rows are those of Apple's answers.
const (
	Associates     Kind = "associates"
	Creates        Kind = "user creates"
	AssociatePolls Kind = "polls of associates"
	CreatePolls    Kind = "polls of user creates"
	CountReads     Kind = "count reads"
	DeltaPages     Kind = "delta pages"
	UserDeltaPages Kind = "user delta pages"
	LookUps        Kind = "look-ups"
	Others         Kind = "others"
)

// Wire counts the requests to Apple. It is safe for concurrent use.
type Wire struct {
	mu     sync.Mutex
	counts map[Kind]int
	rows   map[Kind]int
	events map[string]Kind // what the polls of an event are
}

// NewWire returns a count of nothing.
func NewWire() *Wire {
	return &Wire{counts: map[Kind]int{}, rows: map[Kind]int{}, events: map[string]Kind{}}
}

// Counts is how many requests came, by kind.
func (w *Wire) Counts() map[Kind]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.counts)
}

// Rows is how many rows were answered, by kind.
func (w *Wire) Rows() map[Kind]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.rows)
}

// Tap counts a request, and has next answer it.
func (w *Wire) Tap(r *http.Request, next http.RoundTripper) (*http.Response, error) {
	kind := w.kindOf(r)
	answer, err := next.RoundTrip(r)
	if err != nil {
		w.count(kind, head{})
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("reading an answer of the fake: %w", err)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	var h head
	// An answer that isn't JSON (the catalog has such) names no event and has no rows.
	_ = json.Unmarshal(body, &h)
	w.count(kind, h)
	return answer, nil
}

// head is what is counted of an answer.
type head struct {
	EventID string `json:"eventId"`
	Size    int    `json:"size"`
}

func (w *Wire) count(kind Kind, h head) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[kind]++
	w.rows[kind] += h.Size
	switch {
	case h.EventID == "":
	case kind == Associates:
		w.events[h.EventID] = AssociatePolls
	case kind == Creates:
		w.events[h.EventID] = CreatePolls
	}
}

func (w *Wire) kindOf(r *http.Request) Kind {
	query := r.URL.Query()
	switch strings.TrimPrefix(r.URL.Path, "/mdm/v2") {
	case "/assets/associate":
		return Associates
	case "/users/create":
		return Creates
	case "/status":
		w.mu.Lock()
		defer w.mu.Unlock()
		if kind, known := w.events[query.Get("eventId")]; known {
			return kind
		}
	case "/assets":
		return CountReads
	case "/assignments":
		if query.Has("sinceVersionId") {
			return DeltaPages
		}
		return LookUps
	case "/users":
		if query.Has("sinceVersionId") {
			return UserDeltaPages
		}
		return LookUps
	}
	return Others
}

// Library is a fake's one location: so many titles, each with a license for every reader.
func Library(titles, readers int, domain string) applefake.LocationSpec {
	spec := applefake.LocationSpec{Name: "Library", Country: "US", Platform: applefake.Education, Org: "MADE-UP-SCHOOL"}
	spec.Domains = []string{domain}
	for i := range titles {
		spec.Stock = append(spec.Stock, applefake.Stock{
			AdamID: fmt.Sprint(900000001 + i), Total: readers, Title: applefake.Title{Name: fmt.Sprint("Book ", i+1)},
		})
	}
	return spec
}
