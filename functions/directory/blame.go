package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	scimerrors "github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/schema"
	"github.com/scim2/filter-parser/v2"
)

// The library refuses a body in general words. What follows finds the attribute at fault, which is what somebody who maps
// attributes in an identity provider has to know. Status and scimType stay the library's.

const remedy = "Correct the attribute mapping in the identity provider."

// blameResource names the attribute of a refused POST or PUT in the error, if it can be found.
func (s shape) blameResource(err error, body []byte) error {
	object, bad := decodeObject(body)
	if bad != nil {
		return err
	}
	if fault := faultIn("", append(slices.Clone(s.core.Attributes), externalID()), object); fault != "" {
		return detailed(err, fault)
	}
	for _, ext := range s.extensions {
		given := object[ext.ID]
		attributes, isObject := given.(map[string]any)
		if given != nil && !isObject {
			return detailed(err, ext.ID+": It must be an object. "+remedy)
		}
		if fault := faultIn(ext.ID+":", ext.Attributes, attributes); isObject && fault != "" {
			return detailed(err, fault)
		}
	}
	if _, refused := (schema.Schema{ID: s.core.ID}).Validate(object); refused != nil {
		return detailed(err, fmt.Sprintf("schemas: It must be a list with %q in it.", s.core.ID))
	}
	return err
}

// faultIn is what is wrong with the first of the attributes that doesn't fit its definition; empty if all do.
func faultIn(prefix string, attributes schema.Attributes, given map[string]any) string {
	for _, attr := range attributes {
		alone := schema.Schema{Attributes: schema.Attributes{attr}}
		_, refused := alone.ValidateExtension(given)
		if refused == nil {
			continue
		}
		name, value := prefix+attr.Name(), field(given, attr.Name())
		switch {
		case refused.ScimType == scimerrors.ScimTypeInvalidSyntax && value != nil && !deeper(value):
			return name + ": It is there more than once, in other letter case. Send it once."
		case value == nil:
			return name + ": It is required and missing. " + remedy
		}
		return faultOf(name, attr, value)
	}
	return ""
}

// deeper says that a fault may be in a part of the value.
func deeper(value any) bool {
	switch value.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

// faultOf is what is wrong with a value that is refused: if need be with a part of it.
func faultOf(name string, attr schema.CoreAttribute, value any) string {
	list, isList := value.([]any)
	if isList = isList && attr.MultiValued(); !isList {
		list = []any{value}
	}
	for i, v := range list {
		parts, isObject := v.(map[string]any)
		place := name
		if isList {
			place = fmt.Sprintf("%s[%d]", name, i)
		}
		if !isObject || attr.AttributeType() != "complex" {
			if _, refused := attr.ValidateSingular(v); refused != nil {
				return place + ": It must be " + kinds[attr.AttributeType()] + ". " + remedy
			}
			continue
		}
		if fault := faultIn(place+".", attr.SubAttributes(), parts); fault != "" {
			return fault
		}
	}
	return name + ": It doesn't fit the schema, which /Schemas shows. " + remedy
}

// kinds are the types of attributes in words.
var kinds = map[string]string{
	"boolean": "true or false", "complex": "an object", "string": "a text", "reference": "a text", "binary": "a text in base64",
	"dateTime": "a time like 2030-09-01T08:00:00Z", "decimal": "a number", "integer": "a whole number",
}

// blameOperation names the operation of a refused PATCH in the error, and its attribute.
func (s shape) blameOperation(ctx context.Context, l library, err error, body []byte) error {
	object, bad := decodeObject(body)
	if bad != nil {
		return err
	}
	operations, _ := object["Operations"].([]any)
	for _, op := range operations {
		alone, bad := json.Marshal(map[string]any{"schemas": []string{patchSchema}, "Operations": []any{op}})
		if bad != nil {
			return err
		}
		if _, refused := l.read(ctx, http.MethodPatch, s.endpoint, alone); refused != nil {
			return detailed(refused, s.faultOfOperation(op))
		}
	}
	if list, _ := object["schemas"].([]any); len(list) != 1 || list[0] != patchSchema {
		return detailed(err, fmt.Sprintf("schemas: It must be [%q].", patchSchema))
	}
	return err
}

func (s shape) faultOfOperation(raw any) string {
	operation, isObject := raw.(map[string]any)
	if !isObject {
		return "Operations: Each must be an object with op, path and value."
	}
	op, _ := operation["op"].(string)
	path, _ := operation["path"].(string)
	switch {
	case !contains([]string{"add", "replace", "remove"}, op):
		return fmt.Sprintf("op: %.40q isn't an operation. It must be add, replace or remove.", op)
	case path == "" && op == "remove":
		return "path: A remove has to name the attribute that it removes."
	case path == "":
		return "value: Without a path it must be an object of attributes."
	}
	attr, known := s.attributeAt(path)
	if !known {
		return fmt.Sprintf("path: The directory knows no attribute %.80q. /Schemas lists those that it keeps. %s", path, remedy)
	}
	switch value := operation["value"]; {
	case value != nil:
		return faultOf(path, attr, value)
	case op == "remove":
		return fmt.Sprintf("path: %.80q names no part of the attribute that could be removed.", path)
	default:
		return path + ": The value is missing. " + remedy
	}
}

// attributeAt is the definition of what a path in an operation leads to.
func (s shape) attributeAt(path string) (schema.CoreAttribute, bool) {
	parsed, err := filter.ParsePath([]byte(path))
	if err != nil {
		return schema.CoreAttribute{}, false
	}
	if strings.EqualFold(path, "externalId") {
		return externalID(), true
	}
	return s.attribute(parsed)
}

// externalID is common to all resources, so that no schema has it.
func externalID() schema.CoreAttribute { return schema.SimpleCoreAttribute(text("externalId", "")) }

// detailed is the library's error with other words.
func detailed(err error, detail string) error {
	var refused scimerrors.ScimError
	if !errors.As(err, &refused) {
		return err
	}
	refused.Detail = detail
	return refused
}
