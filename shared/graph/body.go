package graph

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/problem"
)

// gzipOverhead is how much longer than its content a compressed body may be; more is an attack.
const gzipOverhead = 1 << 10

// ReadBody decodes r's JSON body into v (a pointer). It takes plain and gzipped bodies, of at most limit bytes after
// decompression, and ignores properties that v doesn't have. Its errors are problems for the caller and never quote the
// body, which may hold a secret.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	return readBody(w, r, limit, v, false)
}

// ReadOptionalBody is ReadBody for actions without required parameters: an empty body leaves v as it is.
func ReadOptionalBody(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	return readBody(w, r, limit, v, true)
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64, v any, optional bool) error {
	text, err := bodyText(w, r, limit)
	if err != nil {
		return err
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // PowerShell may write a byte order mark
	if trimmed := bytes.TrimSpace(text); len(trimmed) == 0 || string(trimmed) == "null" {
		if optional {
			return nil
		}
		return problem.New(problem.Invalid, "", "The request has no body. Send a JSON object with Content-Type: application/json.")
	}
	if err := checkType(r); err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return explain(err, text)
	}
	return nil
}

func checkType(r *http.Request) error {
	given := r.Header.Get("Content-Type")
	if given == "" {
		return nil
	}
	if media, _, err := mime.ParseMediaType(given); err == nil && media == "application/json" {
		return nil
	}
	return problem.New(problem.UnsupportedMedia, "", "The Content-Type of the request is not one we read. "+
		"Send JSON with Content-Type: application/json.")
}

// bodyText is the body, decompressed. Whether it is compressed is decided by its first bytes: Graph's Go client, when it
// retries, says gzip and sends plain JSON; and no JSON begins like gzip.
func bodyText(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	switch e := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); e {
	case "", "identity", "gzip", "x-gzip":
	default:
		w.Header().Set("Accept-Encoding", "gzip, identity") // RFC 7694
		return nil, problem.New(problem.UnsupportedMedia, "",
			"The Content-Encoding of the request is not one we read. Send the body plain or as gzip.")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit+gzipOverhead))
	if err == nil && bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		raw, err = gunzip(raw, limit)
		if err != nil {
			return nil, problem.New(problem.Invalid, "", "The body claims to be gzip but can't be decompressed. "+
				"Send it again, or plain and without Content-Encoding.").Because(err)
		}
	}
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) || int64(len(raw)) > limit {
		return nil, problem.New(problem.TooLarge, "",
			"The body is longer than the %d bytes that this request may have (counted after decompression).", limit)
	}
	if err != nil {
		return nil, problem.New(problem.Invalid, "", "The body ended before it was complete. Send the request again.").Because(err)
	}
	return raw, nil
}

// gunzip reads at most one byte more than limit.
func gunzip(raw []byte, limit int64) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, limit+1))
}

// explain says where the JSON is wrong without quoting it.
func explain(err error, text []byte) error {
	if p, ok := problem.As(err); ok {
		return p
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var date *time.ParseError
	switch {
	case errors.As(err, &syntax):
		return problem.New(problem.Invalid, "", "The body is not valid JSON at byte %d. "+
			"Check quotes, commas and braces there.", syntax.Offset)
	case errors.As(err, &kind):
		found, _, _ := strings.Cut(kind.Value, " ") // "number 12" holds the value
		field := fieldAt(text, kind)
		return problem.New(problem.Invalid, "", "%s can't be a JSON %s (byte %d): %s is expected.",
			cmp.Or(field, "The body"), found, kind.Offset, jsonKind(kind)).At(field)
	case errors.As(err, &date):
		return problem.New(problem.Invalid, "", "The body holds a date-time that can't be read. "+
			"Write date-times like 2026-02-11T10:00:00Z.")
	default:
		return problem.New(problem.Invalid, "", "The body is JSON but holds a value of the wrong form. "+
			"Compare it with the API description.").Because(fmt.Errorf("%T", err))
	}
}

func jsonKind(e *json.UnmarshalTypeError) string {
	switch k := e.Type.Kind().String(); {
	case k == "string":
		return "a string"
	case k == "bool":
		return "true or false"
	case k == "slice" || k == "array":
		return "an array"
	case strings.HasPrefix(k, "int") || strings.HasPrefix(k, "uint"):
		return "a whole number"
	case strings.HasPrefix(k, "float"):
		return "a number"
	default:
		return "an object"
	}
}
