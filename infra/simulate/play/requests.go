package play

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/bookplate/bookplate/infra/simulate/judge"
)

// Who does what. Whoever asks for an assignment can't approve it.
const (
	administrator = "administrator"
	second        = "administrator second"
	manager       = "manager"
)

// refusal is what the product says to what it doesn't do.
type refusal struct {
	Error struct {
		Code string `json:"code"`
	} `json:"error"`
}

func code(answer string) string {
	var r refusal
	_ = json.Unmarshal([]byte(answer), &r) // what isn't JSON has no code
	return r.Error.Code
}

// request: somebody asks for a book, or a manager does for them.
func (p *Play) request() {
	b, ok := pick(p, p.books(), func(k known) bool { return p.offers(k) })
	x, there := pick(p, p.people, present)
	if !ok || !there {
		return
	}
	bearer, who := manager, "a manager asks for"
	ask := map[string]string{"book": b.ID, "person": x.id}
	if p.script.IntN(2) == 0 {
		bearer, who = fmt.Sprintf("reader x%d", x.n), "themselves ask for"
		delete(ask, "person")
	}
	body, err := json.Marshal(ask)
	must(err)
	key := judge.Asked(b.book(), x.id)
	before, attempts := p.judge.Is(key), 0
	p.judge.Facts.Begin(key, true)
	asked := false
	p.want(fmt.Sprintf("person %d (%s): %s %s", x.n, x.id, who, b), func(_ context.Context, process *process) error {
		attempts++
		status, answer := send(process.assignments, bearer, http.MethodPost, "/bookplate/requests", string(body))
		switch {
		case status == http.StatusOK || status == http.StatusCreated:
			asked = true
			p.count("done: " + who + " a book")
			return nil
		case status >= 500 || status == http.StatusTooManyRequests:
			return fmt.Errorf("status %d: %s", status, answer)
		}
		p.count("refused: " + code(answer))
		return nil
	}, func() {
		if asked || attempts == 1 { // of an attempt that failed, nobody knows
			p.judge.Done(key, asked || before)
		}
	})
}

// offers says that a book is available to somebody, or that this request is one of those that ask for what isn't.
func (p *Play) offers(b known) bool {
	for _, required := range p.siteOf(b.UID).wishes[b.ID] {
		if !required {
			return true
		}
	}
	return p.script.IntN(20) == 0
}

// approve: another administrator looks at what a book's assignments would do, and lets them; or approves what they would
// have done when somebody asked for them.
func (p *Play) approve() {
	b, ok := pick(p, p.books(), func(b known) bool { return p.mayWait(p.siteOf(b.UID), b) })
	if !ok {
		return
	}
	s, by := p.siteOf(b.UID), second
	if p.script.IntN(6) == 0 {
		by = administrator
	}
	p.approveAs(s, b, by, p.script.IntN(3) == 0)
}

// mayWait says that assignments of the book may wait for approval.
func (p *Play) mayWait(s *site, b known) bool {
	_, all := s.wishes[b.ID][judge.Everybody]
	return !s.busy[b.ID] && len(s.wishes[b.ID]) > 0 && (all || p.approvalAbove > 0)
}

func (p *Play) approveAs(s *site, b known, by string, asSeenBefore bool) {
	s.busy[b.ID] = true
	key, body := judge.Approved(b.book()), list(s.wishes[b.ID])
	before, attempts := p.judge.Is(key), 0
	approved := false
	p.want(fmt.Sprintf("%s is approved by %s", b, by), func(_ context.Context, process *process) error {
		id, needs, err := p.plan(process, b, body)
		if asSeenBefore && err == nil {
			id, err = planned(process, b)
			needs = id != ""
		}
		if err != nil || !needs {
			approved = err == nil && attempts > 0 // an attempt that failed has done it
			return err
		}
		attempts++
		if by == second {
			p.judge.Facts.Begin(key, true)
		}
		status, answer := send(process.assignments, by, http.MethodPost, b.path()+"/bookplate.approve", `{"planId":"`+id+`"}`)
		refused := code(answer)
		switch {
		case status == http.StatusNoContent:
			approved = true
			p.count("done: a plan is approved")
			if by != second {
				p.judge.Wrong("too early", "%s: who asked for the assignments approved them", b)
			}
		case status >= 500 || status == http.StatusTooManyRequests:
			return fmt.Errorf("status %d: %s", status, answer)
		default:
			approved = refused == "NothingToApprove" && attempts > 1
			p.count("refused: " + refused)
		}
		return nil
	}, func() {
		s.busy[b.ID] = false
		if by == second && attempts > 0 {
			p.judge.Done(key, approved || before)
		}
	})
}

// plan asks what assignments would do, which spends nothing.
func (p *Play) plan(process *process, b known, body string) (id string, needsApproval bool, err error) {
	status, answer := send(process.assignments, "viewer", http.MethodPost, b.path()+"/bookplate.plan", body)
	if status == http.StatusNotFound {
		return "", false, nil // the location's token is gone
	}
	var plan struct {
		ID      string `json:"planId"`
		Needs   bool   `json:"needsApproval"`
		Reasons []struct{ Reason string }
	}
	if err := json.Unmarshal([]byte(answer), &plan); err != nil || status != http.StatusOK {
		return "", false, fmt.Errorf("status %d: %s", status, answer)
	}
	for _, r := range plan.Reasons {
		p.count("planned: " + r.Reason)
	}
	return plan.ID, plan.Needs, nil
}

// planned is the plan for which a book's assignments wait, as they name it; empty if none do.
func planned(process *process, b known) (id string, err error) {
	there, err := assignmentsOf(process, b)
	for _, one := range there {
		if one.Approval == "pending" {
			id = one.Plan
		}
	}
	return id, err
}

// claim makes us a location's manager again, over the other product only when that is the order.
func (p *Play) claim() {
	s, _ := pick(p, p.sites, func(*site) bool { return true })
	if s.tokenID == "" { // it was foreign when we came
		p.upload(s, p.script.IntN(2) == 0)
		return
	}
	body := "{}"
	if p.script.IntN(2) == 0 {
		body = `{"ownerId":"` + other.ID + `"}`
	}
	path := "/deviceAppManagement/vppTokens/" + s.tokenID + "/bookplate.claim"
	p.takeBack(s, fmt.Sprintf("%s is claimed: %s", s.UID(), body), body != "{}", func(process *process) (int, string) {
		return send(process.tokens, administrator, http.MethodPost, path, body)
	}, func() {})
}

// takeBack does what makes us a location's manager, and notes whether it did.
func (p *Play) takeBack(s *site, what string, ordered bool, do func(*process) (int, string), done func()) {
	p.want(what, func(_ context.Context, process *process) error {
		if ordered {
			p.judge.Order(process.name)
		}
		status, answer := do(process)
		switch {
		case status >= 500 || status == http.StatusTooManyRequests:
			return fmt.Errorf("status %d: %s", status, answer)
		case status >= 400:
			p.count("refused: " + code(answer))
			p.tell(true, "refused: %s", answer)
		case ordered:
			p.count("done: a claim by order")
		default:
			p.count("done: a claim")
		}
		return nil
	}, func() {
		info := s.MDMInfo()
		s.foreign = info != nil && info.ID == other.ID
		done()
	})
}
