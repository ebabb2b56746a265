package directory

import (
	"strings"

	"github.com/elimity-com/scim"

	"github.com/bookplate/bookplate/shared/directory"
)

// textOf is where a person keeps a text attribute; nil for one that isn't kept. Names are lower case; sub is empty for
// a plain attribute.
func textOf(p *directory.Person, attribute, sub string) *string {
	switch [2]string{attribute, sub} {
	case [2]string{"username"}:
		return &p.UserName
	case [2]string{"externalid"}:
		return &p.ExternalID
	case [2]string{"displayname"}:
		return &p.DisplayName
	case [2]string{"name", "formatted"}:
		return &p.FormattedName
	case [2]string{"name", "givenname"}:
		return &p.GivenName
	case [2]string{"name", "familyname"}:
		return &p.FamilyName
	case [2]string{"employeenumber"}:
		return &p.EmployeeNumber
	case [2]string{"managedappleaccount"}:
		return &p.ManagedAppleAccount
	}
	return nil
}

// fillPerson gives p all attributes of a POST or PUT; what isn't given is emptied, except Active, which stays.
func fillPerson(p *directory.Person, given scim.ResourceAttributes) {
	*p = directory.Person{Active: p.Active}
	for _, attributes := range []map[string]any{given, object(given, enterpriseURN), object(given, ourUserURN)} {
		for name, value := range attributes {
			name = strings.ToLower(name)
			for sub, part := range asObject(value) {
				setText(textOf(p, name, strings.ToLower(sub)), part)
			}
			setText(textOf(p, name, ""), value)
		}
	}
	if active, said := given["active"].(bool); said {
		p.Active = active
	}
	p.Emails = emailsOf(given["emails"])
}

func setText(to *string, value any) {
	if text, ok := value.(string); ok && to != nil {
		*to = text
	}
}

// object returns attributes[name] as an object; nil if it isn't one.
func object(attributes map[string]any, name string) map[string]any { return asObject(attributes[name]) }

func asObject(value any) map[string]any {
	switch value := value.(type) {
	case map[string]any:
		return value
	case scim.ResourceAttributes:
		return value
	}
	return nil
}

func emailsOf(value any) []directory.Email {
	var emails []directory.Email
	list, _ := value.([]any)
	for _, one := range list {
		var e directory.Email
		setEmail(&e, asObject(one))
		if e.Value != "" {
			emails = append(emails, e)
		}
	}
	return emails
}

// setEmail gives an address the parts that are named; nil empties one.
func setEmail(e *directory.Email, parts map[string]any) {
	for name, value := range parts {
		text, _ := value.(string)
		switch strings.ToLower(name) {
		case "value":
			e.Value = text
		case "type":
			e.Type = text
		case "display":
			e.Display = text
		case "primary":
			e.Primary, _ = value.(bool)
		}
	}
}
