package applefake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
)

// Transport serves requests in the caller's goroutine, without a network: the whole exchange has happened when it returns.
// Whatever host a request names, the fake answers it, and announces URLs with that scheme and host.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ server *Server }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, errors.Join(err, closeBody(r))
	}
	in := r.Clone(r.Context()) // a RoundTripper must not change the request
	if in.Host == "" {
		in.Host = in.URL.Host
	}
	answer, err := t.server.handle(in, in.URL.Scheme)
	if err != nil {
		return nil, err
	}
	switch answer.lost {
	case AnswerConnectionLost:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	case AnswerTimeout:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}
	}
	var body io.Reader = bytes.NewReader(answer.body)
	if answer.lost == AnswerTruncated {
		body = io.MultiReader(bytes.NewReader(answer.body[:len(answer.body)/2]), broken{})
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", answer.status, http.StatusText(answer.status)), StatusCode: answer.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: answer.header,
		Body: io.NopCloser(body), ContentLength: int64(len(answer.body)), Request: r,
	}, nil
}

func closeBody(r *http.Request) error {
	if r.Body == nil {
		return nil
	}
	return r.Body.Close()
}

// broken is the end of a connection in the middle of a body.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// ServeHTTP serves the fake over a network. Lost answers close the connection; a time-out holds it until the caller lets go.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	answer, err := s.handle(r, scheme)
	if err != nil {
		hangUp(w)
		return
	}
	switch answer.lost {
	case AnswerTimeout:
		<-r.Context().Done()
		hangUp(w)
		return
	case AnswerConnectionLost:
		hangUp(w)
		return
	}
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(answer.body)))
	w.WriteHeader(answer.status)
	body := answer.body
	if answer.lost == AnswerTruncated {
		body = body[:len(body)/2]
	}
	_, err = w.Write(body)
	if len(body) < len(answer.body) {
		err = errors.Join(err, http.NewResponseController(w).Flush(), io.ErrUnexpectedEOF)
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the documented way to break off an answer that has begun
	}
}

// hangUp ends the connection without an answer.
func hangUp(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 has no connection to take; this ends the stream
	}
	_ = connection.Close() // it is to break
}
