package directory

import (
	"context"
	"net/http"
	"strings"

	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/problem"
)

func (s *server) createGroup(w http.ResponseWriter, r *http.Request) error {
	in, err := s.resource(w, r, s.groups)
	if err != nil {
		return err
	}
	var g directory.Group
	fillGroup(&g, in)
	var m directory.Membership
	m.Add(membersOf(in.attributes["members"])...)
	if g, err = s.Directory.CreateGroup(r.Context(), g, m); err != nil {
		return err
	}
	return s.writeGroup(w, r, http.StatusCreated, g)
}

// fillGroup gives g all attributes of a POST or PUT.
func fillGroup(g *directory.Group, in input) {
	g.DisplayName, _ = in.attributes["displayName"].(string)
	g.ExternalID, _ = in.attributes["externalId"].(string)
	kind, _ := object(in.attributes, ourGroupURN)["kind"].(string)
	g.Kind = kindOf(kind)
}

func (s *server) getGroup(w http.ResponseWriter, r *http.Request) error {
	g, err := s.Directory.Group(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.writeGroup(w, r, http.StatusOK, g)
}

// replaceGroup leaves the members as they are when the body has no list of them: whoever read the group without its
// members and puts it back mustn't empty it. An empty list empties it.
func (s *server) replaceGroup(w http.ResponseWriter, r *http.Request) error {
	in, err := s.resource(w, r, s.groups)
	if err != nil {
		return err
	}
	var m directory.Membership
	if list, said := in.attributes["members"]; said {
		m.Clear()
		m.Add(membersOf(list)...)
	}
	edit := func(g *directory.Group) error {
		fillGroup(g, in)
		return nil
	}
	g, err := s.Directory.ChangeGroup(r.Context(), r.PathValue("id"), ifMatch(r), edit, m)
	if err != nil {
		return err
	}
	return s.writeGroup(w, r, http.StatusOK, g)
}

// patchGroup answers without a body, as Entra recommends: nobody wants ten thousand members back for one.
func (s *server) patchGroup(w http.ResponseWriter, r *http.Request) error {
	in, err := s.operations(w, r, s.groups)
	if err != nil {
		return err
	}
	var m directory.Membership
	if err := patchGroup(&directory.Group{}, &m, in.operations); err != nil {
		return err
	}
	edit := func(g *directory.Group) error { return patchGroup(g, &directory.Membership{}, in.operations) }
	if _, err := s.Directory.ChangeGroup(r.Context(), r.PathValue("id"), ifMatch(r), edit, m); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *server) deleteGroup(w http.ResponseWriter, r *http.Request) error {
	if err := s.Directory.DeleteGroup(r.Context(), r.PathValue("id"), ifMatch(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// writeGroup answers with a group and its members, if they are wanted. After a write a group that is too large to show
// is shown without them: the write has happened.
func (s *server) writeGroup(w http.ResponseWriter, r *http.Request, status int, g directory.Group) error {
	wanted := selectionOf(r, s.groups)
	out := s.group(r, g)
	if wanted.wants("members") {
		members, all, err := s.Directory.Members(r.Context(), g.ID, maxMembers)
		if err != nil {
			return err
		}
		if all {
			out["members"] = s.members(r, members)
		} else if r.Method == http.MethodGet {
			return problem.New(problem.TooLarge, "", "The group has more than %d members, too many for one answer. "+
				"Ask with excludedAttributes=members.", maxMembers)
		}
	}
	writeResource(w, status, wanted, out)
	return nil
}

func (s *server) listGroups(w http.ResponseWriter, r *http.Request) error {
	p, err := pageOf(r)
	if err != nil {
		return err
	}
	var groups []directory.Group
	var total int
	if filter := strings.TrimSpace(r.URL.Query().Get("filter")); filter != "" {
		if groups, err = s.findGroups(r.Context(), filter); err != nil {
			return err
		}
		total, groups = len(groups), of(p, groups)
	} else if groups, total, err = s.Directory.ListGroups(r.Context(), p.start-1, p.count); err != nil {
		return err
	}
	resources, err := s.renderGroups(r, groups)
	if err != nil {
		return err
	}
	writeList(w, p, total, resources)
	return nil
}

// renderGroups shows groups with their members where they are wanted and few: a list shows at most maxListMembers, and
// a group never with a part of its members.
func (s *server) renderGroups(r *http.Request, groups []directory.Group) ([]map[string]any, error) {
	wanted := selectionOf(r, s.groups)
	var members map[string][]directory.Member
	if wanted.wants("members") && len(groups) > 0 {
		ids := make([]string, len(groups))
		for i, g := range groups {
			ids[i] = g.ID
		}
		var err error
		if members, err = s.Directory.MembersOfEach(r.Context(), ids, maxListMembers/len(groups)); err != nil {
			return nil, err
		}
	}
	var resources []map[string]any
	for _, g := range groups {
		out := s.group(r, g)
		if list, few := members[g.ID]; few {
			out["members"] = s.members(r, list)
		}
		resources = append(resources, wanted.from(out))
	}
	return resources, nil
}

func (s *server) findGroups(ctx context.Context, filter string) ([]directory.Group, error) {
	wishes, err := s.groups.parseFilter(filter, []string{"id", "externalId", "displayName", "members.value"})
	if err != nil {
		return nil, err
	}
	byID := func(ctx context.Context, id string) ([]directory.Group, error) {
		return s.Directory.GroupsByID(ctx, id)
	}
	find := map[string]func(context.Context, string) ([]directory.Group, error){
		"id": byID, "externalid": s.Directory.GroupsByExternalID,
		"displayname": s.Directory.GroupsByDisplayName, "members.value": s.groupsWith,
	}
	candidates, err := find[wishes[0].attribute](ctx, wishes[0].text())
	if err != nil {
		return nil, err
	}
	return s.groupsMeeting(ctx, candidates, wishes)
}

func (s *server) groupsWith(ctx context.Context, member string) ([]directory.Group, error) {
	ids, err := s.Directory.GroupsOf(ctx, member)
	if err != nil {
		return nil, err
	}
	return s.Directory.GroupsByID(ctx, ids...)
}

func (s *server) groupsMeeting(
	ctx context.Context, candidates []directory.Group, wishes []wish,
) ([]directory.Group, error) {
	var groups []directory.Group
	for _, g := range candidates {
		meets := true
		for _, w := range wishes {
			ok, err := s.groupMeets(ctx, g, w)
			if err != nil {
				return nil, err
			}
			meets = meets && ok
		}
		if meets {
			groups = append(groups, g)
		}
	}
	return groups, nil
}

func (s *server) groupMeets(ctx context.Context, g directory.Group, w wish) (bool, error) {
	switch w.attribute {
	case "id":
		return g.ID == w.text(), nil
	case "externalid":
		return g.ExternalID == w.text(), nil
	case "displayname":
		return strings.EqualFold(g.DisplayName, w.text()), nil
	}
	return s.Directory.Holds(ctx, g.ID, w.text())
}
