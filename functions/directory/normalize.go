package directory

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/elimity-com/scim/schema"
	"github.com/scim2/filter-parser/v2"
)

// The normalizer turns what providers send into what RFC 7644 means by it, so that the library accepts it: booleans and
// references as text, values in arrays of one, null for "none", several attributes in one pathless operation, URNs in
// any letter case. It judges nothing: what it doesn't know stays as it is, and the library says what is wrong with it.

const patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

func decodeObject(body []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var object map[string]any
	err := d.Decode(&object)
	if _, end := d.Token(); err != nil || object == nil || end != io.EOF {
		return nil, refuse(invalidSyntax, "The body isn't one JSON object.")
	}
	return object, nil
}

// resource normalizes the body of a POST or PUT.
func (s shape) resource(body []byte) ([]byte, error) {
	object, err := decodeObject(body)
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		value := object[key]
		if ext, ok := s.extension(key); ok {
			delete(object, key)
			object[ext.ID] = fixMembers(ext.Attributes, value)
		} else if attr, ok := s.core.Attributes.ContainsAttribute(key); ok {
			object[key] = fix(attr, value)
		}
	}
	if object["schemas"] == nil {
		object["schemas"] = []string{s.core.ID}
	}
	return json.Marshal(object)
}

// patch normalizes the body of a PATCH: afterwards every operation that adds or replaces has a path. It returns nil
// when nothing is left to do.
func (s shape) patch(body []byte) ([]byte, error) {
	object, err := decodeObject(body)
	if err != nil {
		return nil, err
	}
	ops, isList := field(object, "Operations").([]any)
	if !isList || len(ops) == 0 {
		return nil, refuse(invalidSyntax, "A PATCH needs a list of Operations with at least one in it.")
	}
	fixed := []any{}
	for _, op := range ops {
		fixed = append(fixed, s.operation(op)...)
	}
	if len(fixed) == 0 {
		return nil, nil
	}
	schemas := field(object, "schemas")
	if schemas == nil {
		schemas = []string{patchSchema}
	}
	return json.Marshal(map[string]any{"schemas": schemas, "Operations": fixed})
}

func (s shape) operation(raw any) []any {
	object, ok := raw.(map[string]any)
	if !ok {
		return []any{raw}
	}
	op, _ := field(object, "op").(string)
	path, _ := field(object, "path").(string)
	value := field(object, "value")
	op, path = strings.ToLower(strings.TrimSpace(op)), strings.TrimSpace(path)
	attributes, several := value.(map[string]any)
	if path == "" && several && op != "remove" {
		return s.spread(op, attributes)
	}
	return s.withPath(op, path, value)
}

// spread makes one operation of each attribute of a pathless one. Keys may be names, dotted names, paths with filters,
// full URNs, or the URN of an extension. Okta repeats the resource's id here.
func (s shape) spread(op string, attributes map[string]any) (ops []any) {
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		if !ofTheEnvelope(key) {
			ops = append(ops, s.withPath(op, key, attributes[key])...)
		}
	}
	return ops
}

// ofTheEnvelope names what clients repeat beside attributes and nobody may change.
func ofTheEnvelope(key string) bool { return contains([]string{"id", "schemas", "meta"}, key) }

// inExtension makes one operation of each attribute where the path is an extension's URN; without a value, of all.
func (s shape) inExtension(ext schema.Schema, op string, value any) []any {
	attributes, _ := value.(map[string]any)
	if value == nil {
		attributes = map[string]any{}
		for _, attr := range ext.Attributes {
			attributes[attr.Name()] = nil
		}
	}
	prefixed := map[string]any{}
	for key, v := range attributes {
		if !ofTheEnvelope(key) {
			prefixed[ext.ID+":"+key] = v
		}
	}
	return s.spread(op, prefixed)
}

func (s shape) withPath(op, path string, value any) []any {
	if ext, ok := s.extension(path); ok {
		return s.inExtension(ext, op, value)
	}
	path = s.canonical(path)
	unchanged := []any{operationOf(op, path, value)}
	parsed, err := filter.ParsePath([]byte(path))
	if err != nil {
		return unchanged
	}
	attr, found := s.attribute(parsed)
	if !found {
		return unchanged
	}
	single := !attr.MultiValued() || parsed.ValueExpression != nil
	if single {
		value = fixSingle(attr, value)
	} else {
		value = fix(attr, value)
	}
	switch {
	case value == nil && op == "add" && !single:
		return nil // adding no members: not the same as removing them all
	case value == nil:
		return []any{operationOf("remove", path, nil)}
	}
	if parts, ok := value.(map[string]any); ok && single && parsed.ValueExpression == nil && op != "remove" {
		return s.spreadParts(op, path, attr, parts)
	}
	return []any{operationOf(op, path, value)}
}

// spreadParts makes one operation of each known part of a complex value: parts that aren't named stay as they are.
func (s shape) spreadParts(op, path string, attr schema.CoreAttribute, parts map[string]any) (ops []any) {
	for _, key := range slices.Sorted(maps.Keys(parts)) {
		if _, known := attr.SubAttributes().ContainsAttribute(key); known && key != "$ref" {
			ops = append(ops, s.withPath(op, path+"."+key, parts[key])...)
		}
	}
	return ops
}

func operationOf(op, path string, value any) map[string]any {
	object := map[string]any{"op": op}
	if path != "" {
		object["path"] = path
	}
	if value != nil {
		object["value"] = value
	}
	return object
}

// attribute is the definition of what a path leads to.
func (s shape) attribute(path filter.Path) (schema.CoreAttribute, bool) {
	attributes := s.core.Attributes
	if uri := path.AttributePath.URI(); uri != "" {
		ext, ok := s.extension(uri)
		if !ok {
			return schema.CoreAttribute{}, false
		}
		attributes = ext.Attributes
	}
	attr, ok := attributes.ContainsAttribute(path.AttributePath.AttributeName)
	if name := subAttribute(path); ok && name != "" {
		attr, ok = attr.SubAttributes().ContainsAttribute(name)
	}
	return attr, ok
}

// subAttribute is the part of an attribute that a path names. The parser keeps it in one of two places: name.givenName
// in the attribute's path, emails[…].value in the path itself.
func subAttribute(path filter.Path) string {
	if name := path.AttributePath.SubAttributeName(); name != "" {
		return name
	}
	return path.SubAttributeName()
}

func (s shape) extension(urn string) (schema.Schema, bool) {
	for _, ext := range s.extensions {
		if strings.EqualFold(ext.ID, urn) {
			return ext, true
		}
	}
	return schema.Schema{}, false
}

// canonical writes the URN of a path as the schemas do, and leaves out the core's.
func (s shape) canonical(path string) string {
	if rest, ok := cutPrefixFold(path, s.core.ID+":"); ok {
		return rest
	}
	for _, ext := range s.extensions {
		if rest, ok := cutPrefixFold(path, ext.ID+":"); ok {
			return ext.ID + ":" + rest
		}
	}
	return path
}

func cutPrefixFold(text, prefix string) (rest string, found bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return text, false
	}
	return text[len(prefix):], true
}

// field finds a key in any letter case, the exact one first.
func field(object map[string]any, name string) any {
	if value, ok := object[name]; ok {
		return value
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if strings.EqualFold(key, name) {
			return object[key]
		}
	}
	return nil
}
