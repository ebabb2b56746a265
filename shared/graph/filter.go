package graph

import (
	"strings"
)

// Limits of a filter. The length keeps within what gateways let through in a URL; the depth keeps recursion small.
const (
	maxFilterLength = 8 << 10
	maxFilterDepth  = 32
)

// Filter is a parsed $filter. Strings compare without regard to letter case, as Graph's do; a missing property is null,
// and null is neither less nor greater than anything.
type Filter struct {
	root test
}

// Match says whether e passes. A nil Filter passes everything.
func (f *Filter) Match(e Entity) bool { return f == nil || f.root(e) }

// ParseFilter parses text against s. Its errors are problems that say at which character (from 1) text is wrong, and what
// could stand there.
//
// Supported are eq ne gt ge lt le in, and or not, parentheses, startswith endswith contains, tolower and toupper around a
// property, isof('type'), a type before a property ("microsoft.graph.iosVppEBook/appleId"), and literals: 'strings' (a quote
// is doubled), numbers, true, false, null, date-times, GUIDs, enumeration members with or without their type.
func ParseFilter(text string, s Schema) (*Filter, error) {
	if len(text) > maxFilterLength {
		return nil, wrong(nil, "The filter is longer than %d bytes. Ask for less at a time.", maxFilterLength)
	}
	words, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := parser{schema: s, words: words}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if w := p.peek(); w.kind != atEnd {
		return nil, wrong(&w, "'and' or 'or' is expected here.")
	}
	return &Filter{root}, nil
}

// test is one condition on an entity.
type test func(Entity) bool

// fold makes strings comparable without regard to letter case.
func fold(s string) string { return strings.ToLower(s) }
