package table

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The Check functions hold a call against the limits of this port, the same on every engine; an engine calls them
// first, so that nothing has happened when one fails. Every error they return is an ErrLimit.

// CheckKey checks a key: both parts non-empty UTF-8 without NUL, within MaxPart and MaxSort.
func CheckKey(k Key) error { return checkPair("key", k.Part, k.Sort) }

// CheckItem checks an item's key, places and body.
func CheckItem(i Item) error {
	if err := CheckKey(i.Key); err != nil {
		return err
	}
	if len(i.Body) > MaxBody {
		return limitf("%v: the body has %d bytes, more than %d", i.Key, len(i.Body), MaxBody)
	}
	if !i.Expires.IsZero() && i.Expires.Unix() <= 0 {
		return limitf("%v: expires before 1970", i.Key)
	}
	for n, place := range i.Index {
		if place == (IndexKey{}) {
			continue
		}
		if err := checkPair(fmt.Sprintf("%v: index %d", i.Key, n+1), place.Part, place.Sort); err != nil {
			return err
		}
	}
	return nil
}

// CheckCommit checks the arguments of a Commit.
func CheckCommit(token string, ops []Op) error {
	if err := checkToken(token); err != nil {
		return err
	}
	if err := checkKeys(ops, MaxCommit, func(o Op) Key { return o.Item.Key }); err != nil {
		return err
	}
	for _, op := range ops {
		if op.Kind == OpPut {
			if err := CheckItem(op.Item); err != nil {
				return err
			}
		}
		if op.If.Want == WantVersion && op.If.Version == "" {
			return limitf("%v: the condition asks for an empty version", op.Item.Key)
		}
	}
	return nil
}

// CheckGetMany checks the keys of a GetMany.
func CheckGetMany(keys []Key) error {
	return checkKeys(keys, MaxGetMany, func(k Key) Key { return k })
}

// CheckPutMany checks the arguments of a PutMany.
func CheckPutMany(token string, items []Item) error {
	if err := checkToken(token); err != nil {
		return err
	}
	if err := checkKeys(items, MaxPutMany, func(i Item) Key { return i.Key }); err != nil {
		return err
	}
	for _, item := range items {
		if err := CheckItem(item); err != nil {
			return err
		}
	}
	return nil
}

// CheckDeleteMany checks the keys of a DeleteMany.
func CheckDeleteMany(keys []Key) error {
	return checkKeys(keys, MaxPutMany, func(k Key) Key { return k })
}

// CheckRange checks what a Query or QueryIndex selects by. A From after To is no error: it selects nothing.
func CheckRange(r Range) error {
	if err := checkText("range: partition", r.Part, MaxPart); err != nil {
		return err
	}
	for _, bound := range []string{r.From, r.To} {
		if bound == "" {
			continue
		}
		if err := checkText("range: bound", bound, MaxSort); err != nil {
			return err
		}
	}
	if r.Limit < 0 {
		return limitf("range: negative limit %d", r.Limit)
	}
	return nil
}

// checkKeys checks the number, the shape and the distinctness of the keys of a call; at least one.
func checkKeys[T any](list []T, most int, keyOf func(T) Key) error {
	if len(list) == 0 || len(list) > most {
		return limitf("%d keys in one call, not 1 to %d", len(list), most)
	}
	seen := make(map[Key]bool, len(list))
	for _, one := range list {
		key := keyOf(one)
		if err := CheckKey(key); err != nil {
			return err
		}
		if seen[key] {
			return limitf("%v: twice in one call", key)
		}
		seen[key] = true
	}
	return nil
}

func checkPair(what, part, sort string) error {
	if err := checkText(what+": partition", part, MaxPart); err != nil {
		return err
	}
	return checkText(what+": sort", sort, MaxSort)
}

func checkText(what, text string, most int) error {
	switch {
	case text == "":
		return limitf("%s: empty", what)
	case len(text) > most:
		return limitf("%s: %d bytes, more than %d", what, len(text), most)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return limitf("%s: %q isn't UTF-8 without NUL", what, text)
	}
	return nil
}

// checkToken: DynamoDB takes client tokens of 1 to 36 characters.
func checkToken(token string) error {
	if token == "" || len(token) > 36 {
		return limitf("token: %d bytes, not 1 to 36", len(token))
	}
	return nil
}

func limitf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrLimit, fmt.Sprintf(format, args...))
}
