package assign_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table/mem"
)

// inline is how many people a plan of these tests may have while its caller waits.
const inline = 3

// newLargeSchool has two groups of people in different standings, more than a plan may have at once, and less stock.
func newLargeSchool(t *testing.T) (s *school, asks []assign.Ask) {
	t.Helper()
	s = newSchool(t)
	s.assigner.PlanInline, s.assigner.ApprovalAbove = inline, 2
	s.book.Total, s.book.Available = 4, 4
	s.must(book.Store(t.Context(), s.store, book.Doc{Value: s.book}))
	var people []string
	for i := range 7 {
		people = append(people, s.person(fmt.Sprint("p", i)))
	}
	s.associate(people[:6]...)
	gone := s.person("gone", func(p *directory.Person) { p.Active = false })
	first, second := s.group(people[:4]...), s.group(append([]string{gone}, people[2:]...)...)
	return s, []assign.Ask{{GroupID: first, Intent: assign.Required}, {GroupID: second, Intent: assign.Required}}
}

func (s *school) planner() assign.Planner {
	return assign.Planner{Surveyor: s.surveyor, Commits: s.store, Record: s.record, Until: s.clock.Now(), PartSize: 3}
}

// compute goes on with a run, a step a chunk, until it has ended.
func (s *school) compute(id string) assign.PlanRun {
	s.Helper()
	for range 100 {
		done, err := s.planner().Chunk(s.Context(), id)
		s.must(err)
		if done {
			run, err := assign.LoadPlan(s.Context(), s.store.ReadStore, id, s.clock.Now())
			s.must(err)
			return run
		}
	}
	s.Fatal("the plan has no end")
	return assign.PlanRun{}
}

func (s *school) later(asks []assign.Ask) assign.PlanRun {
	s.Helper()
	run, later, err := s.assigner.PlanLater(s.Context(), s.book, asks, "rita")
	s.must(err)
	if !later {
		s.Fatal("the plan isn't large")
	}
	return run
}

// people are those of a run, as text.
func (s *school) people(run assign.PlanRun) (all string) {
	s.Helper()
	for cursor, more := "", true; more; more = cursor != "" {
		found, groups, next, err := assign.PlanPeople(s.Context(), s.store.ReadStore, run, cursor)
		s.must(err)
		for _, one := range found {
			all += fmt.Sprintln(one.PersonID, groups[one.Wish], one.Verdict, one.Reason)
		}
		cursor = next
	}
	return all
}

func TestALargePlanSaysWhatASmallOneSays(t *testing.T) {
	s, asks := newLargeSchool(t)
	want, needs, err := s.assigner.Plan(t.Context(), s.book, asks, "rita")
	s.must(err)
	run := s.later(asks)
	marks, err := mark.Read(t.Context(), s.store.ReadStore, here)
	s.must(err)
	marked := slices.ContainsFunc(marks, func(m mark.Mark) bool { return m.Kind == mark.Plan && m.Subject == run.ID })
	if !marked || run.State != assign.PlanRunning {
		t.Errorf("%+v with the marks %+v", run, marks)
	}
	if names := s.people(run); names != "" {
		t.Errorf("names before anything is computed: %s", names)
	}
	run = s.compute(run.ID)
	if run.State != assign.PlanDone || run.Plan != want.ID || run.Give != want.Give || run.Wait != want.Wait ||
		run.Refuse != want.Refuse || run.FreeBefore != want.FreeBefore || run.FreeAfter != want.FreeAfter ||
		fmt.Sprint(run.Reasons) != fmt.Sprint(want.Reasons) || run.NeedsApproval != needs || run.People != len(want.Lines) ||
		!run.HoldUntil.Equal(want.HoldUntil) || !run.Counted.Equal(want.Counted) {
		t.Errorf("computed at once %+v\nlater             %+v", want, run)
	}
	if want.Give == 0 || want.Wait == 0 || want.Refuse == 0 || want.Reasons[assign.NoStock] == 0 {
		t.Fatalf("the scene has too little in it: %+v", want)
	}
	lines := ""
	for _, l := range want.Lines {
		lines += fmt.Sprintln(l.PersonID, l.GroupID, l.Decision.Verdict, l.Decision.Reason)
	}
	if got := s.people(run); got != lines {
		t.Errorf("people\n%swant\n%s", got, lines)
	}
	if _, later, err := s.assigner.PlanLater(t.Context(), s.book, nil, "rita"); later || err != nil {
		t.Errorf("a plan of nobody is large: %t, %v", later, err)
	}
}

