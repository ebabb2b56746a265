package directory

import (
	"strings"

	"github.com/elimity-com/scim"
	"github.com/scim2/filter-parser/v2"

	"github.com/bookplate/bookplate/shared/directory"
)

// patchGroup applies the operations in order: those on attributes to g, those on members to m.
func patchGroup(g *directory.Group, m *directory.Membership, operations []scim.PatchOperation) error {
	for _, op := range operations {
		if op.Path == nil {
			return refuse(invalidPath, "The operation names no attribute.")
		}
		value, _ := op.Value.(string)
		if op.Op == scim.PatchOperationRemove {
			value = ""
		}
		switch strings.ToLower(op.Path.AttributePath.AttributeName) {
		case "displayname":
			g.DisplayName = value
		case "externalid":
			g.ExternalID = value
		case "kind":
			g.Kind = kindOf(value)
		case "members":
			if err := patchMembers(m, op); err != nil {
				return err
			}
		}
	}
	return nil
}

// kindOf reads our extension's kind; nothing means a group of users. What isn't a kind is refused when it is stored.
func kindOf(text string) directory.Kind {
	if text == "" {
		return directory.Users
	}
	return directory.Kind(strings.ToLower(text))
}

func patchMembers(m *directory.Membership, op scim.PatchOperation) error {
	if subAttribute(*op.Path) != "" {
		return refuse(mutability, "The parts of a member can't be changed; remove the member and add another.")
	}
	if op.Path.ValueExpression != nil {
		if op.Op != scim.PatchOperationRemove {
			return refuse(mutability, "A member can't be changed; remove it and add another.")
		}
		ids, err := memberIDs(op.Path.ValueExpression)
		m.Remove(ids...)
		return err
	}
	members := membersOf(op.Value)
	switch op.Op {
	case scim.PatchOperationAdd:
		m.Add(members...)
	case scim.PatchOperationReplace:
		m.Clear()
		m.Add(members...)
	case scim.PatchOperationRemove:
		// Entra without its compliance flag sends path "members" and the ones to remove as a value. Taking that for
		// "remove members" would empty the group.
		if op.Value == nil {
			m.Clear()
		}
		for _, member := range members {
			m.Remove(member.ID)
		}
	}
	return nil
}

// memberIDs reads members[value eq "a" or value eq "b"]; a type beside a value adds nothing, ids are unique.
func memberIDs(expression filter.Expression) ([]string, error) {
	refused := refuse(invalidPath, `In brackets after members the directory understands value eq "…", joined by or.`)
	switch x := expression.(type) {
	case *filter.LogicalExpression:
		left, errLeft := memberIDs(x.Left)
		right, errRight := memberIDs(x.Right)
		if x.Operator == filter.OR && errLeft == nil && errRight == nil {
			return append(left, right...), nil
		}
		if x.Operator == filter.AND && isType(x.Right) && errLeft == nil {
			return left, nil
		}
		if x.Operator == filter.AND && isType(x.Left) && errRight == nil {
			return right, nil
		}
	case *filter.AttributeExpression:
		id, isText := x.CompareValue.(string)
		if x.Operator == filter.EQ && strings.EqualFold(x.AttributePath.AttributeName, "value") && isText && id != "" {
			return []string{id}, nil
		}
	}
	return nil, refused
}

func isType(expression filter.Expression) bool {
	x, ok := expression.(*filter.AttributeExpression)
	return ok && x.Operator == filter.EQ && strings.EqualFold(x.AttributePath.AttributeName, "type")
}

// membersOf reads a list of members. Anything that says it isn't a user isn't one: its type, or where it refers to.
func membersOf(value any) []directory.Member {
	list, _ := value.([]any)
	members := make([]directory.Member, 0, len(list))
	for _, one := range list {
		parts := asObject(one)
		id, _ := parts["value"].(string)
		kind, _ := parts["type"].(string)
		ref, _ := parts["$ref"].(string)
		collection, last := tail(ref)
		if id == "" {
			id = last
		}
		switch {
		case kind != "" && !strings.EqualFold(kind, "User"):
			members = append(members, directory.Member{ID: id, Type: kind})
		case ref != "" && !strings.EqualFold(collection, "Users"):
			members = append(members, directory.Member{ID: id, Type: typeOf(collection)})
		default:
			members = append(members, directory.Member{ID: id})
		}
	}
	return members
}

// tail is the last two segments of a reference: "https://host/scim/v2/Users/7" gives "Users", "7".
func tail(ref string) (collection, id string) {
	segments := strings.Split(ref, "/")
	id = segments[len(segments)-1]
	if len(segments) > 1 {
		collection = segments[len(segments)-2]
	}
	return collection, id
}

// typeOf is the resource type of a collection, as far as its name tells.
func typeOf(collection string) string {
	if name := strings.TrimSuffix(collection, "s"); name != "" {
		return name
	}
	return "unknown"
}
