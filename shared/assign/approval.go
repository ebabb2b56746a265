package assign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
)

// Everybody is the group id of a wish for all active people: Graph's allLicensedUsersAssignmentTarget.
const Everybody = "allUsers"

// DefaultApprovalAbove is over how many licenses an assignment waits for approval, unless an installation says otherwise.
const DefaultApprovalAbove = 100

// Approval is where a wish stands that was too large to spend on one person's word.
type Approval struct {
	// Pending says that the wish spends nothing until somebody approves it.
	Pending bool `json:"pending,omitempty"`
	// Plan and Licenses are the plan that made the wish wait, or, once it is approved, the approved one.
	Plan     string    `json:"plan,omitempty"`
	Licenses int       `json:"licenses,omitempty"`
	At       time.Time `json:"at,omitzero"` // of the approval
}

// planID names what a plan would spend: the wishes, and the people who would get a license, now or when what they wait
// for has come. Another person, another plan.
func planID(b book.Book, wishes []Wish, lines []PlanLine) string {
	var parts []string
	for _, w := range wishes {
		parts = append(parts, "wish "+w.GroupID+" "+string(w.Intent))
	}
	for _, l := range lines {
		if l.Decision.Verdict != Refuse {
			parts = append(parts, "person "+l.PersonID)
		}
	}
	slices.Sort(parts)
	sum := sha256.Sum256([]byte(b.ID + "\n" + strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:16])
}

// licenses is how many licenses a plan would spend on the wishes, sooner or later.
func (p Plan) licenses(wishes map[string]bool) int {
	n := 0
	for _, l := range p.Lines {
		if wishes[l.WishID] && l.Decision.Verdict != Refuse {
			n++
		}
	}
	return n
}

// spentBy is how many licenses each wish has spent, or may have: those that it gave, and those that a batch has.
func spentBy(licenses map[string]license.Doc) map[string]int {
	spent := make(map[string]int)
	for _, doc := range licenses {
		l := doc.Value
		gave := !l.Found && (l.State == license.Licensed || l.State == license.Gone)
		if l.Cause != nil && (gave || l.State == license.Reserved) {
			spent[l.Cause.AssignmentID]++
		}
	}
	return spent
}

// unapproved are the ids of the wishes that wait for approval, or of which a part does: they would go beyond their limit.
func (w Wishes) unapproved(plan Plan) map[string]bool {
	ids := make(map[string]bool)
	for _, one := range w.List {
		if one.Approval.Pending || one.Limit > 0 && plan.spends[one.ID] > one.Limit {
			ids[one.ID] = true
		}
	}
	return ids
}

// Plan is what the wishes for a book would do after asking, and whether they would wait for approval.
func (a Assigner) Plan(ctx context.Context, b book.Book, asks []Ask, requester string) (Plan, bool, error) {
	doc, _, fresh, err := a.draft(ctx, b, asks, requester)
	if err != nil {
		return Plan{}, false, err
	}
	plan, err := a.plan(ctx, b, doc.Value)
	needs := a.needsApproval(plan, doc.Value, fresh)
	return plan, needs || len(doc.Value.unapproved(plan)) > 0, err
}

func (a Assigner) plan(ctx context.Context, b book.Book, wishes Wishes) (Plan, error) {
	record, err := token.OfLocation(ctx, a.Store.ReadStore, b.Location)
	if err != nil {
		return Plan{}, fmt.Errorf("reading the token of location %s: %w", b.Location, err)
	}
	s := Surveyor{Store: a.Store.ReadStore, Directory: a.Directory, World: a.World, Federated: a.Federated}
	return s.PlanFor(ctx, record.Value, b, wishes)
}

// needsApproval says that the fresh wishes together are too large, or for all users.
func (a Assigner) needsApproval(plan Plan, wishes Wishes, fresh map[string]bool) bool {
	all := slices.ContainsFunc(wishes.List, func(w Wish) bool { return fresh[w.ID] && w.GroupID == Everybody })
	return all || a.ApprovalAbove > 0 && plan.licenses(fresh) > a.ApprovalAbove
}

