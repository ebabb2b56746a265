package graph

import (
	"cmp"
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// scalar is a value that can be compared: null, or what its kind says. GUIDs are kept as lower-case text.
type scalar struct {
	kind   Kind
	null   bool
	text   string
	number float64
	truth  bool
	time   time.Time
}

// operand is a property of an entity, null on entities of another type than cast.
type operand struct {
	schema Schema
	cast   string
	path   string
	kind   Kind
}

func (o operand) of(e Entity) scalar {
	if o.cast != "" && !o.schema.isOf(e, o.cast) {
		return scalar{kind: o.kind, null: true}
	}
	return scalarOf(value(e, o.path), o.kind)
}

// scalarOf reads v as a value of the kind; null where v isn't one.
func scalarOf(v any, kind Kind) scalar {
	s := scalar{kind: kind}
	switch v := v.(type) {
	case string:
		converted, ok := scalar{kind: String, text: v}.as(kind)
		converted.null = !ok
		return converted
	case json.Number:
		n, err := v.Float64()
		s.number, s.null = n, err != nil || kind != Int
		return s
	case bool:
		s.truth, s.null = v, kind != Bool
		return s
	case time.Time:
		s.time, s.null = v, kind != Time
		return s
	case nil:
		s.null = true
		return s
	}
	switch r := reflect.ValueOf(v); {
	case r.CanInt() && kind == Int:
		s.number = float64(r.Int())
	case r.CanUint() && kind == Int:
		s.number = float64(r.Uint())
	case r.CanFloat() && kind == Int:
		s.number = r.Float()
	case r.Kind() == reflect.String:
		return scalarOf(r.String(), kind)
	default:
		s.null = true
	}
	return s
}

// as is s read as another kind: clients quote GUIDs and date-times or don't.
func (s scalar) as(kind Kind) (scalar, bool) {
	switch {
	case s.null:
		return scalar{kind: kind, null: true}, true
	case s.kind == kind:
		return s, true
	case s.kind == GUID && kind == String:
		return scalar{kind: kind, text: s.text}, true
	case s.kind == String && kind == GUID:
		return scalar{kind: kind, text: fold(s.text)}, true
	case s.kind == String && kind == Time:
		t, ok := parseTime(s.text)
		return scalar{kind: kind, time: t}, ok
	}
	return scalar{kind: kind}, false
}

// compare orders two values of one kind; null comes first.
func (s scalar) compare(t scalar) int {
	if s.null || t.null {
		return cmp.Compare(b2i(!s.null), b2i(!t.null))
	}
	switch s.kind {
	case Int:
		return cmp.Compare(s.number, t.number)
	case Bool:
		return cmp.Compare(b2i(s.truth), b2i(t.truth))
	case Time:
		return s.time.Compare(t.time)
	default:
		return strings.Compare(fold(s.text), fold(t.text))
	}
}

func (s scalar) equals(t scalar) bool { return s.compare(t) == 0 }

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// deciders are the comparison operators.
var deciders = map[string]func(property, value scalar) bool{
	"eq": func(p, v scalar) bool { return p.compare(v) == 0 },
	"ne": func(p, v scalar) bool { return p.compare(v) != 0 },
	"gt": func(p, v scalar) bool { return !p.null && !v.null && p.compare(v) > 0 },
	"ge": func(p, v scalar) bool { return !p.null && !v.null && p.compare(v) >= 0 },
	"lt": func(p, v scalar) bool { return !p.null && !v.null && p.compare(v) < 0 },
	"le": func(p, v scalar) bool { return !p.null && !v.null && p.compare(v) <= 0 },
}
