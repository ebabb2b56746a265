package assignments

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/entity"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
)

// assign replaces all assignments of a book, as every assign of Graph does.
func (s server) assign(w http.ResponseWriter, r *http.Request) error {
	asks, err := readAsks(w, r)
	if err != nil {
		return err
	}
	b, _, err := s.assignable(r)
	if err != nil {
		return err
	}
	if _, err := s.assigner().Replace(r.Context(), b, asks, auth.From(r.Context()).Subject); err != nil {
		return err
	}
	s.wake(r.Context(), b.Location)
	graph.WriteNoContent(w)
	return nil
}

// add adds one assignment.
func (s server) add(w http.ResponseWriter, r *http.Request) error {
	var body *assignment
	if err := graph.ReadBody(w, r, maxBody, &body); err != nil {
		return err
	}
	ask, err := body.ask("")
	if err != nil {
		return err
	}
	b, _, err := s.assignable(r)
	if err != nil {
		return err
	}
	wish, err := s.assigner().Add(r.Context(), b, ask, auth.From(r.Context()).Subject)
	if err != nil {
		return err
	}
	s.wake(r.Context(), b.Location)
	w.Header().Set("Location", graph.Origin(r)+r.URL.EscapedPath()+"/"+wish.ID)
	graph.WriteEntity(w, r, http.StatusCreated, entityContext(b), entity.Assignment(wish))
	return nil
}

// remove takes one assignment away, also where the location's token was deleted.
func (s server) remove(w http.ResponseWriter, r *http.Request) error {
	b, err := s.book(r)
	if err != nil {
		return err
	}
	if err := s.assigner().Remove(r.Context(), b, door.ID(r.PathValue("assignment")), auth.From(r.Context()).Subject); err != nil {
		return err
	}
	s.wake(r.Context(), b.Location)
	graph.WriteNoContent(w)
	return nil
}

func (s server) assigner() assign.Assigner {
	return assign.Assigner{
		Store: s.Store, Directory: s.Directory, World: s.World, Hold: s.Hold, ApprovalAbove: s.ApprovalAbove,
		PlanInline: s.PlanInline, SelfApproval: s.SelfApproval, Federated: s.Federated,
	}
}

func (s server) book(r *http.Request) (book.Book, error) {
	doc, err := book.Load(r.Context(), s.Store.ReadStore, door.ID(r.PathValue("id")))
	return doc.Value, err
}

// assignable is the book that the path names, if its location still has a token.
func (s server) assignable(r *http.Request) (book.Book, token.Record, error) {
	return s.assignableBook(r.Context(), door.ID(r.PathValue("id")))
}

func (s server) assignableBook(ctx context.Context, id string) (book.Book, token.Record, error) {
	doc, err := book.Load(ctx, s.Store.ReadStore, id)
	if err != nil {
		return book.Book{}, token.Record{}, err
	}
	b := doc.Value
	record, err := token.OfLocation(ctx, s.Store.ReadStore, b.Location)
	if errors.Is(err, table.ErrAbsent) {
		return book.Book{}, token.Record{}, problem.New(problem.NotFound, "TokenDeleted", "The token of the book's location was "+
			"deleted, so nothing can be given from it any more. Upload a token of location %s to go on.", b.Location)
	}
	if err != nil {
		return book.Book{}, token.Record{}, fmt.Errorf("reading the token of location %s: %w", b.Location, err)
	}
	return b, record.Value, nil
}

// wake has the location's worker look now, also when the wishes are on hold: readers needn't wait for that, and the worker
// asks for its next wake itself. It is a hint: a wake that fails is made good by the sweep.
func (s server) wake(ctx context.Context, location string) {
	if err := s.Queue.Wake(ctx, location, s.World.Now()); err != nil {
		s.Log.WarnContext(ctx, "location not woken; the sweep will", "location", location, "error", err)
	}
}
