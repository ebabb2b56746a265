package books

import (
	"encoding/csv"
	"net/http"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/graph"
)

// csvRows is how many rows one file has at the most, some 2 MB. A Link header leads to the rest.
const csvRows = 5000

// wantsCSV says that a request asks for a file, and returns it without the options that say so.
func wantsCSV(r *http.Request) (*http.Request, bool) {
	values := r.URL.Query()
	format := values.Get("$format")
	media, _, _ := strings.Cut(format, ";")
	if !strings.EqualFold(media, "csv") && !strings.EqualFold(media, "text/csv") &&
		(format != "" || !strings.Contains(r.Header.Get("Accept"), "text/csv")) {
		return nil, false
	}
	values.Del("$format")
	plain := r.Clone(r.Context())
	plain.URL.RawQuery = values.Encode()
	return plain, true
}

// answerCSV writes readers for a mail merge.
func answerCSV(w http.ResponseWriter, r, plain *http.Request, read turn[showedReader]) error {
	q, err := asked(plain)
	if err != nil {
		return err
	}
	size := csvRows
	if q.Top != nil {
		size = min(size, *q.Top)
	}
	shown, next, err := gather(size, q, read)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", `attachment; filename="readers.csv"`)
	if next != "" {
		h.Set("Link", "<"+graph.NextLink(r, next)+`>; rel="next"`)
	}
	out := csv.NewWriter(w)
	rows := [][]string{{"name", "userName", "email", "location", "invitationUrl", "invitedSince"}}
	for _, one := range shown {
		link := ""
		if one.InvitationURL != nil {
			link = *one.InvitationURL
		}
		rows = append(rows, []string{
			cell(one.DisplayName), cell(one.UserName), cell(one.Email), cell(one.LocationName), cell(link),
			one.Since.UTC().Format(time.RFC3339),
		})
	}
	return out.WriteAll(rows)
}

// cell keeps spreadsheets from taking what people are called for a formula.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}
