package graph

import (
	"slices"
	"strings"

	"github.com/bookplate/bookplate/shared/problem"
)

func parseSelect(text string, s Schema) ([]string, error) {
	selected := []string{}
	for name := range strings.SplitSeq(text, ",") {
		name = uncast(strings.TrimSpace(name), s)
		if name == "*" {
			return nil, nil
		}
		name, _, _ = strings.Cut(name, "/") // a part of a complex property: the whole of it
		canonical, ok := s.selected(name)
		if !ok {
			return nil, problem.New(problem.Invalid, "", "There is no property '%s'. There are %s.",
				clip(name), s.selectable()).At("$select")
		}
		if !slices.Contains(selected, canonical) {
			selected = append(selected, canonical)
		}
	}
	return selected, nil
}

// selected finds the property, or the expandable navigation, that $select names.
func (s Schema) selected(name string) (string, bool) {
	if canonical, _, ok := s.property(name); ok {
		return canonical, true
	}
	for _, e := range s.Expand {
		if strings.EqualFold(e, name) {
			return e, true
		}
	}
	for p := range s.Properties { // known by its parts only
		if top, _, ok := strings.Cut(p, "/"); ok && strings.EqualFold(top, name) {
			return top, true
		}
	}
	return "", false
}

// uncast takes a type-cast segment off a path.
func uncast(path string, s Schema) string {
	if cast, rest, ok := strings.Cut(path, "/"); ok {
		if _, known := s.typeName(cast); known {
			return rest
		}
	}
	return path
}

func parseOrder(text string, s Schema) ([]Order, error) {
	var terms []Order
	for term := range strings.SplitSeq(text, ",") {
		words := strings.Fields(term)
		if len(words) == 0 || len(words) > 2 {
			return nil, problem.New(problem.Invalid, "", "Write terms like 'displayName desc', separated by commas.").At("$orderby")
		}
		name, kind, ok := s.property(uncast(words[0], s))
		if !ok || kind == Complex {
			return nil, problem.New(problem.Invalid, "", "The entities can't be ordered by '%s'. They can be ordered by %s.",
				clip(words[0]), s.comparable()).At("$orderby")
		}
		o := Order{Property: name, kind: kind}
		if len(words) == 2 {
			switch strings.ToLower(words[1]) {
			case "asc":
			case "desc":
				o.Descending = true
			default:
				return nil, problem.New(problem.Invalid, "", "After a property comes asc or desc, not '%s'.",
					clip(words[1])).At("$orderby")
			}
		}
		terms = append(terms, o)
	}
	return terms, nil
}

func parseExpand(text string, s Schema) ([]string, error) {
	var expanded []string
	for name := range strings.SplitSeq(text, ",") {
		name = uncast(strings.TrimSpace(name), s)
		i := slices.IndexFunc(s.Expand, func(e string) bool { return strings.EqualFold(e, name) })
		switch {
		case strings.Contains(name, "("):
			return nil, problem.New(problem.Invalid, "", "Options inside $expand are not supported. "+
				"Name the property only.").At("$expand")
		case i < 0 && len(s.Expand) == 0:
			return nil, problem.New(problem.Invalid, "", "Nothing can be expanded here.").At("$expand")
		case i < 0:
			return nil, problem.New(problem.Invalid, "", "'%s' can't be expanded. What can is %s.",
				clip(name), strings.Join(s.Expand, ", ")).At("$expand")
		case !slices.Contains(expanded, s.Expand[i]):
			expanded = append(expanded, s.Expand[i])
		}
	}
	return expanded, nil
}

// parseSearch takes Graph's forms: word, "some words", "displayName:some words".
func parseSearch(text string, s Schema) (string, error) {
	if _, _, ok := s.property("displayName"); !ok {
		return "", problem.New(problem.Invalid, "", "These entities can't be searched. Use $filter.").At("$search")
	}
	text = strings.TrimSpace(text)
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		text = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(text[1 : len(text)-1])
	}
	const field = "displayname:"
	if len(text) >= len(field) && strings.EqualFold(text[:len(field)], field) {
		text = text[len(field):]
	}
	return strings.TrimSpace(text), nil
}

// clip keeps what a message quotes of the caller's text short.
func clip(text string) string {
	const most = 64
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}
