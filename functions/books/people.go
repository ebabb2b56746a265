package books

import (
	"context"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/problem"
)

// who names a person as an answer shows them. People whom the directory has deleted keep their names.
type who struct {
	PersonID    string `json:"personId"`
	DisplayName string `json:"displayName"`
	UserName    string `json:"userName"`
	Deleted     bool   `json:"deleted,omitempty"`
}

func named(id string, p directory.Person) who { return who{id, p.Name(), p.UserName, p.Deleted} }

// cause is why a person got a title, or is to get it.
type cause struct {
	BookID       string `json:"bookId"`
	AssignmentID string `json:"assignmentId"`
	GroupID      string `json:"groupId"`
	GroupName    string `json:"groupName"`
	Intent       string `json:"intent"`
	Requester    string `json:"requester"`
	Approver     string `json:"approver,omitempty"`
}

// directoryNames are the names that one answer needs, each read once.
type directoryNames struct {
	people map[string]directory.Person
	groups map[string]string
}

func (s server) names(ctx context.Context, docs []license.Doc) (directoryNames, error) {
	names := directoryNames{groups: make(map[string]string)}
	ids := make([]string, len(docs))
	for i, doc := range docs {
		ids[i] = doc.Value.PersonID
		c := doc.Value.Cause
		if c == nil {
			continue
		}
		if _, known := names.groups[c.GroupID]; known {
			continue
		}
		if c.GroupID == assign.Everybody {
			names.groups[c.GroupID] = "All users"
			continue
		}
		group, err := s.Directory.GroupEvenDeleted(ctx, c.GroupID)
		if err != nil && problem.KindOf(err) != problem.NotFound {
			return names, err
		}
		names.groups[c.GroupID] = group.DisplayName
	}
	var err error
	names.people, err = s.Directory.People(ctx, ids)
	return names, err
}

func (n directoryNames) who(id string) who { return named(id, n.people[id]) }

func (n directoryNames) cause(c *license.Cause) *cause {
	if c == nil {
		return nil
	}
	return &cause{c.BookID, c.AssignmentID, c.GroupID, n.groups[c.GroupID], c.Intent, c.Requester, c.Approver}
}
