package directory

import (
	"encoding/json"
	"strings"

	"github.com/elimity-com/scim/schema"
)

// fix makes a value fit its attribute where the meaning is plain; nil means none.
func fix(attr schema.CoreAttribute, value any) any {
	if !attr.MultiValued() {
		return fixSingle(attr, value)
	}
	list, isList := value.([]any)
	if value == nil {
		return nil
	}
	if !isList {
		list = []any{value}
	}
	fixed := []any{}
	for _, one := range list {
		if one = fixOne(attr, one); one != nil {
			fixed = append(fixed, one)
		}
	}
	return fixed
}

// fixSingle unwraps an array of one, as Entra writes references to this day and everything before 2018.
func fixSingle(attr schema.CoreAttribute, value any) any {
	if list, ok := value.([]any); ok {
		switch len(list) {
		case 0:
			return nil
		case 1:
			value = list[0]
		}
	}
	return fixOne(attr, value)
}

func fixOne(attr schema.CoreAttribute, value any) any {
	if attr.AttributeType() == "complex" {
		return fixComplex(attr, value)
	}
	if object, ok := value.(map[string]any); ok {
		value = field(object, "value")
	}
	switch v := value.(type) {
	case string:
		if attr.AttributeType() == "boolean" {
			return boolean(v)
		}
	case json.Number:
		if attr.AttributeType() == "string" {
			return v.String()
		}
	}
	return value
}

// boolean reads "True" and "False", which Entra writes where its compliance flag isn't set.
func boolean(text string) any {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true":
		return true
	case "false":
		return false
	}
	return text
}

// fixComplex takes a plain text for the value of a complex attribute: a manager, an address.
func fixComplex(attr schema.CoreAttribute, value any) any {
	if text, ok := value.(string); ok {
		if _, has := attr.SubAttributes().ContainsAttribute("value"); has {
			return map[string]any{"value": text}
		}
	}
	return fixMembers(attr.SubAttributes(), value)
}

// fixMembers fixes the members of an object that have a definition.
func fixMembers(attributes schema.Attributes, value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	for key, v := range object {
		if attr, known := attributes.ContainsAttribute(key); known {
			object[key] = fix(attr, v)
		}
	}
	return object
}
