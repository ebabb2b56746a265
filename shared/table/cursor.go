package table

import (
	"encoding/base64"
	"encoding/json"
	"errors"
)

// ErrCursor: a Range's Cursor isn't one that this table gave out for such a Range.
var ErrCursor = errors.New("not a cursor of this table")

// NewCursor packs where a page ended into an opaque text that is safe in a URL. It names the last position seen, not a
// number, so that it stays valid whatever is inserted or deleted around it. For engines.
func NewCursor(fields ...string) string {
	data, _ := json.Marshal(fields) // strings always marshal
	return base64.RawURLEncoding.EncodeToString(data)
}

// ParseCursor unpacks a cursor of n fields; it returns nil for the empty one and ErrCursor for any that isn't whole.
func ParseCursor(cursor string, n int) ([]string, error) {
	if cursor == "" {
		return nil, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, ErrCursor
	}
	var fields []string
	if err := json.Unmarshal(data, &fields); err != nil || len(fields) != n {
		return nil, ErrCursor
	}
	return fields, nil
}
