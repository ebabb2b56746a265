package assignments

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
)

// lookAgain is after how many seconds a running plan is worth another look.
const lookAgain = "5"

// planRun is a plan of many people as clients read it: what a plan says, as far as it is computed.
type planRun struct {
	ID        string           `json:"id"`
	Status    assign.PlanState `json:"status"`
	Text      string           `json:"text"`
	Done      int              `json:"peopleDone"`
	Created   time.Time        `json:"createdDateTime"`
	Ended     *time.Time       `json:"endedDateTime"`
	Requester string           `json:"requester"`
	// Licenses is how many licenses the new assignments, or those that wait for approval, would spend sooner or later.
	Licenses int    `json:"licenses"`
	Names    string `json:"peopleUrl"` // where the people are, in pages
	// Approval is what became of an approval that had to wait for the plan; null without one.
	Approval *planApproval `json:"approval"`
	planAnswer
}

type planApproval struct {
	PlanID   string `json:"planId"` // the one that was approved, if it is the one that this is
	State    string `json:"state"`  // pending, approved, refused
	Text     string `json:"text"`
	Approver string `json:"approver"`
}

// later answers that a plan is being computed, and where.
func (s server) later(w http.ResponseWriter, r *http.Request, run assign.PlanRun, b book.Book) error {
	s.wake(r.Context(), b.Location)
	answer, err := s.showRun(r, run)
	if err != nil {
		return err
	}
	w.Header().Set("Location", planURL(r, run.ID))
	w.Header().Set("Retry-After", lookAgain)
	graph.WriteEntity(w, r, http.StatusAccepted, "bookplate/plans/$entity", answer)
	return nil
}

func planURL(r *http.Request, id string) string {
	return graph.Origin(r) + "/v1.0" + plansPath + "/" + id
}

// planned shows a plan of many people.
func (s server) planned(w http.ResponseWriter, r *http.Request) error {
	run, err := s.loadRun(r)
	if err != nil {
		return err
	}
	answer, err := s.showRun(r, run)
	if err != nil {
		return err
	}
	if run.State == assign.PlanRunning {
		w.Header().Set("Retry-After", lookAgain)
	}
	graph.WriteEntity(w, r, http.StatusOK, "bookplate/plans/$entity", answer)
	return nil
}

func (s server) loadRun(r *http.Request) (assign.PlanRun, error) {
	return assign.LoadPlan(r.Context(), s.Store.ReadStore, door.ID(r.PathValue("id")), s.World.Now())
}

func (s server) showRun(r *http.Request, run assign.PlanRun) (planRun, error) {
	b, err := book.Load(r.Context(), s.Store.ReadStore, run.BookID)
	if err != nil {
		return planRun{}, err
	}
	answer := planRun{
		ID: run.ID, Status: run.State, Text: "Done.", Created: run.Created, Requester: run.By,
		Done: run.Give + run.Wait + run.Refuse, Licenses: run.Licenses, Names: planURL(r, run.ID) + "/people",
		planAnswer: show(assign.Plan{
			ID: run.Plan, Book: b.Value, Counted: run.Counted, FreeBefore: run.FreeBefore, FreeAfter: run.FreeAfter,
			Unlimited: run.Unlimited, Give: run.Give, Wait: run.Wait, Refuse: run.Refuse, Reasons: run.Reasons,
			HoldUntil: run.HoldUntil,
		}),
	}
	answer.PeopleTotal, answer.NeedsApproval = run.People, run.NeedsApproval
	if run.State == assign.PlanRunning {
		if answer.Text, err = s.running(r.Context(), run); err != nil {
			return planRun{}, err
		}
	} else {
		answer.Ended = &run.Ended
	}
	if run.Approve != "" {
		answer.Approval = &planApproval{PlanID: run.Approve, State: "pending", Approver: run.By, Text: run.Refused}
		switch {
		case run.Approved:
			answer.Approval.State = "approved"
		case run.Refused != "":
			answer.Approval.State = "refused"
		}
	}
	return answer, nil
}

// running says how far a plan is, or why nobody goes on with it.
func (s server) running(ctx context.Context, run assign.PlanRun) (string, error) {
	record, err := token.OfLocation(ctx, s.Store.ReadStore, run.Location)
	if errors.Is(err, table.ErrAbsent) {
		return "The token of the location was deleted, so nobody goes on with the plan.", nil
	}
	if err != nil {
		return "", err
	}
	if state, why := record.Value.Standing(s.World.Now()); state != token.Valid {
		return "The location is stopped (" + string(state) + "), and the plan goes on when it does. " + why, nil
	}
	if run.Parts == 0 {
		return "The people whom the assignments cover are being read.", nil
	}
	return "It is being decided who would get the book. Look again in a few seconds.", nil
}

// plannedPeople lists the people of a plan, a page at a time, in the order in which stock is given out.
func (s server) plannedPeople(w http.ResponseWriter, r *http.Request) error {
	q, err := graph.ParseQuery(r, graph.Schema{})
	if err != nil {
		return err
	}
	if err := q.Only("$skiptoken"); err != nil {
		return err
	}
	cursor, err := q.Cursor()
	if err != nil {
		return err
	}
	run, err := s.loadRun(r)
	if err != nil {
		return err
	}
	found, groups, next, err := assign.PlanPeople(r.Context(), s.Store.ReadStore, run, cursor)
	if errors.Is(err, table.ErrCursor) {
		return problem.New(problem.Invalid, "", "The link to the next page is damaged or belongs to another list. "+
			"Begin again at the first page.").At("$skiptoken").Because(err)
	}
	if err != nil {
		return err
	}
	ids := make([]string, len(found))
	for i, one := range found {
		ids[i] = one.PersonID
	}
	people, err := s.Directory.People(r.Context(), ids)
	if err != nil {
		return err
	}
	shown := make([]planPerson, len(found))
	for i, one := range found {
		p := people[one.PersonID]
		shown[i] = person(assign.PlanLine{
			PersonID: one.PersonID, Name: p.Name(), UserName: p.UserName, GroupID: groups[one.Wish],
			Decision: assign.Decision{Verdict: one.Verdict, Reason: one.Reason, Detail: one.Detail},
		})
	}
	graph.WriteCollection(w, r, "bookplate/plans/people", shown, nil, graph.NextLink(r, next))
	return nil
}
