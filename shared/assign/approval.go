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
	"github.com/bookplate/bookplate/shared/world"
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

// String says what waits for approval.
func (a Approval) String() string {
	if a.Plan == "" { // it covers too many people to have been computed at once
		return "its plan has yet to be computed"
	}
	return fmt.Sprintf("plan %s, %d licenses", a.Plan, a.Licenses)
}

// planID names what a plan would spend: the wishes, and the people who would get a license, now or when what they wait
// for has come. Another person, another plan.
func planID(b book.Book, wishes []Wish, people []string) string {
	var parts []string
	for _, w := range wishes {
		parts = append(parts, "wish "+w.GroupID+" "+string(w.Intent))
	}
	for _, id := range people {
		parts = append(parts, "person "+id)
	}
	slices.Sort(parts)
	sum := sha256.Sum256([]byte(b.ID + "\n" + strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:16])
}

// people are those who would get a license, now or when what they wait for has come.
func (p Plan) people() []string {
	var ids []string
	for _, l := range p.Lines {
		if l.Decision.Verdict != Refuse {
			ids = append(ids, l.PersonID)
		}
	}
	return ids
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

// spentBy is how many licenses each wish has spent, or may have; also those that Apple has taken back since.
func spentBy(licenses map[string]license.Doc) map[string]int {
	spent := make(map[string]int)
	for _, doc := range licenses {
		l := doc.Value
		for _, g := range l.Gifts() {
			if g.Cause != nil {
				spent[g.Cause.AssignmentID]++
			}
		}
		if pending(l) {
			spent[l.Cause.AssignmentID]++
		}
	}
	return spent
}

// pending says that the pair's wish may have spent a license on it that isn't among its gifts: a batch has the pair, or the
// outcome of a sending is unknown, also if somebody else has given the title since.
func pending(l license.License) bool {
	return l.Cause != nil && (l.State == license.Reserved || l.Bound != "")
}

// unapproved are the ids of the wishes that wait for approval, or of which a part does: they would go beyond their limit
// if they spent that many.
func (w Wishes) unapproved(spends map[string]int) map[string]bool {
	ids := make(map[string]bool)
	for _, one := range w.List {
		if one.Approval.Pending || one.Limit > 0 && spends[one.ID] > one.Limit {
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
	return plan, needs || len(doc.Value.unapproved(plan.spends)) > 0, err
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

// await has the fresh wishes wait for approval if they need it. If the plan takes too long to compute now, they need it
// unless they are small by themselves; whoever approves then has the plan computed first.
func (a Assigner) await(ctx context.Context, b book.Book, wishes *Wishes, fresh map[string]bool) error {
	var added []Wish
	all := false
	for _, w := range wishes.List {
		if fresh[w.ID] {
			added = append(added, w)
			all = all || w.GroupID == Everybody
		}
	}
	if len(added) == 0 || !all && a.ApprovalAbove <= 0 {
		return nil
	}
	large, err := a.large(ctx, b, wishes.List)
	if err != nil {
		return err
	}
	if large {
		small, err := a.atMost(ctx, b, added, a.ApprovalAbove)
		if err == nil && (all || !small) {
			pend(wishes, fresh, Approval{Pending: true})
		}
		return err
	}
	plan, err := a.plan(ctx, b, *wishes)
	if err != nil || !a.needsApproval(plan, *wishes, fresh) {
		return err
	}
	pend(wishes, fresh, Approval{Pending: true, Plan: plan.ID, Licenses: plan.licenses(fresh)})
	return nil
}

func pend(wishes *Wishes, fresh map[string]bool, approval Approval) {
	for i := range wishes.List {
		if w := &wishes.List[i]; fresh[w.ID] {
			w.Approval = approval
		}
	}
}

// Approve lets the wishes for a book spend that wait for it, as much as the plan says and no more; those for which the approver
// has asked go on waiting for somebody else. It approves one plan: if what would be spent has changed since, it refuses, and
// names the plan as it is now.
func (a Assigner) Approve(ctx context.Context, b book.Book, id, approver string) error {
	for {
		doc, err := Load(ctx, a.Store.ReadStore, b)
		if err != nil {
			return err
		}
		plan, may, err := a.approvable(ctx, b, doc.Value, id, approver)
		if err != nil {
			return err
		}
		ops, err := approve(a.World, b, doc, approval{id, plan.licenses(may), approver, may, plan.spends})
		if err != nil {
			return err
		}
		_, err = a.Store.Commit(ctx, ops...)
		if !errors.Is(err, table.ErrCondition) {
			return err
		}
	}
}

// approval is what somebody approves: by a plan, some wishes that wait for it, for as many licenses; and what each wish would
// come to spend.
type approval struct {
	plan     string
	licenses int
	by       string
	wishes   map[string]bool
	spends   map[string]int
}

// approve is the ops that let the wishes spend which wait, if they are still what was read.
func approve(w world.World, b book.Book, doc WishesDoc, one approval) ([]table.Op, error) {
	told, err := act.New(w, one.by, act.AssignmentApproved, b.ID, fmt.Sprintf(
		"The plan %s for %q was approved: up to %d licenses.", one.plan, b.Name(), one.licenses))
	if err != nil {
		return nil, err
	}
	now := w.Now()
	doc.Value.List = slices.Clone(doc.Value.List)
	for i := range doc.Value.List {
		if w := &doc.Value.List[i]; one.wishes[w.ID] {
			w.Approver, w.Approval = one.by, Approval{Plan: one.plan, Licenses: one.licenses, At: now}
			if w.Limit > 0 {
				w.Limit = max(w.Limit, one.spends[w.ID])
			}
		}
	}
	save, err := doc.Save()
	if err != nil {
		return nil, err
	}
	return []table.Op{
		save, told, spendMark(b, now, doc.Value.Due(now)), mark.New(b.Location, mark.Readers, mark.SubjectAll, now),
	}, nil
}

// approvedBy are those of the wishes that wait for approval which the approver may approve: what others have asked for. Their
// own go on waiting for somebody else. If there are none of either it is a problem.
func (a Assigner) approvedBy(approver string, b book.Book, wishes Wishes, waits map[string]bool) (map[string]bool, error) {
	if len(waits) == 0 {
		return nil, problem.New(problem.Conflict, "NothingToApprove", "No assignment of the book waits for approval. "+
			"GET /v1.0/deviceAppManagement/managedEBooks/%s/assignments lists those that there are.", b.ID)
	}
	may := make(map[string]bool)
	for _, w := range wishes.List {
		if waits[w.ID] && (a.SelfApproval || !w.askedBy(approver)) {
			may[w.ID] = true
		}
	}
	if len(may) == 0 {
		return nil, problem.New(problem.Forbidden, "OwnAssignment", "%s has asked for the assignment and can't approve it too. "+
			"Ask another administrator.", approver)
	}
	return may, nil
}

// approvable is the plan of the wishes that wait for approval, and which of them the approver may approve, if it is the one
// that is named.
func (a Assigner) approvable(ctx context.Context, b book.Book, wishes Wishes, id, approver string) (
	plan Plan, may map[string]bool, err error,
) {
	if plan, err = a.plan(ctx, b, wishes); err != nil {
		return Plan{}, nil, err
	}
	waits := wishes.unapproved(plan.spends)
	if may, err = a.approvedBy(approver, b, wishes, waits); err != nil {
		return Plan{}, nil, err
	}
	if plan.ID == id {
		return plan, may, nil
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
