package directory

import (
	"context"
	"net/http"
	"strings"

	"github.com/bookplate/bookplate/shared/directory"
)

func (s *server) createUser(w http.ResponseWriter, r *http.Request) error {
	in, err := s.resource(w, r, s.users)
	if err != nil {
		return err
	}
	p := directory.Person{Active: true} // unless the provider says otherwise
	fillPerson(&p, in.attributes)
	if p, err = s.Directory.CreatePerson(r.Context(), p); err != nil {
		return err
	}
	writeResource(w, http.StatusCreated, selectionOf(r, s.users), s.user(r, p))
	return nil
}

func (s *server) getUser(w http.ResponseWriter, r *http.Request) error {
	p, err := s.Directory.Person(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	writeResource(w, http.StatusOK, selectionOf(r, s.users), s.user(r, p))
	return nil
}

// replaceUser leaves active as it was when the body doesn't say: a PUT mustn't enable somebody by accident.
func (s *server) replaceUser(w http.ResponseWriter, r *http.Request) error {
	in, err := s.resource(w, r, s.users)
	if err != nil {
		return err
	}
	return s.editUser(w, r, func(p *directory.Person) error {
		fillPerson(p, in.attributes)
		return nil
	})
}

func (s *server) patchUser(w http.ResponseWriter, r *http.Request) error {
	in, err := s.operations(w, r, s.users)
	if err != nil {
		return err
	}
	return s.editUser(w, r, func(p *directory.Person) error { return patchPerson(p, in.operations) })
}

func (s *server) editUser(w http.ResponseWriter, r *http.Request, edit func(*directory.Person) error) error {
	p, err := s.Directory.ChangePerson(r.Context(), r.PathValue("id"), ifMatch(r), edit)
	if err != nil {
		return err
	}
	writeResource(w, http.StatusOK, selectionOf(r, s.users), s.user(r, p))
	return nil
}

func (s *server) deleteUser(w http.ResponseWriter, r *http.Request) error {
	if err := s.Directory.DeletePerson(r.Context(), r.PathValue("id"), ifMatch(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *server) listUsers(w http.ResponseWriter, r *http.Request) error {
	p, err := pageOf(r)
	if err != nil {
		return err
	}
	var people []directory.Person
	var total int
	if filter := strings.TrimSpace(r.URL.Query().Get("filter")); filter != "" {
		if people, err = s.findUsers(r.Context(), filter); err != nil {
			return err
		}
		total, people = len(people), of(p, people)
	} else if people, total, err = s.Directory.ListPeople(r.Context(), p.start-1, p.count); err != nil {
		return err
	}
	wanted := selectionOf(r, s.users)
	var resources []map[string]any
	for _, one := range people {
		resources = append(resources, wanted.from(s.user(r, one)))
	}
	writeList(w, p, total, resources)
	return nil
}

func (s *server) findUsers(ctx context.Context, filter string) ([]directory.Person, error) {
	wishes, err := s.users.parseFilter(filter, []string{"id", "userName", "externalId", "emails.value"})
	if err != nil {
		return nil, err
	}
	find := map[string]func(context.Context, string) ([]directory.Person, error){
		"id": s.Directory.PeopleByID, "username": s.Directory.PeopleByUserName,
		"externalid": s.Directory.PeopleByExternalID, "emails.value": s.Directory.PeopleByEmail,
	}
	candidates, err := find[wishes[0].attribute](ctx, wishes[0].text())
	return meeting(candidates, wishes), err
}

func meeting(candidates []directory.Person, wishes []wish) []directory.Person {
	var people []directory.Person
	for _, p := range candidates {
		meets := true
		for _, w := range wishes {
			meets = meets && personMeets(p, w)
		}
		if meets {
			people = append(people, p)
		}
	}
	return people
}

func personMeets(p directory.Person, w wish) bool {
	switch w.attribute {
	case "id":
		return p.ID == w.text()
	case "username":
		return strings.EqualFold(p.UserName, w.text())
	case "externalid":
		return p.ExternalID == w.text()
	}
	for _, e := range p.Emails {
		meets := emailHas(e, "value", w.value)
		for _, also := range w.of {
			meets = meets && emailHas(e, also.attribute, also.value)
		}
		if meets {
			return true
		}
	}
	return false
}
