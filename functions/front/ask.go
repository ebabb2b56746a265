package front

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/bookplate/bookplate/shared/problem"
)

// ownMark is the header of a request that front makes. Whoever sends it themselves is only not helped with odd spellings.
const ownMark = "Bookplate-Front"

func isOwn(r *http.Request) bool { return r.Header.Get(ownMark) != "" }

// bodyMost is what front passes on in one piece, in bytes: AWS's gateway takes 6 MB of an answer, encoded.
const bodyMost = 5 << 20

// passed are the headers of a request that the API reads. Nothing else goes on, cookies least of all.
var passed = []string{
	"Accept", "Content-Encoding", "Content-Type", "Client-Request-Id", "Consistencylevel", "If-Match", "Prefer", "User-Agent",
}

// ofTheConnection are headers of an answer that don't outlive the connection on which it came.
var ofTheConnection = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Transfer-Encoding": true, "Content-Length": true, "Date": true, "Trailer": true,
}

// asked is a request to the API.
type asked struct {
	method, target string // escaped path and query
	header         http.Header
	body           []byte
}

// got is its answer.
type got struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request to the API with the bearer of outer. Its errors are problems.
func (f front) ask(ctx context.Context, outer *http.Request, a asked) (got, error) {
	to, err := url.ParseRequestURI(a.target)
	if err != nil {
		return got{}, problem.New(problem.Invalid, "", "The path of the request can't be read. Check its escapes.").Because(err)
	}
	r, err := http.NewRequestWithContext(ctx, a.method, "/", bytes.NewReader(a.body))
	if err != nil {
		return got{}, problem.New(problem.Invalid, "", "The method of the request can't be read.").Because(err)
	}
	r.URL, r.Host, r.RemoteAddr = to, outer.Host, outer.RemoteAddr
	for _, name := range passed {
		if value := a.header.Get(name); value != "" {
			r.Header.Set(name, value)
		}
	}
	r.Header["Authorization"] = outer.Header.Values("Authorization")
	r.Header.Set(ownMark, "1")
	answer, err := f.API.RoundTrip(r)
	if err != nil {
		return got{}, unanswered(a.method, err)
	}
	body, err := readAll(answer.Body, bodyMost)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return got{}, unanswered(a.method, err)
	}
	return got{status: answer.StatusCode, header: answer.Header, body: body}, nil
}

// unanswered: nobody knows whether the request was carried out.
func unanswered(method string, cause error) error {
	const text = "The API gave no answer that could be passed on."
	if method == http.MethodGet || method == http.MethodHead {
		return problem.New(problem.Upstream, "", text+" Ask again.").Because(cause)
	}
	return problem.New(problem.Upstream, "", text+" The request may have been carried out: "+
		"look at what it would have changed before you send it again.").Because(cause)
}

var errTooLong = errors.New("longer than may be passed on")

func readAll(from io.Reader, most int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(from, most+1))
	if err == nil && int64(len(body)) > most {
		err = errTooLong
	}
	return body, err
}