func TestALargePlanGoesOnWhereItsWorkerDied(t *testing.T) {
	s, asks := newLargeSchool(t)
	want := s.compute(s.later(asks).ID)
	for _, happened := range []bool{false, true} {
		n, reached := 1, true
		for ; reached; n++ {
			run := s.later(asks)
			faults, died := mem.Crash(n, happened)
			s.engine.SetFaults(faults)
			for done := false; !done; {
				var err error
				if done, err = s.planner().Chunk(t.Context(), run.ID); err != nil {
					break
				}
			}
			s.engine.SetFaults(mem.Faults{})
			reached = died()
			got := s.compute(run.ID)
			if got.Plan != want.Plan || got.Give != want.Give || got.FreeAfter != want.FreeAfter || got.Licenses != want.Licenses ||
				got.People != want.People || s.people(got) != s.people(want) {
				t.Errorf("after death %d (happened: %t) %+v, want %+v", n, happened, got, want)
			}
		}
		if n < 4 {
			t.Errorf("only %d deaths", n)
		}
	}
}

// What covers so many people that the plan can't be computed at once waits for approval without one.
func TestALargeAssignmentWaitsAndIsApprovedByThePlanThatTheWorkerComputes(t *testing.T) {
	s, asks := newLargeSchool(t)
	s.replace(asks...)
	for _, w := range s.wishes().List {
		if !w.Approval.Pending || w.Approval.Plan != "" {
			t.Fatalf("%+v", w)
		}
	}
	plan := s.compute(s.later(asks).ID)
	if !plan.NeedsApproval || plan.Licenses != plan.Give+plan.Wait {
		t.Errorf("%+v", plan)
	}
	for _, same := range []string{"rita", "Rita"} {
		_, _, err := s.assigner.ApproveLater(t.Context(), s.book, plan.Plan, same)
		wantProblem(t, err, "OwnAssignment", "")
	}
	approve := func(id string) assign.PlanRun {
		t.Helper()
		run, later, err := s.assigner.ApproveLater(t.Context(), s.book, id, "otto")
		s.must(err)
		if !later {
			t.Fatal("the plan isn't large")
		}
		return run
	}
	if got := s.compute(approve("another").ID); got.Approved || got.Refused == "" || !s.wishes().List[0].Approval.Pending {
		t.Errorf("%+v", got)
	}
	changed := approve(plan.Plan)
	s.replace(asks[1])
	if got := s.compute(changed.ID); got.Approved || got.Refused == "" || !s.wishes().List[0].Approval.Pending {
		t.Errorf("approved although the assignments changed: %+v", got)
	}
	s.replace(asks...)
	plan = s.compute(s.later(asks).ID)
	got := s.compute(approve(plan.Plan).ID)
	if !got.Approved || got.Refused != "" {
		t.Errorf("%+v", got)
	}
	for _, w := range s.wishes().List {
		if w.Approval.Pending || w.Approver != "otto" || w.Approval.Plan != plan.Plan || w.Approval.Licenses != plan.Licenses {
			t.Errorf("%+v", w)
		}
	}
	if got := s.compute(approve(plan.Plan).ID); got.Approved || !strings.Contains(got.Refused, "waits for approval") {
		t.Errorf("approved a second time: %+v", got)
	}
	// A group that outgrows what was approved waits for another approval, which is as large.
	more := []string{s.person("new"), s.person("newer")}
	s.associate(more...)
	s.join(asks[0].GroupID, more...)
	if got := s.compute(s.later(asks).ID); !got.NeedsApproval || got.Plan == plan.Plan || !s.compute(approve(got.Plan).ID).Approved {
		t.Errorf("grown: %+v", got)
	}
	s.replace()
	_, _, err := s.assigner.ApproveLater(t.Context(), s.book, plan.Plan, "otto")
	wantProblem(t, err, "NothingToApprove", "")
}

