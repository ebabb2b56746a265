package graph_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
)

func TestErrorsHaveTheShapeOfOData(t *testing.T) {
	for name, err := range map[string]error{
		"invalid": problem.New(problem.Invalid, "", "Books can't be uninstalled. Use available or required.").
			At("managedEBookAssignments[0].installIntent"),
		"own-code": problem.New(problem.Conflict, "TokenOwnedElsewhere", "Another server manages this location.").
			Because(errors.New("cause for the log")),
		"unauthenticated":   problem.New(problem.Unauthenticated, "", "The access token expired."),
		"throttled":         problem.New(problem.TooManyRequests, "", "Too many requests."),
		"unavailable-later": &problem.Error{Kind: problem.Unavailable, Message: "Apple is down.", RetryAfter: 2500 * time.Millisecond},
		"unavailable-long":  &problem.Error{Kind: problem.Unavailable, Message: "Apple is down.", RetryAfter: time.Hour},
		"wrapped":           fmt.Errorf("load: %w", problem.New(problem.NotFound, "", "There is no such book.")),
		"ours":              errors.New("disk on fire at /secret/place"),
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(graph.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return err }))
			r := get("http://books.example/v1.0/x")
			r.Header.Set("client-request-id", "the-client's-own")
			golden(t, "error-"+name+".txt", shape(s.do(r)))
		})
	}
}

func TestWhatTheCallerMayNotSeeIsLogged(t *testing.T) {
	for _, err := range []error{
		errors.New("the cause"),
		problem.New(problem.Conflict, "", "No.").Because(errors.New("the cause")),
	} {
		s := serve(graph.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return err }))
		w := s.do(get("http://books.example/v1.0/x"))
		if strings.Contains(w.Body.String(), "the cause") {
			t.Errorf("answer tells the cause: %s", w.Body)
		}
		if !strings.Contains(s.log.String(), "the cause") {
			t.Errorf("log lacks the cause: %s", s.log)
		}
	}
}

func TestEveryKindHasItsCode(t *testing.T) {
	seen := map[string]bool{}
	for k := problem.Internal; k <= problem.Upstream; k++ {
		s := serve(graph.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return problem.New(k, "", "No.") }))
		w := s.do(get("http://books.example/v1.0/x"))
		_, rest, _ := strings.Cut(w.Body.String(), `"code":"`)
		code, _, _ := strings.Cut(rest, `"`)
		if w.Code != k.Status() || code == "" || seen[code] {
			t.Errorf("kind %d: status %d, code %q (again: %v)", k, w.Code, code, seen[code])
		}
		seen[code] = true
	}
}

func TestAnswersHaveGraphsShape(t *testing.T) {
	three := 3
	type book struct {
		Type string `json:"@odata.type"`
		ID   string `json:"id"`
		Name string `json:"displayName"`
	}
	petit := book{"#microsoft.graph.iosVppEBook", "b1", "Le Petit Prince & <Co>"}
	const books = "deviceAppManagement/managedEBooks"
	for name, h := range map[string]http.HandlerFunc{
		"collection": func(w http.ResponseWriter, r *http.Request) {
			graph.WriteCollection(w, r, books, []book{petit}, &three, graph.NextLink(r, "after b1"))
		},
		"collection-empty": func(w http.ResponseWriter, r *http.Request) {
			graph.WriteCollection[book](w, r, books, nil, nil, "")
		},
		"entity": func(w http.ResponseWriter, r *http.Request) {
			graph.WriteEntity(w, r, http.StatusCreated, books+"/$entity", petit)
		},
		"entity-empty": func(w http.ResponseWriter, r *http.Request) {
			graph.WriteEntity(w, r, http.StatusOK, books+"/$entity", graph.Entity{})
		},
		"entity-not-an-object": func(w http.ResponseWriter, r *http.Request) {
			graph.WriteEntity(w, r, http.StatusOK, books+"/$entity", []int{1})
		},
		"entity-not-json": func(w http.ResponseWriter, r *http.Request) {
			graph.WriteEntity(w, r, http.StatusOK, books+"/$entity", func() {})
		},
		"count":      func(w http.ResponseWriter, r *http.Request) { graph.WriteCount(w, r, 4) },
		"no-content": func(w http.ResponseWriter, _ *http.Request) { graph.WriteNoContent(w) },
	} {
		t.Run(name, func(t *testing.T) {
			r := get("http://books.example/beta/deviceAppManagement/managedEBooks?$filter=displayName%20eq%20%27L%27%27%C3%AEle%27&$top=1&$skip=2")
			golden(t, "answer-"+name+".txt", shape(serve(h).do(r)))
		})
	}
}

func TestErrorsSayCharactersAsTheyAre(t *testing.T) {
	w := httptest.NewRecorder()
	graph.WriteError(w, get("http://books.example/x"), problem.New(problem.Invalid, "", "Write book=<id>&person=<id>."))
	if !strings.Contains(w.Body.String(), "book=<id>&person=<id>") {
		t.Error(w.Body)
	}
}
