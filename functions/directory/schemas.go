package directory

import (
	"slices"

	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
)

// The URNs of what we store. A custom URN must have this form for Entra to map it.
const (
	userURN       = schema.UserSchema
	groupURN      = schema.GroupSchema
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	ourUserURN    = "urn:ietf:params:scim:schemas:extension:bookplate:2.0:User"
	ourGroupURN   = "urn:ietf:params:scim:schemas:extension:bookplate:2.0:Group"
)

// shape is a resource type's schema and extensions.
type shape struct {
	name, endpoint string
	core           schema.Schema
	extensions     []schema.Schema
}

// accepted is what a provider may send: all of RFC 7643, and our extensions.
func accepted() (users, groups shape) {
	users = shape{"User", "/Users", schema.CoreUserSchema(), []schema.Schema{schema.ExtensionEnterpriseUser(), ourUser()}}
	groups = shape{"Group", "/Groups", schema.CoreGroupSchema(), []schema.Schema{ourGroup()}}
	return users, groups
}

// advertised is what we keep and give back: what /Schemas shows and an administrator should map.
func advertised() (users, groups shape) {
	users, groups = accepted()
	users.core.Attributes = only(users.core.Attributes, "userName", "displayName", "active", "emails")
	users.core.Attributes = append(users.core.Attributes, schema.ComplexCoreAttribute(schema.ComplexParams{
		Description:   optional.NewString("The parts of the person's name."),
		Name:          "name",
		SubAttributes: []schema.SimpleParams{text("formatted", ""), text("familyName", ""), text("givenName", "")},
	}))
	users.extensions[0].Attributes = only(users.extensions[0].Attributes, "employeeNumber")
	groups.core.Attributes = append(only(groups.core.Attributes, "displayName"),
		schema.ComplexCoreAttribute(schema.ComplexParams{
			Description: optional.NewString("Who is in the group. What isn't a User is kept apart and never gets a book."),
			Name:        "members", MultiValued: true,
			SubAttributes: []schema.SimpleParams{
				text("value", "The id of the member."),
				schema.SimpleStringParams(schema.StringParams{
					Name: "type", Description: optional.NewString("User, or what else it is."),
					CanonicalValues: []string{"User", "Group", "Device"},
				}),
				schema.SimpleReferenceParams(schema.ReferenceParams{
					Name: "$ref", Description: optional.NewString("Where the member is."),
					ReferenceTypes: []schema.AttributeReferenceType{"User"},
				}),
			},
		}))
	return users, groups
}

func only(all schema.Attributes, names ...string) schema.Attributes {
	var some schema.Attributes
	for _, a := range all {
		if slices.Contains(names, a.Name()) {
			some = append(some, a)
		}
	}
	return some
}

func text(name, description string) schema.SimpleParams {
	if description == "" {
		description = "See RFC 7643, section 4.1."
	}
	return schema.SimpleStringParams(schema.StringParams{Name: name, Description: optional.NewString(description)})
}

func ourUser() schema.Schema {
	return schema.Schema{
		ID: ourUserURN, Name: optional.NewString("Bookplate User"),
		Description: optional.NewString("What Bookplate needs to know of a person beyond the core."),
		Attributes: schema.Attributes{schema.SimpleCoreAttribute(text("managedAppleAccount",
			"The person's Managed Apple Account. Map it only where it isn't the userName."))},
	}
}

func ourGroup() schema.Schema {
	return schema.Schema{
		ID: ourGroupURN, Name: optional.NewString("Bookplate Group"),
		Description: optional.NewString("What Bookplate needs to know of a group beyond the core."),
		Attributes: schema.Attributes{schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{
			Name:            "kind",
			CanonicalValues: []string{"users", "devices"},
			Description:     optional.NewString("What the group is made of; users unless said. Books go to groups of users."),
		}))},
	}
}

// resourceType is the shape as the library takes it.
func (s shape) resourceType(handler scim.ResourceHandler) scim.ResourceType {
	t := scim.ResourceType{
		ID: optional.NewString(s.name), Name: s.name, Endpoint: s.endpoint, Schema: s.core,
		Description: optional.NewString(s.name), Handler: handler,
	}
	for _, e := range s.extensions {
		t.SchemaExtensions = append(t.SchemaExtensions, scim.SchemaExtension{Schema: e})
	}
	return t
}
