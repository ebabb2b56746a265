package graph

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/bookplate/bookplate/shared/problem"
)

type wordKind int

const (
	atEnd wordKind = iota
	name           // identifier, path, operator or keyword
	literal
	punctuation
)

// word is one token of a filter.
type word struct {
	kind wordKind
	text string // as written, without quotes
	at   int    // its first character, from 1
	lit  scalar // of a literal
}

func (w word) is(text string) bool {
	return w.kind == name && strings.EqualFold(w.text, text) || w.kind == punctuation && w.text == text
}

// wrong is a filter's problem, at w if that is known.
func wrong(w *word, format string, args ...any) error {
	p := problem.New(problem.Invalid, "", format, args...).At("$filter")
	if w != nil {
		where := "at its end"
		if w.kind != atEnd {
			where = "at character " + strconv.Itoa(w.at) + " ('" + clip(w.text) + "')"
		}
		p.Message = "The filter is wrong " + where + ": " + p.Message
	}
	return p
}

func lex(text string) ([]word, error) {
	var words []word
	for at, rest := 1, text; ; {
		trimmed := strings.TrimLeftFunc(rest, unicode.IsSpace)
		at += utf8.RuneCountInString(rest[:len(rest)-len(trimmed)])
		if rest = trimmed; rest == "" {
			return append(words, word{kind: atEnd, at: at}), nil
		}
		w, length, err := lexOne(rest, at)
		if err != nil {
			return nil, err
		}
		words = append(words, w)
		at += utf8.RuneCountInString(rest[:length])
		rest = rest[length:]
	}
}

// lexOne reads the word at the beginning of text and says how many bytes it took.
func lexOne(text string, at int) (word, int, error) {
	if strings.ContainsRune("(),", rune(text[0])) {
		return word{kind: punctuation, text: text[:1], at: at}, 1, nil
	}
	if text[0] == '\'' {
		return lexString(text, at)
	}
	length := strings.IndexFunc(text, func(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune("(),'", c) })
	if length < 0 {
		length = len(text)
	}
	w := classify(text[:length], at)
	// An enumeration member (or an old-style literal) is a name with a string behind it: microsoft.graph.vppTokenState'valid'.
	if length < len(text) && text[length] == '\'' && w.kind == name {
		s, more, err := lexString(text[length:], at)
		return s, length + more, err
	}
	return w, length, nil
}

func lexString(text string, at int) (word, int, error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != '\'':
			b.WriteByte(text[i])
		case i+1 < len(text) && text[i+1] == '\'':
			b.WriteByte('\'')
			i++
		default:
			return word{kind: literal, text: b.String(), at: at, lit: scalar{kind: String, text: b.String()}}, i + 1, nil
		}
	}
	return word{}, 0, wrong(&word{kind: literal, text: text, at: at},
		"The string has no closing quote. A quote within a string is written twice.")
}

// classify tells literals without quotes from names.
func classify(text string, at int) word {
	w := word{kind: literal, text: text, at: at}
	switch strings.ToLower(text) {
	case "true", "false":
		w.lit = scalar{kind: Bool, truth: strings.EqualFold(text, "true")}
		return w
	case "null":
		w.lit = scalar{null: true}
		return w
	}
	if isGUID(text) {
		w.lit = scalar{kind: GUID, text: fold(text)}
		return w
	}
	if t, ok := parseTime(text); ok {
		w.lit = scalar{kind: Time, time: t}
		return w
	}
	if c := text[0]; c >= '0' && c <= '9' || c == '-' || c == '+' {
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			w.lit = scalar{kind: Int, number: n}
			return w
		}
	}
	w.kind = name
	return w
}

// isGUID is strict about the hyphens; other spellings are strings.
func isGUID(text string) bool {
	return len(text) == 36 && uuid.Validate(text) == nil
}

// parseTime reads RFC 3339 with or without seconds, and a bare date as its midnight in UTC.
func parseTime(text string) (time.Time, bool) {
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, strings.ToUpper(text)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
