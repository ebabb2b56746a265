package assign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

// DefaultPlanInline is of how many people a plan is computed while its caller waits. A plan of more is computed by the
// location's worker, because a request has 20 seconds.
const DefaultPlanInline = 10_000

// keepPlans is how long a plan that the worker has computed is kept.
const keepPlans = 7 * 24 * time.Hour

// PlanState is how far a plan is that the worker computes.
type PlanState string

// The states of a plan run.
const (
	PlanRunning PlanState = "running"
	PlanDone    PlanState = "done"
)

// PlanRun is a plan that the worker computes, part by part, and what it has found so far. People are in PlanParts, so that
// a run of any size goes on where a wake has ended.
type PlanRun struct {
	ID       string    `json:"id"`
	BookID   string    `json:"bookId"`
	Location string    `json:"location"`
	By       string    `json:"by"` // auth.Caller.Subject
	Created  time.Time `json:"created"`
	Ended    time.Time `json:"ended,omitzero"`
	State    PlanState `json:"state"`
	// People is how many people the wishes cover, Parts over how many items they are spread, and Decided how many of the
	// items are done; Parts is 0 until the people are known.
	People  int `json:"people"`
	Parts   int `json:"parts"`
	Decided int `json:"decided"`
	// Reading names the items of people: a slow worker that reads them a second time stores others, which nobody reads.
	Reading string `json:"reading,omitempty"`
	// What follows is as in a Plan, so far.
	Plan       string                 `json:"plan,omitempty"` // its ID, when done
	Counted    time.Time              `json:"counted,omitzero"`
	FreeBefore int                    `json:"freeBefore"`
	FreeAfter  int                    `json:"freeAfter"`
	Unlimited  bool                   `json:"unlimited,omitempty"`
	Give       int                    `json:"give"`
	Wait       int                    `json:"wait"`
	Refuse     int                    `json:"refuse"`
	Reasons    map[license.Reason]int `json:"reasons,omitempty"`
	HoldUntil  time.Time              `json:"holdUntil,omitzero"`
	// Wanted is how many licenses each wish, by index, would spend sooner or later, and Spends is that with what it has
	// spent.
	Wanted []int `json:"wanted,omitempty"`
	Spends []int `json:"spends,omitempty"`
	// Licenses is how many licenses the new wishes, and those that wait for approval, would spend sooner or later;
	// NeedsApproval says that they have to wait for it.
	Licenses      int  `json:"licenses"`
	ApprovalAbove int  `json:"approvalAbove,omitempty"`
	SelfApproval  bool `json:"selfApproval,omitempty"`
	NeedsApproval bool `json:"needsApproval,omitempty"`
	// Approve is the plan that is to be approved if it turns out to be this one; Refused is why it wasn't.
	Approve  string `json:"approve,omitempty"`
	Approved bool   `json:"approved,omitempty"`
	Refused  string `json:"refused,omitempty"`
}

// planned are the wishes of a run, and which of them, by index, are new.
type planned struct {
	Wishes Wishes `json:"wishes"`
	Fresh  []int  `json:"fresh,omitempty"`
}

func plan(wishes Wishes, fresh map[string]bool) planned {
	p := planned{Wishes: wishes}
	for i, w := range wishes.List {
		if fresh[w.ID] {
			p.Fresh = append(p.Fresh, i)
		}
	}
	return p
}

// byID are numbers by index as numbers by the wishes' ids.
func (p planned) byID(numbers []int) map[string]int {
	ids := make(map[string]int, len(numbers))
	for i, n := range numbers {
		ids[p.Wishes.List[i].ID] = n
	}
	return ids
}

type runDoc = table.Doc[PlanRun]

func runPart(id string) string { return "plan#" + id }

func runKey(id string) table.Key { return table.Key{Part: runPart(id), Sort: "head"} }

func plannedKey(id string) table.Key { return table.Key{Part: runPart(id), Sort: "wishes"} }

// LoadPlan returns a plan run, or a problem of kind NotFound.
func LoadPlan(ctx context.Context, store *table.ReadStore, id string, now time.Time) (PlanRun, error) {
	doc, err := table.Load[PlanRun](ctx, store, runKey(id))
	if err == nil && !now.Before(doc.Value.Created.Add(keepPlans)) || errors.Is(err, table.ErrAbsent) {
		return PlanRun{}, problem.New(problem.NotFound, "ResourceNotFound", "There is no plan with the id %q. Plans of many people "+
			"are kept for %d days; compute it again (bookplate.plan).", id, int(keepPlans.Hours())/24)
	}
	if err != nil {
		return PlanRun{}, fmt.Errorf("reading plan %s: %w", id, err)
	}
	return doc.Value, nil
}

