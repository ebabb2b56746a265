package tokens

import (
	"context"
	"net/http"

	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/entity"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/token"
)

const (
	listContext   = "deviceAppManagement/vppTokens"
	entityContext = listContext + "/$entity"
)

func (s server) collection() graph.Collection {
	return graph.Collection{Schema: entity.TokenSchema(), Read: func(r *http.Request, _ graph.Query) (string, []graph.Entity, error) {
		all, err := s.all(r)
		return listContext, all, err
	}}
}

func (s server) all(r *http.Request) ([]graph.Entity, error) {
	docs, err := token.All(r.Context(), s.Store.ReadStore)
	if err != nil {
		return nil, err
	}
	locations := make([]string, len(docs))
	for i, doc := range docs {
		locations[i] = doc.Value.Location
	}
	states, err := token.LoadLocations(r.Context(), s.Store.ReadStore, locations)
	if err != nil {
		return nil, err
	}
	entities := make([]graph.Entity, len(docs))
	for i, doc := range docs {
		entities[i] = entity.Token(doc.Value, states[doc.Value.Location].Sync, s.World.Now(), graph.Beta(r))
	}
	return entities, nil
}

func (s server) get(w http.ResponseWriter, r *http.Request) error {
	q, err := graph.ParseQuery(r, entity.TokenSchema())
	if err != nil {
		return err
	}
	if err := q.Only("$select", "$expand"); err != nil {
		return err
	}
	doc, err := s.load(r)
	if err != nil {
		return err
	}
	e, err := s.entity(r.Context(), doc.Value, graph.Beta(r))
	if err != nil {
		return err
	}
	graph.WriteEntity(w, r, http.StatusOK, entityContext, q.Project(e))
	return nil
}

// load returns the record that the path names.
func (s server) load(r *http.Request) (token.Doc, error) {
	return token.Load(r.Context(), s.Store.ReadStore, door.ID(r.PathValue("id")))
}

func (s server) entity(ctx context.Context, r token.Record, beta bool) (graph.Entity, error) {
	state, err := token.LoadLocation(ctx, s.Store.ReadStore, r.Location)
	if err != nil {
		return nil, err
	}
	return entity.Token(r, state.Value.Sync, s.World.Now(), beta), nil
}

// answer writes one token.
func (s server) answer(w http.ResponseWriter, r *http.Request, status int, record token.Record) error {
	e, err := s.entity(r.Context(), record, graph.Beta(r))
	if err != nil {
		return err
	}
	graph.WriteEntity(w, r, status, entityContext, e)
	return nil
}
