package assignments

import (
	"context"
	"errors"
	"net/http"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
)

// request takes a reader's word that they want a book, or a manager's on behalf of somebody.
func (s server) request(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Book   string `json:"book"`
		Person string `json:"person"`
	}
	if err := graph.ReadBody(w, r, maxBody, &body); err != nil {
		return err
	}
	caller := auth.From(r.Context())
	if caller.Role == auth.Viewer {
		return problem.New(problem.Forbidden, "", "This needs the role manager, or a reader's own access token. Ask an operator "+
			"for a token with that role.")
	}
	if body.Book == "" {
		return problem.New(problem.Invalid, "", "Say which book by its id: {\"book\": \"…\"}.").At("book")
	}
	person, err := s.concerned(r.Context(), caller, body.Person)
	if err != nil {
		return err
	}
	b, _, err := s.assignableBook(r.Context(), door.ID(body.Book))
	if err != nil {
		return at(err, "book")
	}
	asked, fresh, err := s.assigner().Request(r.Context(), b, person, caller.Subject)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if fresh {
		status = http.StatusCreated
		s.wake(r.Context(), b.Location)
	}
	shown, err := s.showRequests(r.Context(), []assign.Request{asked})
	if err != nil {
		return err
	}
	graph.WriteEntity(w, r, status, "bookplate/requests/$entity", shown[0])
	return nil
}

// concerned is the person whom a request is about: a reader themselves, whom the subject of their token names by
// externalId, or whomever a manager names.
func (s server) concerned(ctx context.Context, caller auth.Caller, named string) (directory.Person, error) {
	if caller.Role != auth.Reader {
		if named == "" {
			return directory.Person{}, problem.New(problem.Invalid, "",
				"Say for whom: {\"person\": \"<personId, userName or externalId>\"}.").At("person")
		}
		return s.Directory.FindPerson(ctx, named)
	}
	people, err := s.Directory.PeopleByExternalID(ctx, caller.Subject)
	if err != nil {
		return directory.Person{}, err
	}
	if len(people) != 1 {
		return directory.Person{}, problem.New(problem.Forbidden, "UnknownReader", "The access token is for %.80q, and the "+
			"directory has %d people with this externalId. Ask the operator who issued the token.", caller.Subject, len(people))
	}
	me := people[0]
	if named == "" {
		return me, nil
	}
	if other, err := s.Directory.FindPerson(ctx, named); err != nil || other.ID != me.ID {
		return directory.Person{}, problem.New(problem.Forbidden, "NotYourself",
			"A reader asks for books for themselves only. Leave the person out.").At("person")
	}
	return me, nil
}

// requests lists the requests for a book or of a person; readers see their own.
func (s server) requests(w http.ResponseWriter, r *http.Request) error {
	q, err := graph.ParseQuery(r, graph.Schema{})
	if err != nil {
		return err
	}
	if err := q.Only("$top", "$skiptoken"); err != nil {
		return err
	}
	read, err := s.requestsOf(r)
	if err != nil {
		return err
	}
	next, err := q.Cursor()
	if err != nil {
		return err
	}
	var found []assign.Request
	for { // an index's page may be empty and not the last
		var more []assign.Request
		more, next, err = read(max(q.Size()-len(found), 1), next)
		if errors.Is(err, table.ErrCursor) {
			return problem.New(problem.Invalid, "", "The link to the next page is damaged or belongs to another list. "+
				"Begin again at the first page.").At("$skiptoken").Because(err)
		}
		if err != nil {
			return err
		}
		if found = append(found, more...); next == "" || len(found) >= q.Size() {
			break
		}
	}
	shown, err := s.showRequests(r.Context(), found)
	if err != nil {
		return err
	}
	graph.WriteCollection(w, r, "bookplate/requests", shown, nil, graph.NextLink(r, next))
	return nil
}

type requestPage func(limit int, cursor string) ([]assign.Request, string, error)

func (s server) requestsOf(r *http.Request) (requestPage, error) {
	values, caller, ctx := r.URL.Query(), auth.From(r.Context()), r.Context()
	byBook, byPerson := values.Get("book") != "", values.Get("person") != ""
	if caller.Role != auth.Reader && byBook == byPerson {
		return nil, problem.New(problem.Invalid, "", "Say either for which book (book=<id>) or of which person "+
			"(person=<personId, userName or externalId>).").At("book")
	}
	if caller.Role != auth.Reader && byBook {
		b, err := book.Load(ctx, s.Store.ReadStore, door.ID(values.Get("book")))
		return func(limit int, cursor string) ([]assign.Request, string, error) {
			return assign.RequestsFor(ctx, s.Store.ReadStore, b.Value.ID, limit, cursor)
		}, at(err, "book")
	}
	person, err := s.concerned(ctx, caller, values.Get("person"))
	return func(limit int, cursor string) ([]assign.Request, string, error) {
		return assign.RequestsOf(ctx, s.Store.ReadStore, person.ID, limit, cursor)
	}, err
}

// at names the field at fault.
func at(err error, field string) error {
	if p, ok := problem.As(err); ok {
		return p.At(field)
	}
	return err
}
