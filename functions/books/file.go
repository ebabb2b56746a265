package books

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
)

// A file is a list in a form for other programs than clients of the API. It ends, like every answer, below 5 MB; a Link
// header leads to the rest.
const (
	fileRows  = 5000    // at the most
	fileChunk = 250     // rows that are read at once
	fileBytes = 3 << 20 // after which no further chunk is read
)

// format is a form of file.
type format struct {
	names []string // in $format
	media string
	ends  string // of the file's name
}

func csvFormat() format   { return format{[]string{"csv", "text/csv"}, "text/csv", ".csv"} }
func linesFormat() format { return format{[]string{"jsonl", "ndjson", ndjson}, ndjson, ".jsonl"} }

const ndjson = "application/x-ndjson"

// wantsFile says that a request asks for a file of one of the formats, and returns it without the options that say so.
func wantsFile(r *http.Request, formats ...format) (plain *http.Request, wanted format, ok bool, err error) {
	values := r.URL.Query()
	asked := values.Get("$format")
	media, _, _ := strings.Cut(strings.ToLower(asked), ";")
	i := slices.IndexFunc(formats, func(f format) bool {
		return slices.Contains(f.names, media) || asked == "" && strings.Contains(r.Header.Get("Accept"), f.media)
	})
	if i < 0 {
		return nil, format{}, false, checkFormat(media, formats)
	}
	values.Del("$format")
	plain = r.Clone(r.Context())
	plain.URL.RawQuery = values.Encode()
	return plain, formats[i], true, nil
}

// checkFormat refuses a format that is neither JSON nor one of the files'.
func checkFormat(media string, formats []format) error {
	names := []string{"json"}
	for _, f := range formats {
		names = append(names, f.names[0])
	}
	if media == "" || media == "json" || media == "application/json" {
		return nil
	}
	return problem.New(problem.Invalid, "", "This list can't be answered in that format: $format is %s, or left out for JSON.",
		strings.Join(names, " or ")).At("$format")
}

// sheet is how a list looks in a file.
type sheet[T any] struct {
	name   string // of the file, without its ending
	header []string
	cells  func(T) []string
}

// answerFile writes a list as a file.
func answerFile[T any](w http.ResponseWriter, r, plain *http.Request, f format, of sheet[T], read turn[T]) error {
	q, err := asked(plain)
	if err != nil {
		return err
	}
	marked, err := strconv.ParseBool(cmp.Or(plain.URL.Query().Get("bom"), "false"))
	if err != nil {
		return problem.New(problem.Invalid, "", "bom is true or false; with true a spreadsheet knows that the file is UTF-8.").At("bom")
	}
	size := fileRows
	if q.Top != nil {
		size = min(size, *q.Top)
	}
	var body bytes.Buffer
	if marked && f.media == csvFormat().media {
		body.WriteString("\uFEFF")
	}
	next, err := of.write(&body, f, size, q, read)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", f.media+"; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", `attachment; filename="`+of.name+f.ends+`"`)
	if next != "" {
		h.Set("Link", "<"+graph.NextLink(r, next)+`>; rel="next"`)
	}
	_, err = w.Write(body.Bytes())
	return err
}

// write writes rows until there are enough of them, or of their bytes, and returns the cursor of the rest.
func (s sheet[T]) write(body *bytes.Buffer, f format, size int, q graph.Query, read turn[T]) (next string, err error) {
	lines := csv.NewWriter(body)
	if f.media == csvFormat().media {
		if err := lines.Write(s.header); err != nil {
			return "", err
		}
	}
	if next, err = q.Cursor(); err != nil || size == 0 {
		return "", err
	}
	for rows, turns := 0, 1; ; turns++ {
		found, after, err := read(min(size-rows, fileChunk), next)
		if err != nil {
			return "", badLink(err)
		}
		for _, one := range found {
			if err := s.row(body, lines, f, one); err != nil {
				return "", err
			}
		}
		lines.Flush()
		rows, next = rows+len(found), after
		if next == "" || 4*rows >= 3*size || body.Len() > fileBytes || turns == mostTurns {
			return next, lines.Error()
		}
	}
}

func (s sheet[T]) row(body *bytes.Buffer, lines *csv.Writer, f format, one T) error {
	if f.media == ndjson {
		return json.NewEncoder(body).Encode(one)
	}
	cells := s.cells(one)
	for i, text := range cells {
		cells[i] = cell(text)
	}
	return lines.Write(cells)
}

// cell keeps spreadsheets from taking what people are called for a formula, also those that split lines at semicolons or
// tabs, as they do where the comma is in numbers.
func cell(text string) string {
	var safe strings.Builder
	if text != "" && strings.ContainsRune("\t\r\n", rune(text[0])) {
		safe.WriteByte('\'')
	}
	begins := true // a cell
	for _, c := range text {
		if begins && strings.ContainsRune("=+-@＝＋－＠", c) {
			safe.WriteByte('\'')
		}
		safe.WriteRune(c)
		begins = strings.ContainsRune(";\t\r\n", c) || begins && strings.ContainsRune(`" `, c)
	}
	return safe.String()
}
