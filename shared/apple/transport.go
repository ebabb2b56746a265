package apple

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxAnswer  = 32 << 20 // bytes
	maxMessage = 500      // bytes of Apple's message that are kept
)

// verdict is what is known about a request that failed. Writes depend on it.
type verdict int

const (
	notSent verdict = iota // certain: nothing happened
	refused                // certain: Apple said no to all of it
	unknown                // it may have happened
)

// fault is one request's failure, before a read or a write makes an error of it.
type fault struct {
	err     error
	verdict verdict
	again   bool          // the same read may succeed when repeated
	after   time.Duration // Apple's Retry-After
}

// nonsense is an answer that isn't Apple's: what was asked may have happened all the same.
func nonsense(what string) *fault {
	return &fault{err: errors.New(what), verdict: unknown, again: true}
}

// exchange hands a request to the transport, once, and reads its answer into known. pass is asked immediately before;
// its error means that the request was not sent. Whatever the secret in the request is, it isn't in the errors.
//
// No request is repeated below: the transport follows no redirects (a bearer must not travel), and net/http repeats a
// request on a fresh connection only if it can make its body anew, so bodies here come without GetBody.
func (s *Service) exchange(request *http.Request, secret string, pass func() error, known fields) (envelope, *fault) {
	if s.timeout > 0 {
		//nolint:forbidigo // the network's clock is the machine's; see Options.Timeout
		ctx, cancel := context.WithTimeout(request.Context(), s.timeout)
		defer cancel()
		request = request.WithContext(ctx)
	}
	request.GetBody = nil
	if err := pass(); err != nil {
		return envelope{}, &fault{err: err}
	}
	response, err := s.http.RoundTrip(request)
	if err != nil {
		f := &fault{err: hide(err, secret), verdict: unknown, again: true}
		if neverConnected(err) {
			f.verdict = notSent
		}
		return envelope{}, f
	}
	defer func() { _ = response.Body.Close() }() // what was read decides
	e, err := decodeAnswer(&capped{response.Body, maxAnswer}, known)
	f := judge(response, e, err)
	if f != nil {
		f.err = hide(f.err, secret)
		f.after = retryAfter(response.Header.Get("Retry-After"), s.world.Now())
		if refusal, ok := errors.AsType[*Error](f.err); ok {
			refusal.RetryAfter = f.after
		}
	}
	return e, f
}

// judge reads an answer: its error number before its status, because Apple also sends errors as 200.
func judge(response *http.Response, e envelope, decoding error) *fault {
	status := response.StatusCode
	f := &fault{verdict: unknown, again: true}
	switch {
	case decoding == nil && e.number != 0:
		refusal := &Error{Number: e.number, Status: status, Message: e.message, Info: e.info}
		f.err, f.again = refusal, refusal.Retryable()
		if status < http.StatusInternalServerError && !refusal.broken() {
			f.verdict = refused
		}
	case decoding == nil && status/100 == 2:
		return nil
	case decoding != nil:
		f.err = fmt.Errorf("HTTP status %d with an answer that %w", status, decoding)
	default:
		f.err = fmt.Errorf("HTTP status %d without an error number", status)
	}
	if status == http.StatusTooManyRequests || f.verdict == refused && e.number == tooManyRequests {
		f.verdict = notSent // throttled before anybody looked at it
	}
	return f
}

// neverConnected says that an error of the transport came before a connection stood, so that nothing was written.
func neverConnected(err error) bool {
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &network) && network.Op == "dial" || errors.As(err, &certificate)
}

// retryAfter reads both forms of the header. A moment that has passed, and nonsense, are zero.
func retryAfter(header string, now time.Time) time.Duration {
	const longest = 24 * time.Hour
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(seconds, 0), int(longest/time.Second))) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), longest)
}

// capped is a body that is an error beyond a number of bytes.
type capped struct {
	body io.Reader
	left int
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooLong
	}
	n, err := c.body.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// hidden is an error whose text would have shown a secret.
type hidden struct {
	text  string
	cause error
}

func (h *hidden) Error() string { return h.text }
func (h *hidden) Unwrap() error { return h.cause }

// hide keeps a secret out of an error's text, whoever wrote that text.
func hide(err error, secret string) error {
	if refusal, ok := errors.AsType[*Error](err); ok {
		refusal.Message = shorten(without(refusal.Message, secret))
		return err
	}
	if text := err.Error(); without(text, secret) != text {
		return &hidden{without(text, secret), err}
	}
	return err
}

func without(text, secret string) string {
	if secret == "" {
		return text
	}
	return strings.ReplaceAll(text, secret, "[secret]")
}

func shorten(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	return strings.ToValidUTF8(text[:maxMessage], "") + "…"
}
