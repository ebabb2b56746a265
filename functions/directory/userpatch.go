package directory

import (
	"slices"
	"strings"

	"github.com/elimity-com/scim"
	"github.com/scim2/filter-parser/v2"

	"github.com/bookplate/bookplate/shared/directory"
)

// patchPerson applies the operations in order. They have been validated, and every one has a path.
func patchPerson(p *directory.Person, operations []scim.PatchOperation) error {
	for _, op := range operations {
		if op.Path == nil {
			return refuse(invalidPath, "The operation names no attribute.")
		}
		attribute, sub := strings.ToLower(op.Path.AttributePath.AttributeName), strings.ToLower(subAttribute(*op.Path))
		if attribute == "emails" {
			emails, err := patchEmails(p.Emails, op, sub)
			if err != nil {
				return err
			}
			p.Emails = emails
			continue
		}
		if op.Path.ValueExpression != nil && textOf(p, attribute, sub) != nil {
			return refuse(invalidPath, "The attribute %.80q has one value; a filter on it means nothing.", attribute)
		}
		patchPlain(p, op, attribute, sub)
	}
	return nil
}

func patchPlain(p *directory.Person, op scim.PatchOperation, attribute, sub string) {
	value := op.Value
	if op.Op == scim.PatchOperationRemove {
		value = ""
	}
	setText(textOf(p, attribute, sub), value)
	switch {
	case attribute == "active":
		// Whoever is no longer said to be active isn't: a gift too few can be made good, one too many can't.
		p.Active, _ = op.Value.(bool)
		p.Active = p.Active && op.Op != scim.PatchOperationRemove
	case attribute == "name" && sub == "" && op.Op == scim.PatchOperationRemove:
		p.FormattedName, p.GivenName, p.FamilyName = "", "", ""
	}
}

// patchEmails applies one operation to the addresses and returns them; the given ones may be changed.
func patchEmails(emails []directory.Email, op scim.PatchOperation, sub string) ([]directory.Email, error) {
	if op.Path.ValueExpression == nil && sub == "" {
		return patchAllEmails(emails, op), nil
	}
	parts := map[string]any{sub: op.Value}
	if sub == "" {
		parts = asObject(op.Value)
	}
	matched := false
	for i := range emails {
		if op.Path.ValueExpression != nil {
			matches, err := emailMatches(emails[i], op.Path.ValueExpression)
			if err != nil {
				return nil, err
			}
			if !matches {
				continue
			}
		}
		matched = true
		switch {
		case op.Op != scim.PatchOperationRemove:
			setEmail(&emails[i], parts)
			emails = onePrimary(emails, i)
		case sub == "":
			emails[i].Value = ""
		default:
			setEmail(&emails[i], map[string]any{sub: nil})
		}
	}
	if !matched && op.Op != scim.PatchOperationRemove {
		// Entra changes the address of type work whether there is one or not.
		var e directory.Email
		if err := fillFrom(&e, op.Path.ValueExpression); err != nil {
			return nil, err
		}
		setEmail(&e, parts)
		emails = onePrimary(append(emails, e), len(emails))
	}
	return slices.DeleteFunc(emails, func(e directory.Email) bool { return e.Value == "" }), nil
}

func patchAllEmails(emails []directory.Email, op scim.PatchOperation) []directory.Email {
	given := emailsOf(op.Value)
	switch op.Op {
	case scim.PatchOperationReplace:
		return given
	case scim.PatchOperationRemove:
		if op.Value == nil {
			return nil
		}
		return slices.DeleteFunc(emails, func(e directory.Email) bool {
			return slices.ContainsFunc(given, func(g directory.Email) bool { return sameEmail(e, g) })
		})
	}
	for _, g := range given {
		at := slices.IndexFunc(emails, func(e directory.Email) bool { return sameEmail(e, g) })
		if at < 0 {
			at, emails = len(emails), append(emails, g)
		}
		emails[at] = g
		emails = onePrimary(emails, at)
	}
	return emails
}

func sameEmail(a, b directory.Email) bool {
	return strings.EqualFold(a.Value, b.Value) && strings.EqualFold(a.Type, b.Type)
}

// onePrimary lets the address at i be the only primary one, if it is one (RFC 7643, section 2.4).
func onePrimary(emails []directory.Email, i int) []directory.Email {
	for j := range emails {
		emails[j].Primary = emails[j].Primary && (j == i || !emails[i].Primary)
	}
	return emails
}

// emailMatches evaluates a filter in brackets: eq, joined by and, or.
func emailMatches(e directory.Email, expression filter.Expression) (bool, error) {
	switch x := expression.(type) {
	case *filter.LogicalExpression:
		left, err := emailMatches(e, x.Left)
		if err != nil {
			return false, err
		}
		right, err := emailMatches(e, x.Right)
		if x.Operator == filter.OR {
			return left || right, err
		}
		return left && right, err
	case *filter.AttributeExpression:
		if x.Operator == filter.EQ {
			return emailHas(e, strings.ToLower(x.AttributePath.AttributeName), x.CompareValue), nil
		}
	}
	return false, refuse(invalidPath, "In brackets after emails the directory understands eq, and, or.")
}

func emailHas(e directory.Email, attribute string, value any) bool {
	text, _ := value.(string)
	switch attribute {
	case "value":
		return strings.EqualFold(e.Value, text)
	case "type":
		return strings.EqualFold(e.Type, text)
	case "display":
		return e.Display == text
	case "primary":
		primary, ok := value.(bool)
		return ok && e.Primary == primary
	}
	return false
}

// fillFrom makes a new address meet the filter that found none: it understands eq, joined by and.
func fillFrom(e *directory.Email, expression filter.Expression) error {
	switch x := expression.(type) {
	case nil:
		return nil
	case *filter.LogicalExpression:
		if x.Operator == filter.AND {
			if err := fillFrom(e, x.Left); err != nil {
				return err
			}
			return fillFrom(e, x.Right)
		}
	case *filter.AttributeExpression:
		if x.Operator == filter.EQ {
			setEmail(e, map[string]any{x.AttributePath.AttributeName: x.CompareValue})
			return nil
		}
	}
	return refuse(invalidPath, "No address matches, and none can be made from this filter.")
}
