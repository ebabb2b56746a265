package applefake

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// reply is an answer before it has taken a way: in process or over a network.
type reply struct {
	status int
	header http.Header
	body   []byte
	lost   Answer // AnswerConnectionLost, AnswerTruncated or AnswerTimeout; else AnswerTrue
}

const gatewayPage = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"

// handle takes a request through script, checks and endpoint. Both ways into the fake lead here.
func (s *Server) handle(r *http.Request, scheme string) (*reply, error) {
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	c := &call{server: s, request: r, query: r.URL.Query(), body: body, base: s.options.BaseURL}
	if c.base == "" {
		c.base = scheme + "://" + r.Host
	}
	in := &Incoming{Request: r, Endpoint: s.endpointOf(r), Body: body}
	s.mu.Lock()
	s.counts[in.Endpoint]++
	in.N = s.counts[in.Endpoint]
	script := s.script
	s.mu.Unlock()
	if script != nil {
		c.fault = script(in)
	}
	return s.fulfill(c, in)
}

// fulfill does what the request asks, or not, and answers with the truth, or not.
func (s *Server) fulfill(c *call, in *Incoming) (*reply, error) {
	fault := c.fault
	if !fault.Acted {
		if err := s.pass(c, fault); err != nil {
			return nil, err
		}
	}
	var answer *reply
	if fault.Acted || fault.Answer == AnswerTrue || fault.Answer == AnswerTruncated {
		if !fault.Acted && fault.Answer == AnswerTruncated {
			answer = (&reply{body: []byte(gatewayPage)}).as(http.StatusOK) // half of an answer to something that wasn't done
		} else {
			answer = s.answer(c, in)
		}
	}
	if fault.Acted {
		if err := s.pass(c, fault); err != nil {
			return nil, err
		}
	}
	return s.disturb(answer, fault), nil
}

// pass lets the fault's delay pass on the clock.
func (s *Server) pass(c *call, fault Fault) error {
	if fault.Delay <= 0 {
		return nil
	}
	return s.options.Clock.Sleep(c.request.Context(), fault.Delay)
}

// disturb replaces the true answer.
func (s *Server) disturb(answer *reply, fault Fault) *reply {
	switch fault.Answer {
	case AnswerUnavailable, AnswerBusy:
		number := map[Answer]int{AnswerUnavailable: 9729, AnswerBusy: 9646}[fault.Answer]
		answer = s.refused(refuse(number))
		if fault.RetryAfter != "" {
			answer.header.Set("Retry-After", fault.RetryAfter)
		}
	case AnswerHTML:
		answer = (&reply{body: []byte(gatewayPage)}).as(http.StatusBadGateway)
		answer.header.Set("Content-Type", "text/html")
	case AnswerConnectionLost, AnswerTimeout:
		answer = &reply{lost: fault.Answer}
	case AnswerTruncated:
		answer.lost = fault.Answer
	case AnswerTrue:
	}
	return answer
}

// answer is the true answer.
func (s *Server) answer(c *call, in *Incoming) *reply {
	switch in.Endpoint {
	case EndpointMetadata:
		return s.lookup(c)
	case EndpointBooks:
		return s.catalogBooks(c)
	case EndpointInvitation, EndpointAcceptance:
		return s.invitation(c)
	case EndpointCover:
		return s.cover(c)
	}
	value, refused := s.api(c)
	answer := s.refusedOr(value, refused)
	s.remember(c, in, answer, refused)
	return answer
}

func (s *Server) refusedOr(value any, refused *refusal) *reply {
	if refused != nil {
		return s.refused(refused)
	}
	return jsonReply(http.StatusOK, value)
}

func (s *Server) refused(r *refusal) *reply {
	status := r.status
	if s.options.ErrorsAsHTTP200 {
		status = http.StatusOK
	}
	answer := jsonReply(status, r)
	if r.ErrorNumber == 9646 {
		s.retryAfter(answer.header)
	}
	return answer
}

func jsonReply(status int, value any) *reply {
	// Answers are structs of strings, numbers and the like, which can always be marshaled.
	body, _ := json.Marshal(value)
	answer := (&reply{body: body}).as(status)
	answer.header.Set("Content-Type", mediaJSON)
	return answer
}

func (r *reply) as(status int) *reply {
	r.status, r.header = status, http.Header{}
	return r
}

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	var buffer bytes.Buffer
	n, err := io.Copy(&buffer, io.LimitReader(r.Body, maxBody+1))
	if err == nil && n > maxBody {
		err = errors.New("the request's body is too long")
	}
	return buffer.Bytes(), errors.Join(err, r.Body.Close())
}
