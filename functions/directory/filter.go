package directory

import (
	"regexp"
	"strings"

	"github.com/scim2/filter-parser/v2"
)

// wish is one "attribute eq value" that a resource must meet. All the filters that providers send are one wish or
// several joined by "and"; there is an index for each attribute that is allowed, so no filter ever reads everything.
type wish struct {
	attribute string // lower case: "username", "emails.value", "members.value" …
	value     any    // string, or bool for emails.primary
	// of narrows emails.value: the address must be in an entry that meets these too (type, primary).
	of []wish
}

// valueAfterBracket finds the form that Entra sends for a multi-valued matching attribute, which RFC 7644 doesn't know:
// emails[type eq "work"].value eq "x" means emails[type eq "work" and value eq "x"].
var valueAfterBracket = regexp.MustCompile(`(\w)\[([^\]]*)\]\.(\w+)\s+(\w+)\s+("(?:[^"\\]|\\.)*"|\w+)`)

// parseFilter reads a filter on the attributes that are allowed for a resource type. They are listed the surest first,
// and so are the wishes that are returned, at least one: whoever meets the first must be looked up, the others compared.
func (s shape) parseFilter(text string, allowed []string) ([]wish, error) {
	expression, err := filter.ParseFilter([]byte(text))
	if err != nil {
		rewritten := valueAfterBracket.ReplaceAllString(text, `$1[$2 and $3 $4 $5]`)
		if expression, err = filter.ParseFilter([]byte(rewritten)); err != nil {
			return nil, refuse(invalidFilter, "The filter can't be read. %s", filterHelp(allowed))
		}
	}
	wishes, ok := s.wishes(expression)
	if !ok {
		return nil, refuse(invalidFilter, "The filter asks for what can't be looked up. %s", filterHelp(allowed))
	}
	var sorted []wish
	for _, attribute := range allowed {
		for _, w := range wishes {
			if w.attribute == strings.ToLower(attribute) {
				sorted = append(sorted, w)
			}
		}
	}
	if len(sorted) < len(wishes) {
		return nil, refuse(invalidFilter, "The filter asks for what can't be looked up. %s", filterHelp(allowed))
	}
	return sorted, nil
}

func filterHelp(allowed []string) string {
	return "Use eq on " + strings.Join(allowed, ", ") + ", joined by and."
}

func contains(list []string, one string) bool {
	for _, s := range list {
		if strings.EqualFold(s, one) {
			return true
		}
	}
	return false
}

func (s shape) wishes(e filter.Expression) ([]wish, bool) {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		left, okLeft := s.wishes(e.Left)
		right, okRight := s.wishes(e.Right)
		return append(left, right...), okLeft && okRight && e.Operator == filter.AND
	case *filter.AttributeExpression:
		w, ok := s.wish(e)
		return []wish{w}, ok
	case *filter.ValuePath:
		return s.valueWish(e)
	}
	return nil, false
}

func (s shape) wish(e *filter.AttributeExpression) (wish, bool) {
	w := wish{attribute: strings.ToLower(e.AttributePath.AttributeName)}
	if sub := e.AttributePath.SubAttributeName(); sub != "" {
		w.attribute += "." + strings.ToLower(sub)
	} else if w.attribute == "members" || w.attribute == "emails" {
		w.attribute += ".value" // Entra: id eq "G" and members eq "U"
	}
	uri := e.AttributePath.URI()
	switch v := e.CompareValue.(type) {
	case string, bool:
		w.value = v
	default:
		return wish{}, false
	}
	return w, strings.EqualFold(string(e.Operator), string(filter.EQ)) && (uri == "" || strings.EqualFold(uri, s.core.ID))
}

// valueWish reads attribute[… and value eq "x"].
func (s shape) valueWish(e *filter.ValuePath) ([]wish, bool) {
	inner, ok := s.wishes(e.ValueFilter)
	if !ok {
		return nil, false
	}
	name := strings.ToLower(e.AttributePath.AttributeName)
	found := wish{attribute: name + ".value"}
	for _, w := range inner {
		switch {
		case w.attribute == "value" && found.value == nil:
			found.value = w.value
		case name == "emails" && w.attribute != "value":
			found.of = append(found.of, w)
		default:
			return nil, false
		}
	}
	return []wish{found}, found.value != nil
}

// text is the value of a wish, or something that nothing is called.
func (w wish) text() string {
	text, _ := w.value.(string)
	return text
}