func TestASmallAssignmentBesideALargeOneNeedsNoApproval(t *testing.T) {
	s, asks := newLargeSchool(t)
	s.assigner.ApprovalAbove = 0
	s.replace(asks...)
	s.assigner.ApprovalAbove = 2
	few := s.group(s.person("late"), s.person("later"))
	s.replace(append(asks, assign.Ask{GroupID: few, Intent: assign.Required})...)
	for _, w := range s.wishes().List {
		if w.Approval.Pending {
			t.Errorf("%+v", w)
		}
	}
}

func TestAPlanOfManyGoesAfterAWeek(t *testing.T) {
	s, asks := newLargeSchool(t)
	run := s.later(asks)
	s.clock.Advance(7 * 24 * time.Hour)
	_, err := assign.LoadPlan(t.Context(), s.store.ReadStore, run.ID, s.clock.Now())
	wantProblem(t, err, "ResourceNotFound", "")
	s.clock.Advance(72 * time.Hour) // by now the table has dropped it
	if done, err := s.planner().Chunk(t.Context(), run.ID); !done || err != nil {
		t.Errorf("done: %t, %v", done, err)
	}
}

// Somebody changes the assignments, or another worker goes on, at the very moment of the approval.
func TestALargeApprovalIsOneCommitWithItsPlan(t *testing.T) {
	for name, test := range map[string]struct {
		meanwhile func(s *school, asks []assign.Ask, run string)
		approved  bool
	}{
		"the assignments change": {func(s *school, asks []assign.Ask, _ string) { s.replace(asks[0]) }, false},
		"another worker is faster": {func(s *school, _ []assign.Ask, run string) {
			_, err := s.planner().Chunk(s.Context(), run)
			s.must(err)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, asks := newLargeSchool(t)
			s.replace(asks...)
			plan := s.compute(s.later(asks).ID)
			run, _, err := s.assigner.ApproveLater(t.Context(), s.book, plan.Plan, "otto")
			s.must(err)
			for run.Parts == 0 || run.Decided < run.Parts {
				_, err := s.planner().Chunk(t.Context(), run.ID)
				s.must(err)
				run, err = assign.LoadPlan(t.Context(), s.store.ReadStore, run.ID, s.clock.Now())
				s.must(err)
			}
			s.meanwhile(func() { test.meanwhile(s, asks, run.ID) })
			run = s.compute(run.ID)
			if run.Approved != test.approved || s.wishes().List[0].Approval.Pending == test.approved {
				t.Errorf("approved: %t, want %t (%s)", run.Approved, test.approved, run.Refused)
			}
			acts, _, err := act.List(t.Context(), s.store.ReadStore, act.Months(s.clock.Now(), 1), 10, "")
			acts = slices.DeleteFunc(acts, func(a act.Act) bool { return a.Kind != act.AssignmentApproved })
			if want := map[bool]int{true: 1}[test.approved]; err != nil || len(acts) != want {
				t.Errorf("%d acts, want %d (%v)", len(acts), want, err)
			}
		})
	}
}

// Another worker goes on at each moment at which one is about to store something, also while it stores whom the plan
// covers.
func TestTwoWorkersOnOneLargePlanCountNobodyTwice(t *testing.T) {
	s, asks := newLargeSchool(t)
	want := s.compute(s.later(asks).ID)
	run := s.later(asks)
	for done := false; !done; {
		s.engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
			if c.Write == 0 {
				return nil
			}
			s.engine.SetFaults(mem.Faults{})
			for range 2 { // past the step that the slow one is at
				_, err := s.planner().Chunk(t.Context(), run.ID)
				s.must(err)
			}
			return nil
		}})
		var err error
		done, err = s.planner().Chunk(t.Context(), run.ID)
		s.must(err)
	}
	s.engine.SetFaults(mem.Faults{})
	if got := s.compute(run.ID); got.Plan != want.Plan || got.Give != want.Give || got.Wait != want.Wait ||
		got.Refuse != want.Refuse || s.people(got) != s.people(want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
