package graph

import (
	"slices"
	"strings"
)

const operators = "eq, ne, gt, ge, lt, le, in"

// parser is a recursive descent over the words; each method reads one rule of the grammar.
type parser struct {
	schema Schema
	words  []word // ends with atEnd
	depth  int
}

func (p *parser) peek() word { return p.words[0] }

func (p *parser) next() word {
	w := p.words[0]
	if w.kind != atEnd {
		p.words = p.words[1:]
	}
	return w
}

// accept reads the word if it is text.
func (p *parser) accept(text string) bool {
	if p.peek().is(text) {
		p.next()
		return true
	}
	return false
}

func (p *parser) expect(text string) error {
	if w := p.peek(); !p.accept(text) {
		return wrong(&w, "'%s' is expected here.", text)
	}
	return nil
}

func (p *parser) or() (test, error)  { return p.joined("or", p.and, true) }
func (p *parser) and() (test, error) { return p.joined("and", p.unary, false) }

// joined reads one or more terms with the operator between them. decided is the value of a term that settles the whole.
func (p *parser) joined(operator string, term func() (test, error), decided bool) (test, error) {
	first, err := term()
	if err != nil {
		return nil, err
	}
	all := []test{first}
	for p.accept(operator) {
		t, err := term()
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	if len(all) == 1 {
		return first, nil
	}
	return func(e Entity) bool {
		return slices.ContainsFunc(all, func(t test) bool { return t(e) == decided }) == decided
	}, nil
}

func (p *parser) unary() (test, error) {
	w := p.peek()
	p.depth++
	defer func() { p.depth-- }()
	switch {
	case p.depth > maxFilterDepth:
		return nil, wrong(&w, "It is nested deeper than %d levels. Write it flatter.", maxFilterDepth)
	case p.accept("not"):
		t, err := p.unary()
		if err != nil {
			return nil, err
		}
		return func(e Entity) bool { return !t(e) }, nil
	case p.accept("("):
		t, err := p.or()
		if err != nil {
			return nil, err
		}
		return t, p.expect(")")
	default:
		return p.condition()
	}
}

func (p *parser) condition() (test, error) {
	if p.peek().kind == name && len(p.words) > 1 && p.words[1].is("(") {
		switch function := strings.ToLower(p.peek().text); function {
		case "startswith", "endswith", "contains":
			return p.truth(p.stringTest(function))
		case "isof":
			return p.truth(p.isOf())
		case "tolower", "toupper":
		default:
			w := p.peek()
			return nil, wrong(&w, "This function is not supported. "+
				"Supported are startswith, endswith, contains, isof, tolower, toupper.")
		}
	}
	return p.comparison()
}

// truth reads the "eq true" or "ne false" that may follow a function whose value is true or false.
func (p *parser) truth(t test, err error) (test, error) {
	w := p.peek()
	if err != nil || !w.is("eq") && !w.is("ne") {
		return t, err
	}
	p.next()
	v := p.next()
	if v.kind != literal || v.lit.kind != Bool || v.lit.null {
		return nil, wrong(&v, "true or false is expected here.")
	}
	want := v.lit.truth == w.is("eq")
	return func(e Entity) bool { return t(e) == want }, nil
}

func (p *parser) stringTest(function string) (test, error) {
	p.next()
	if err := p.expect("("); err != nil {
		return nil, err
	}
	at := p.peek()
	o, err := p.property()
	if err != nil {
		return nil, err
	}
	if o.kind != String && o.kind != GUID {
		return nil, wrong(&at, "%s takes a string property, but this holds %s.", function, o.kind)
	}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	v := p.next()
	if v.kind != literal || v.lit.kind != String || v.lit.null {
		return nil, wrong(&v, "A string in single quotes is expected here.")
	}
	holds := map[string]func(s, part string) bool{
		"startswith": strings.HasPrefix, "endswith": strings.HasSuffix, "contains": strings.Contains,
	}[function]
	part := fold(v.lit.text)
	return func(e Entity) bool {
		s := o.of(e)
		return !s.null && holds(fold(s.text), part)
	}, p.expect(")")
}

func (p *parser) isOf() (test, error) {
	p.next()
	if err := p.expect("("); err != nil {
		return nil, err
	}
	v := p.next()
	if v.kind != literal && v.kind != name {
		return nil, wrong(&v, "A type in single quotes is expected here.")
	}
	t, ok := p.schema.typeName(v.text)
	if !ok {
		return nil, wrong(&v, "No entity here is of this type. The types are %s.", strings.Join(p.schema.types(), ", "))
	}
	return func(e Entity) bool { return p.schema.isOf(e, t) }, p.expect(")")
}

func (p *parser) comparison() (test, error) {
	if w := p.peek(); w.kind == literal {
		return nil, wrong(&w, "A comparison begins with a property: write displayName eq 'x'.")
	}
	o, err := p.property()
	if err != nil {
		return nil, err
	}
	operator := p.peek()
	if o.kind == Bool && (operator.kind == atEnd || operator.is(")") || operator.is("and") || operator.is("or")) {
		return func(e Entity) bool { return o.of(e).truth }, nil
	}
	p.next()
	if operator.is("in") {
		return p.in(o)
	}
	decide, ok := deciders[strings.ToLower(operator.text)]
	if !ok || operator.kind != name {
		return nil, wrong(&operator, "An operator is expected here: %s.", operators)
	}
	v, err := p.value(o)
	if err != nil {
		return nil, err
	}
	return func(e Entity) bool { return decide(o.of(e), v) }, nil
}

func (p *parser) in(o operand) (test, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var values []scalar
	for {
		v, err := p.value(o)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		if !p.accept(",") {
			break
		}
	}
	return func(e Entity) bool {
		own := o.of(e)
		return slices.ContainsFunc(values, own.equals)
	}, p.expect(")")
}

// property reads a property, perhaps behind a type, perhaps inside tolower or toupper (which change nothing here).
func (p *parser) property() (operand, error) {
	w := p.next()
	if (w.is("tolower") || w.is("toupper")) && p.accept("(") {
		o, err := p.property()
		if err != nil {
			return o, err
		}
		return o, p.expect(")")
	}
	if w.kind != name {
		return operand{}, wrong(&w, "A property is expected here: %s.", p.schema.comparable())
	}
	o, path := operand{schema: p.schema}, w.text
	if cast, rest, ok := strings.Cut(path, "/"); ok {
		if t, known := p.schema.typeName(cast); known {
			o.cast, path = t, rest
		}
	}
	var known bool
	if o.path, o.kind, known = p.schema.property(path); !known || o.kind == Complex {
		return operand{}, wrong(&w, "There is no such property to filter by. There are %s.", p.schema.comparable())
	}
	return o, nil
}

// value reads a literal that can be compared with o.
func (p *parser) value(o operand) (scalar, error) {
	w := p.next()
	if w.kind != literal {
		return scalar{}, wrong(&w, "A value is expected here. "+
			"%s is compared with %s; strings stand in single quotes.", o.path, o.kind)
	}
	v, ok := w.lit.as(o.kind)
	if !ok {
		return scalar{}, wrong(&w, "%s holds %s, and can't be compared with %s.", o.path, o.kind, w.lit.kind)
	}
	return v, nil
}
