package books

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/entity"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
)

const (
	listContext   = "deviceAppManagement/managedEBooks"
	entityContext = listContext + "/$entity"
	navAssigned   = "assignments"
)

func (s server) collection() graph.Collection {
	return graph.Collection{Schema: entity.BookSchema(), Read: func(r *http.Request, q graph.Query) (string, []graph.Entity, error) {
		all, err := s.all(r, q.Expands(navAssigned))
		return listContext, all, err
	}}
}

// all shows the books of every location that has a token, those that Apple no longer lists included: their licenses stay.
func (s server) all(r *http.Request, expand bool) ([]graph.Entity, error) {
	ctx := r.Context()
	records, err := token.All(ctx, s.Store)
	if err != nil {
		return nil, err
	}
	locations := make([]string, len(records))
	for i, doc := range records {
		locations[i] = doc.Value.Location
	}
	states, err := token.LoadLocations(ctx, s.Store, locations)
	if err != nil {
		return nil, err
	}
	var all []graph.Entity
	for i := range records {
		record := &records[i].Value
		wishes, err := s.wishesOf(ctx, record.Location, expand)
		if err != nil {
			return nil, err
		}
		counted := states[record.Location].Sync.Counted
		for doc, err := range book.OfLocation(ctx, s.Store, record.Location) {
			if err != nil {
				return nil, fmt.Errorf("reading the books of location %s: %w", record.Location, err)
			}
			e := entity.Book(doc.Value, record, counted, graph.Beta(r))
			if expand {
				expanded(r, e, doc.Value, wishes[doc.Value.ID])
			}
			all = append(all, e)
		}
	}
	return all, nil
}

// wishesOf are the wishes of a location by book.
func (s server) wishesOf(ctx context.Context, location string, wanted bool) (map[string][]assign.Wish, error) {
	if !wanted {
		return nil, nil
	}
	wishes := make(map[string][]assign.Wish)
	for doc, err := range assign.OfLocation(ctx, s.Store, location) {
		if err != nil {
			return nil, fmt.Errorf("reading the assignments of location %s: %w", location, err)
		}
		wishes[doc.Value.BookID] = doc.Value.List
	}
	return wishes, nil
}

// expanded puts a book's assignments into its entity.
func expanded(r *http.Request, e graph.Entity, b book.Book, wishes []assign.Wish) {
	version := "v1.0"
	if graph.Beta(r) {
		version = "beta"
	}
	list := make([]any, len(wishes))
	for i, w := range entity.Assignments(wishes) {
		list[i] = w
	}
	e[navAssigned] = list
	e[navAssigned+"@odata.context"] = graph.Origin(r) + "/" + version + "/$metadata#" + listContext +
		"('" + b.ID + "')/" + navAssigned
}

func (s server) get(w http.ResponseWriter, r *http.Request) error {
	q, err := graph.ParseQuery(r, entity.BookSchema())
	if err != nil {
		return err
	}
	if err := q.Only("$select", "$expand"); err != nil {
		return err
	}
	doc, err := book.Load(r.Context(), s.Store, door.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	b := doc.Value
	record, counted, err := s.stock(r.Context(), b.Location)
	if err != nil {
		return err
	}
	e := entity.Book(b, record, counted, graph.Beta(r))
	if q.Expands(navAssigned) {
		wishes, err := assign.Load(r.Context(), s.Store, b)
		if err != nil {
			return err
		}
		expanded(r, e, b, wishes.Value.List)
	}
	graph.WriteEntity(w, r, http.StatusOK, entityContext, q.Project(e))
	return nil
}

// stock is the token of a location, nil when it was deleted, and when the location's counts were last read.
func (s server) stock(ctx context.Context, location string) (*token.Record, time.Time, error) {
	state, err := token.LoadLocation(ctx, s.Store, location)
	if err != nil {
		return nil, time.Time{}, err
	}
	doc, err := token.OfLocation(ctx, s.Store, location)
	if errors.Is(err, table.ErrAbsent) {
		return nil, state.Value.Sync.Counted, nil
	}
	return &doc.Value, state.Value.Sync.Counted, err
}

func (server) refuseCreate(http.ResponseWriter, *http.Request) error {
	return problem.New(problem.Invalid, "BooksComeFromApple",
		"Books can't be made or uploaded here: they come from Apple only. Buy "+
			"licenses in Apple School Manager or Apple Business, and sync the token of the location "+
			"(POST /v1.0/deviceAppManagement/vppTokens/{id}/syncLicenses).")
}

func (server) refuseChange(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Allow", http.MethodGet+", "+http.MethodHead)
	return problem.New(problem.MethodNotAllowed, "",
		"Books can't be changed or deleted here: all that is known of them comes from "+
			"Apple, and given licenses stay given. What can be changed is whom a book is assigned to (POST %s/assign).",
		clip(r.URL.Path))
}

// management answers for the singleton that all of this hangs off; its properties are those of another store.
func (s server) management(w http.ResponseWriter, r *http.Request) error {
	schema := graph.Schema{Type: "microsoft.graph.deviceAppManagement", Properties: map[string]graph.Kind{
		"id": graph.String, "isEnabledForMicrosoftStoreForBusiness": graph.Bool,
		"microsoftStoreForBusinessLanguage":                         graph.String,
		"microsoftStoreForBusinessLastSuccessfulSyncDateTime":       graph.Time,
		"microsoftStoreForBusinessLastCompletedApplicationSyncTime": graph.Time,
	}}
	q, err := graph.ParseQuery(r, schema)
	if err != nil {
		return err
	}
	if err := q.Only("$select"); err != nil {
		return err
	}
	graph.WriteEntity(w, r, http.StatusOK, "deviceAppManagement/$entity", q.Project(graph.Entity{
		"id": "deviceAppManagement", "isEnabledForMicrosoftStoreForBusiness": false,
		"microsoftStoreForBusinessLanguage":                         nil,
		"microsoftStoreForBusinessLastSuccessfulSyncDateTime":       time.Time{},
		"microsoftStoreForBusinessLastCompletedApplicationSyncTime": time.Time{},
	}))
	return nil
}

// clip keeps what a message quotes of the caller's text short.
func clip(text string) string {
	const most = 120
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
