package apple

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// What can be wrong with an answer. The decoder's own errors aren't passed on: they may quote the answer.
var (
	errNotJSON   = errors.New("isn't JSON")
	errShape     = errors.New("is JSON of another shape than Apple documents")
	errBrokenOff = errors.New("breaks off")
	errTooLong   = errors.New("is longer than we read")
)

// envelope is what any answer may carry besides its content.
type envelope struct {
	uid     string
	mdm     *MDMInfo
	expires string // the token
	number  int    // 0: no error
	message string
	info    ErrorInfo
}

func (e envelope) owner() string {
	if e.mdm == nil {
		return ""
	}
	return e.mdm.ID
}

// fields says where the members of an answer's object go: into a pointer, or to a function that reads the value from
// the decoder. Other members are skipped; notificationAuthToken must never be among these.
type fields map[string]any

// decodeAnswer reads one JSON object as a stream. After an error the envelope holds what came before it.
func decodeAnswer(body io.Reader, known fields) (envelope, error) {
	var e envelope
	var uid, number text
	var message, info json.RawMessage
	all := fields{
		"uId": &uid, "mdmInfo": &e.mdm, "tokenExpirationDate": &e.expires,
		"errorNumber": &number, "errorMessage": &message, "errorInfo": &info,
	}
	for key, target := range known {
		all[key] = target
	}
	dec := json.NewDecoder(body)
	err := decodeObject(dec, all)
	if err == nil {
		_, err = dec.Token()
		if err == nil {
			err = errNotJSON // something follows
		} else if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	e.uid = string(uid)
	e.number = number.errorNumber()
	// Of an error only the number counts: an unexpected shape of the rest doesn't make it less of an error.
	_ = json.Unmarshal(message, &e.message)
	_ = json.Unmarshal(info, &e.info)
	return e, plain(err)
}

func decodeObject(dec *json.Decoder, known fields) error {
	if err := expect(dec, '{'); err != nil {
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		if err := known.decode(dec, fmt.Sprint(key)); err != nil {
			return err
		}
	}
	return expect(dec, '}')
}

func (f fields) decode(dec *json.Decoder, key string) error {
	switch target := f[key].(type) {
	case nil:
		var skipped json.RawMessage
		return dec.Decode(&skipped)
	case func(*json.Decoder) error:
		return target(dec)
	default:
		return dec.Decode(target)
	}
}

func expect(dec *json.Decoder, want json.Delim) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	if token != want {
		return errShape
	}
	return nil
}

// rows reads an array one element at a time; null, the array's or an element's, is nothing.
func rows[T any](into *[]T) func(*json.Decoder) error {
	return func(dec *json.Decoder) error {
		token, err := dec.Token()
		if err != nil || token == nil {
			return err
		}
		if token != json.Delim('[') {
			return errShape
		}
		for dec.More() {
			var row *T
			if err := dec.Decode(&row); err != nil {
				return err
			}
			if row != nil {
				*into = append(*into, *row)
			}
		}
		return expect(dec, ']')
	}
}

// plain makes one of our errors of a decoder's. What the connection reported stays as it is.
func plain(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil, errors.Is(err, errShape), errors.Is(err, errNotJSON), errors.Is(err, errTooLong):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errBrokenOff
	case errors.As(err, &syntax):
		return errNotJSON
	case errors.As(err, &kind):
		return errShape
	default:
		return fmt.Errorf("%w: %w", errBrokenOff, err)
	}
}

// text is a string that Apple sends as a number now and then. Anything else is empty.
type text string

// UnmarshalJSON never fails: the callers know what an empty text means to them.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	var n json.Number
	switch {
	case json.Unmarshal(b, &s) == nil:
		*t = text(s)
	case json.Unmarshal(b, &n) == nil:
		*t = text(n)
	}
	return nil
}

// errorNumber is 0 for no error. A number that we can't read is still an error.
func (t text) errorNumber() int {
	if t == "" {
		return 0
	}
	n, err := strconv.Atoi(string(t))
	if err != nil {
		return -1
	}
	return n
}

// parseTime reads Apple's times, whose offsets have no colon, and RFC 3339. Anything else is the zero time.
func parseTime(s string) time.Time {
	for _, layout := range []string{"2006-01-02T15:04:05Z0700", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
