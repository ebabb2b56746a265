package assignments

import (
	"net/http"
	"slices"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/entity"
	"github.com/bookplate/bookplate/shared/graph"
)

func listContext(b book.Book) string {
	return "deviceAppManagement/managedEBooks('" + b.ID + "')/assignments"
}

func entityContext(b book.Book) string { return listContext(b) + "/$entity" }

func (s server) collection() graph.Collection {
	return graph.Collection{
		Schema: entity.AssignmentSchema(), Read: func(r *http.Request, _ graph.Query) (string, []graph.Entity, error) {
			b, wishes, err := s.wishes(r)
			return listContext(b), entity.Assignments(wishes), err
		},
	}
}

func (s server) get(w http.ResponseWriter, r *http.Request) error {
	q, err := graph.ParseQuery(r, entity.AssignmentSchema())
	if err != nil {
		return err
	}
	if err := q.Only("$select"); err != nil {
		return err
	}
	b, wishes, err := s.wishes(r)
	if err != nil {
		return err
	}
	id := door.ID(r.PathValue("assignment"))
	i := slices.IndexFunc(wishes, func(one assign.Wish) bool { return one.ID == id })
	if i < 0 {
		return assign.NoWish(b, id)
	}
	graph.WriteEntity(w, r, http.StatusOK, entityContext(b), q.Project(entity.Assignment(wishes[i])))
	return nil
}

func (s server) wishes(r *http.Request) (book.Book, []assign.Wish, error) {
	b, err := s.book(r)
	if err != nil {
		return book.Book{}, nil, err
	}
	doc, err := assign.Load(r.Context(), s.Store.ReadStore, b)
	return b, doc.Value.List, err
}
