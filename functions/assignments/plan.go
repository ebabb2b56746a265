package assignments

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/license"
)

// maxPeople is how many people a plan names. Those who have something to wait for or are refused come first: who is to be
// given the book needs nobody's attention.
const maxPeople = 1000

// planAnswer is a plan as clients read it.
type planAnswer struct {
	// PlanID names what would be spent, and on whom: what bookplate.approve approves.
	PlanID        string    `json:"planId"`
	NeedsApproval bool      `json:"needsApproval"`
	BookID        string    `json:"bookId"`
	DisplayName   string    `json:"displayName"`
	Counted       time.Time `json:"countedDateTime"`
	FreeBefore    *int      `json:"freeBefore"` // null: the licenses never end
	FreeAfter     *int      `json:"freeAfter"`
	Give          int       `json:"willReceive"`
	Wait          int       `json:"willWait"`
	Refuse        int       `json:"refused"`
	// HoldUntil is until when nothing is spent; null without a hold.
	HoldUntil   *time.Time   `json:"holdUntil"`
	Reasons     []planReason `json:"reasons"`
	PeopleTotal int          `json:"peopleTotal"`
	People      []planPerson `json:"people"`
}

type planReason struct {
	Reason license.Reason `json:"reason"`
	Count  int            `json:"count"`
	Text   string         `json:"text"`
	Next   string         `json:"next"`
}

type planPerson struct {
	PersonID    string         `json:"personId"`
	DisplayName string         `json:"displayName"`
	UserName    string         `json:"userName"`
	GroupID     string         `json:"groupId"`
	Verdict     assign.Verdict `json:"verdict"`
	Reason      license.Reason `json:"reason,omitempty"`
	Text        string         `json:"text,omitempty"`
	Next        string         `json:"next,omitempty"`
	Detail      string         `json:"detail,omitempty"`
}

// plan says what assign with the same body would spend. It changes nothing. For many people it answers where the plan will
// be found.
func (s server) plan(w http.ResponseWriter, r *http.Request) error {
	asks, err := readAsks(w, r)
	if err != nil {
		return err
	}
	b, _, err := s.assignable(r)
	if err != nil {
		return err
	}
	caller := auth.From(r.Context()).Subject
	run, later, err := s.assigner().PlanLater(r.Context(), b, asks, caller)
	if err != nil {
		return err
	}
	if later {
		return s.later(w, r, run, b)
	}
	plan, approval, err := s.assigner().Plan(r.Context(), b, asks, caller)
	if err != nil {
		return err
	}
	answer := show(plan)
	answer.NeedsApproval = approval
	graph.WriteEntity(w, r, http.StatusOK, "bookplate.plan", answer)
	return nil
}

func show(p assign.Plan) planAnswer {
	answer := planAnswer{
		PlanID: p.ID, BookID: p.Book.ID, DisplayName: p.Book.Name(), Counted: p.Counted,
		Give: p.Give, Wait: p.Wait, Refuse: p.Refuse,
		Reasons: []planReason{}, PeopleTotal: len(p.Lines), People: []planPerson{},
	}
	if !p.Unlimited {
		answer.FreeBefore, answer.FreeAfter = &p.FreeBefore, &p.FreeAfter
	}
	if !p.HoldUntil.IsZero() {
		answer.HoldUntil = &p.HoldUntil
	}
	for reason, n := range p.Reasons {
		why := assign.Explain(reason)
		answer.Reasons = append(answer.Reasons, planReason{reason, n, why.Text, why.Next})
	}
	slices.SortFunc(answer.Reasons, func(a, b planReason) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	lines := slices.Clone(p.Lines)
	slices.SortStableFunc(lines, func(a, b assign.PlanLine) int { return rank(a) - rank(b) })
	for _, line := range lines[:min(len(lines), maxPeople)] {
		answer.People = append(answer.People, person(line))
	}
	return answer
}

func rank(l assign.PlanLine) int {
	return slices.Index([]assign.Verdict{assign.Wait, assign.Refuse, assign.Give}, l.Decision.Verdict)
}

func person(l assign.PlanLine) planPerson {
	p := planPerson{
		PersonID: l.PersonID, DisplayName: l.Name, UserName: l.UserName, GroupID: l.GroupID,
		Verdict: l.Decision.Verdict, Reason: l.Decision.Reason, Detail: l.Decision.Detail,
	}
	if p.Reason != "" {
		why := assign.Explain(p.Reason)
		p.Text, p.Next = why.Text, why.Next
	}
	return p
}
