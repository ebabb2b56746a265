package play

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// reader is one of a location's readers, as the product shows it.
type reader struct {
	PersonID     string `json:"personId"`
	ClientUserID string `json:"clientUserId"`
	Status       string `json:"status"`
}

// retireByOrder: an administrator retires a reader of ours, now and then one that is retired.
func (p *Play) retireByOrder() {
	p.orderReader("retire", func(one reader) bool { return one.Status != "retired" || p.script.IntN(8) == 0 })
}

// restore: an administrator lets the person of a retired reader be a reader again, whoever has retired it.
func (p *Play) restore() {
	p.orderReader("restore", func(one reader) bool { return one.Status == "retired" || p.script.IntN(20) == 0 })
}

func (p *Play) orderReader(verb string, fits func(reader) bool) {
	s, ok := pick(p, p.sites, func(s *site) bool { return s.tokenID != "" })
	if !ok {
		return
	}
	var page struct{ Value []reader }
	_ = json.Unmarshal(p.get("/bookplate/readers?location="+s.UID()+"&$top=100"), &page) // no answer: no readers
	one, ok := pick(p, page.Value, func(one reader) bool { return !s.busy[one.PersonID] && fits(one) })
	if !ok {
		return
	}
	s.busy[one.PersonID] = true
	attempts, out := 0, p.judge.IsOut(s.UID(), one.PersonID)
	if verb == "restore" {
		p.judge.In(s.UID(), one.PersonID)
	} else {
		p.judge.Leaves(s.UID(), one.ClientUserID)
	}
	path := "/bookplate/readers/" + one.ClientUserID + "/" + verb
	p.want(fmt.Sprintf("%s reader %s of %s (%s)", verb, one.ClientUserID, s.UID(), one.PersonID),
		func(_ context.Context, process *process) error {
			attempts++
			status, answer := send(process.assignments, administrator, http.MethodPost, path, `{"reason":"made up"}`)
			switch {
			case status == http.StatusAccepted:
				p.count("done: " + verb + " a reader")
				out = verb == "retire"
			case status >= 500 || status == http.StatusTooManyRequests:
				return fmt.Errorf("status %d: %s", status, answer)
			default:
				p.count("refused: " + code(answer))
				out = out && attempts == 1 // of an attempt that failed, nobody knows
			}
			return nil
		}, func() {
			s.busy[one.PersonID] = false
			if out {
				p.judge.Out(s.UID(), one.PersonID, one.ClientUserID)
			}
		})
}

// deleteToken lets a location go. Its token comes again with a later claim, or at the end.
func (p *Play) deleteToken() {
	s, ok := pick(p, p.sites, func(s *site) bool { return s.tokenID != "" })
	if !ok {
		return
	}
	id := s.tokenID
	p.want("the token of "+s.UID()+" is deleted", func(_ context.Context, process *process) error {
		status, answer := send(process.tokens, administrator, http.MethodDelete, "/deviceAppManagement/vppTokens/"+id, "")
		if status != http.StatusNoContent && status != http.StatusNotFound { // not found: an attempt that failed has done it
			return fmt.Errorf("status %d: %s", status, answer)
		}
		return nil
	}, func() {
		s.tokenID, s.broken = "", false
		p.count("done: a token is deleted")
	})
}

// uploadAgain brings the token of a location that was let go, or that was another's when we came.
func (p *Play) uploadAgain() {
	if s, ok := pick(p, p.sites, func(s *site) bool { return s.tokenID == "" }); ok {
		if s.mdm != nil {
			p.count("done: a token is uploaded again")
		}
		p.upload(s, p.script.IntN(2) == 0)
	}
}
