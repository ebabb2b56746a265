package graph

import (
	"slices"
	"strings"
)

// Kind is what a property holds, as far as comparing needs to know.
type Kind int

// The kinds of properties. Complex ones (objects, arrays, bytes) can be selected but neither filtered nor ordered by.
const (
	Complex Kind = iota
	String       // enum members too
	Int
	Bool
	Time // RFC 3339 text or time.Time
	GUID
)

func (k Kind) String() string {
	return [...]string{"a complex value", "a string", "a number", "true or false", "a date-time", "a GUID"}[k]
}

// Schema describes a collection's entities to the query options.
type Schema struct {
	// Type is the declared type without '#', e.g. "microsoft.graph.managedEBook".
	Type string
	// Derived are the types that a cast or isof may name besides Type; an entity's own is in its "@odata.type".
	Derived []string
	// Properties are all properties by name; a part of a complex property is named by its path, e.g.
	// "actor/userPrincipalName". $search needs a "displayName".
	Properties map[string]Kind
	// Expand are the navigation properties that $expand may name. The caller does the expanding.
	Expand []string
}

// property finds a property regardless of letter case and returns its true name.
func (s Schema) property(name string) (string, Kind, bool) {
	if k, ok := s.Properties[name]; ok {
		return name, k, true
	}
	for n, k := range s.Properties {
		if strings.EqualFold(n, name) {
			return n, k, true
		}
	}
	return "", 0, false
}

// typeName finds a type regardless of letter case and a leading '#'.
func (s Schema) typeName(name string) (string, bool) {
	name = strings.TrimPrefix(name, "#")
	for _, t := range s.types() {
		if strings.EqualFold(t, name) {
			return t, true
		}
	}
	return "", false
}

func (s Schema) types() []string { return append([]string{s.Type}, s.Derived...) }

// comparable names, sorted, the properties that can be filtered and ordered by.
func (s Schema) comparable() string {
	var names []string
	for n, k := range s.Properties {
		if k != Complex {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// selectable names, sorted, the properties that can be selected.
func (s Schema) selectable() string {
	var names []string
	for n := range s.Properties {
		if !strings.Contains(n, "/") {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// value is the property at path ("a/b") of e; nil where there is none.
func value(e Entity, path string) any {
	for {
		name, rest, deeper := strings.Cut(path, "/")
		if !deeper {
			return e[name]
		}
		inner, ok := e[name].(map[string]any)
		if !ok {
			return nil
		}
		e, path = inner, rest
	}
}

// isOf says whether e is of type t, one of s's.
func (s Schema) isOf(e Entity, t string) bool {
	own, _ := e["@odata.type"].(string)
	return t == s.Type || strings.EqualFold(strings.TrimPrefix(own, "#"), t)
}
