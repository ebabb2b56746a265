package assignments

import (
	"net/http"

	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
)

// approve lets the assignments of a book spend that wait for it, as one plan says. For many people the worker looks whether
// that is still the plan, and the answer is where that will be found.
func (s server) approve(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		PlanID string `json:"planId"`
	}
	if err := graph.ReadBody(w, r, maxBody, &body); err != nil {
		return err
	}
	if body.PlanID == "" {
		return problem.New(problem.Invalid, "", "Say which plan is approved: {\"planId\": \"…\"}. bookplate.plan and the book's "+
			"assignments name it.").At("planId")
	}
	b, _, err := s.assignable(r)
	if err != nil {
		return err
	}
	caller := auth.From(r.Context()).Subject
	run, later, err := s.assigner().ApproveLater(r.Context(), b, body.PlanID, caller)
	if err != nil {
		return err
	}
	if later {
		return s.later(w, r, run, b)
	}
	if err := s.assigner().Approve(r.Context(), b, body.PlanID, caller); err != nil {
		return err
	}
	s.wake(r.Context(), b.Location)
	graph.WriteNoContent(w)
	return nil
}