// atMost says that the wishes cover no more than n people: all in the groups of required ones, and whoever has asked for
// an available one. Somebody in several groups counts for each.
func (a Assigner) atMost(ctx context.Context, b book.Book, wishes []Wish, n int) (bool, error) {
	if slices.ContainsFunc(wishes, func(w Wish) bool { return w.Intent == Available }) {
		asked, err := requested(ctx, a.Store.ReadStore, b.ID)
		if err != nil {
			return false, err
		}
		n -= len(asked)
	}
	counts := make([]int, len(wishes))
	err := a.World.Run(ctx, countWidth, len(wishes), func(ctx context.Context, i int) (err error) {
		if wishes[i].Intent != Available {
			counts[i], err = countUpTo(ctx, a, wishes[i].GroupID, n+1)
		}
		return err
	})
	for _, count := range counts {
		n -= count
	}
	return n >= 0, err
}

// countWidth is how many groups are counted at once: a book may be wished for 200, of 16 partitions each.
const countWidth = 8

// countUpTo counts the people in a group, to a limit.
func countUpTo(ctx context.Context, a Assigner, groupID string, limit int) (int, error) {
	n := 0
	if groupID == Everybody {
		for _, err := range a.Directory.Everyone(ctx) {
			if err != nil {
				return 0, fmt.Errorf("counting all people: %w", err)
			}
			if n++; n >= limit {
				break
			}
		}
		return n, nil
	}
	for _, err := range a.Directory.MembersOf(ctx, groupID) {
		if err != nil {
			return 0, fmt.Errorf("counting the members of group %s: %w", groupID, err)
		}
		if n++; n >= limit {
			break
		}
	}
	return n, nil
}

// large says that a plan of the wishes takes longer than a request may.
func (a Assigner) large(ctx context.Context, b book.Book, wishes []Wish) (bool, error) {
	few, err := a.atMost(ctx, b, wishes, cmp.Or(a.PlanInline, DefaultPlanInline))
	return !few, err
}

// PlanLater has the worker compute what the wishes for a book would do after asking, if they cover too many people for
// Plan. It says false when they don't; then nothing has happened.
func (a Assigner) PlanLater(ctx context.Context, b book.Book, asks []Ask, requester string) (PlanRun, bool, error) {
	doc, _, fresh, err := a.draft(ctx, b, asks, requester)
	if err != nil {
		return PlanRun{}, false, err
	}
	large, err := a.large(ctx, b, doc.Value.List)
	if err != nil || !large {
		return PlanRun{}, false, err
	}
	run, err := a.begin(ctx, b, plan(doc.Value, fresh), PlanRun{By: requester})
	return run, true, err
}

// ApproveLater has the worker compute the plan of the wishes for a book, and approve it if it is the one that is named,
// if they cover too many people for Approve. It says false when they don't; then nothing has happened.
func (a Assigner) ApproveLater(ctx context.Context, b book.Book, id, approver string) (PlanRun, bool, error) {
	doc, err := Load(ctx, a.Store.ReadStore, b)
	if err != nil {
		return PlanRun{}, false, err
	}
	waits := doc.Value.unapproved(nil) // for sure; a wish with a limit may wait too, which the plan tells
	limited := slices.ContainsFunc(doc.Value.List, func(w Wish) bool {
		return w.Limit > 0 && (len(waits) == 0 || !w.askedBy(approver))
	})
	if _, err := a.approvedBy(approver, b, doc.Value, waits); err != nil && !limited {
		return PlanRun{}, false, err
	}
	large, err := a.large(ctx, b, doc.Value.List)
	if err != nil || !large {
		return PlanRun{}, false, err
	}
	run, err := a.begin(ctx, b, plan(doc.Value, nil), PlanRun{By: approver, Approve: id})
	return run, true, err
}

// begin stores a run and marks the work.
func (a Assigner) begin(ctx context.Context, b book.Book, wishes planned, run PlanRun) (PlanRun, error) {
	record, err := token.OfLocation(ctx, a.Store.ReadStore, b.Location)
	if err != nil {
		return PlanRun{}, fmt.Errorf("reading the token of location %s: %w", b.Location, err)
	}
	now := a.World.Now()
	if state, why := record.Value.Standing(now); state != token.Valid {
		return PlanRun{}, problem.New(problem.Conflict, "LocationStopped", "The location is stopped (%s), and a plan of so many "+
			"people is computed by its worker. %s", state, why)
	}
	run.ID, run.BookID, run.Location, run.Created, run.State = world.NewID(a.World), b.ID, b.Location, now, PlanRunning
	run.ApprovalAbove, run.SelfApproval = a.ApprovalAbove, a.SelfApproval
	head, err := expiring(runKey(run.ID), run, run).Save()
	if err != nil {
		return PlanRun{}, err
	}
	list, err := expiring(plannedKey(run.ID), wishes, run).Save()
	if err != nil {
		return PlanRun{}, err
	}
	if _, err := a.Store.Commit(ctx, head, list, mark.New(b.Location, mark.Plan, run.ID, now)); err != nil {
		return PlanRun{}, fmt.Errorf("storing a plan for book %s: %w", b.ID, err)
	}
	return run, nil
}

// expiring is a document that goes with its run.
func expiring[T any](key table.Key, value T, run PlanRun) table.Doc[T] {
	doc := table.NewDoc(key, value)
	doc.Expires = run.Created.Add(keepPlans)
	return doc
}
