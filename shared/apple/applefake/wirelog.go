package applefake

import (
	"encoding/json"
	"maps"
	"net/http"
	"time"
)

// Call is one request to the API as it was answered, whether or not the answer arrived. It never carries a token.
type Call struct {
	At       time.Time
	UID      string // empty if the token opened no location
	Endpoint string
	Method   string
	Query    string
	Body     []byte // of a POST, without the notification secret
	Owner    string // mdmInfo.id of the location after the request
	Status   int    // of the true answer
	Number   int    // of the true refusal; 0: none
	EventID  string // of an accepted write
	Fault    Fault  // what the script did to it
}

// Wire lists the requests to the API that reached it, the oldest first; at most Options.WireLimit of them. What a script
// refused before it was acted upon is only counted.
func (s *Server) Wire() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.wire...)
}

// Counts is how many requests came, by endpoint.
func (s *Server) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

func (s *Server) remember(c *call, in *Incoming, answer *reply, refused *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry := Call{
		At: c.now, Endpoint: in.Endpoint, Method: c.request.Method, Query: c.request.URL.RawQuery,
		Status: answer.status, EventID: c.eventID, Fault: c.fault,
	}
	if c.now.IsZero() {
		entry.At = s.options.Clock.Now()
	}
	if refused != nil {
		entry.Number = refused.ErrorNumber
	}
	if c.location != nil {
		entry.UID = c.location.uid
		if c.location.mdm != nil {
			entry.Owner = c.location.mdm.ID
		}
	}
	if c.request.Method == http.MethodPost {
		entry.Body = withoutSecret(c.body)
	}
	s.wire = append(s.wire, entry)
	if limit := s.options.WireLimit; limit > 0 && len(s.wire) >= 2*limit {
		s.wire = append([]Call(nil), s.wire[len(s.wire)-limit:]...)
	}
}

func withoutSecret(body []byte) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return body
	}
	if _, ok := fields["notificationAuthToken"]; !ok {
		return body
	}
	delete(fields, "notificationAuthToken")
	clean, err := json.Marshal(fields)
	if err != nil {
		return nil
	}
	return clean
}
