package table

import (
	"encoding/base64"
	"encoding/json"
	"errors"
)

// ErrCursor says that a Range's Cursor isn't one that this table gave out for such a Range.
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

// CheckQuery checks a Query's range and returns the sort key that its cursor stands behind; "" when there is none.
func CheckQuery(r Range) (after string, err error) {
	if err := CheckRange(r); err != nil {
		return "", err
	}
	fields, err := ParseCursor(r.Cursor, 1)
	if fields == nil {
		return "", err
	}
	return fields[0], nil
}

// CheckQueryIndex checks the arguments of a QueryIndex and returns the entry that the cursor stands behind; nil when
// there is none.
func CheckQueryIndex(index Index, r Range) (after *Entry, err error) {
	if index != Index1 && index != Index2 {
		return nil, limitf("there is no index %d", index)
	}
	if err := CheckRange(r); err != nil {
		return nil, err
	}
	fields, err := ParseCursor(r.Cursor, 3)
	if len(fields) != 3 || fields[0] == "" {
		return nil, err
	}
	return &Entry{IndexKey{r.Part, fields[0]}, Key{fields[1], fields[2]}}, nil
}

// Cursor is the cursor of an index page that ends with e; of the zero Entry, one that stands before all.
func (e Entry) Cursor() string { return NewCursor(e.Place.Sort, e.Key.Part, e.Key.Sort) }