// await has the fresh wishes wait for approval if they need it.
func (a Assigner) await(ctx context.Context, b book.Book, wishes *Wishes, fresh map[string]bool) error {
	if !slices.ContainsFunc(wishes.List, func(w Wish) bool {
		return fresh[w.ID] && (w.GroupID == Everybody || a.ApprovalAbove > 0)
	}) {
		return nil
	}
	plan, err := a.plan(ctx, b, *wishes)
	if err != nil || !a.needsApproval(plan, *wishes, fresh) {
		return err
	}
	for i := range wishes.List {
		if w := &wishes.List[i]; fresh[w.ID] {
			w.Approval = Approval{Pending: true, Plan: plan.ID, Licenses: plan.licenses(fresh)}
		}
	}
	return nil
}

// Approve lets the wishes for a book spend that wait for it, as much as the plan says and no more. It approves one plan: if
// what would be spent has changed since, it refuses, and names the plan as it is now.
func (a Assigner) Approve(ctx context.Context, b book.Book, id, approver string) error {
	for {
		doc, err := Load(ctx, a.Store.ReadStore, b)
		if err != nil {
			return err
		}
		plan, waits, err := a.approvable(ctx, b, doc.Value, id, approver)
		if err != nil {
			return err
		}
		licenses := plan.licenses(waits)
		told, err := act.New(a.World, approver, act.AssignmentApproved, b.ID, fmt.Sprintf(
			"The plan %s for %q was approved: up to %d licenses.", id, b.Name(), licenses))
		if err != nil {
			return err
		}
		now := a.World.Now()
		doc.Value.List = slices.Clone(doc.Value.List)
		for i := range doc.Value.List {
			if w := &doc.Value.List[i]; waits[w.ID] {
				w.Approver, w.Approval = approver, Approval{Plan: id, Licenses: licenses, At: now}
				if w.Limit > 0 {
					w.Limit = max(w.Limit, plan.spends[w.ID])
				}
			}
		}
		save, err := doc.Save()
		if err != nil {
			return err
		}
		_, err = a.Store.Commit(
			ctx, save, told,
			spendMark(b, now, doc.Value.Due(now)),
			mark.New(b.Location, mark.Readers, mark.SubjectAll, now),
		)
		if !errors.Is(err, table.ErrCondition) {
			return err
		}
	}
}

// approvable is the plan of the wishes that wait for approval, and which these are, if it is the one that is named and its
// approver may approve it.
func (a Assigner) approvable(ctx context.Context, b book.Book, wishes Wishes, id, approver string) (
	plan Plan, waits map[string]bool, err error,
) {
	if plan, err = a.plan(ctx, b, wishes); err != nil {
		return Plan{}, nil, err
	}
	waits = wishes.unapproved(plan)
	if len(waits) == 0 {
		return Plan{}, nil, problem.New(problem.Conflict, "NothingToApprove", "No assignment of the book waits for approval. "+
			"GET /v1.0/deviceAppManagement/managedEBooks/%s/assignments lists those that there are.", b.ID)
	}
	own := slices.ContainsFunc(wishes.List, func(w Wish) bool { return waits[w.ID] && w.Requester == approver })
	if own && !a.SelfApproval {
		return Plan{}, nil, problem.New(problem.Forbidden, "OwnAssignment", "%s has asked for the assignment and can't approve it too. "+
			"Ask another administrator.", approver)
	}
	if plan.ID == id {
		return plan, waits, nil
	}
	licenses, asked := plan.licenses(waits), 0
	for _, w := range wishes.List {
		if w.Approval.Pending && w.Approval.Plan == id {
			asked = w.Approval.Licenses
		}
	}
	code, what := "PlanChanged", "isn't what the assignments would do now"
	if asked > 0 && licenses > asked {
		code, what = "PlanGrown", fmt.Sprintf("was for %d licenses and has grown", asked)
	}
	return Plan{}, nil, problem.New(problem.Conflict, code, "The plan %.80q %s. Now it is the plan %s, for up to %d licenses. Look at it "+
		"(bookplate.plan), and approve that one.", id, what, plan.ID, licenses).At("planId")
}
