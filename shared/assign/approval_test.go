package assign_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/reader"
)

// many is a group of so many associated people.
func (s *school) many(n int) (group string, people []string) {
	s.Helper()
	for i := range n {
		people = append(people, s.person("p"+string(rune('a'+i))))
	}
	s.associate(people...)
	return s.group(people...), people
}

// verdicts counts what is decided.
func (s *school) verdicts() map[string]int {
	s.Helper()
	lines, _ := s.survey()
	count := map[string]int{}
	for _, l := range lines {
		count[string(l.Decision.Verdict)+suffix(l.Decision.Reason)]++
	}
	return count
}

func (s *school) large() (group string) {
	s.Helper()
	s.assigner.Hold, s.assigner.ApprovalAbove = 0, 2
	group, _ = s.many(3)
	s.replace(required(group))
	return group
}

func TestALargeAssignmentWaitsUntilAnotherAdministratorApprovesItsPlan(t *testing.T) {
	s := newSchool(t)
	group := s.large()
	w := s.wishes().List[0]
	if !w.Approval.Pending || w.Approval.Licenses != 3 || w.Approval.Plan == "" {
		t.Fatalf("%+v", w)
	}
	if got := s.verdicts(); got["wait(waitingForApproval)"] != 3 || len(got) != 1 {
		t.Errorf("unapproved: %v", got)
	}
	if people, err := s.surveyor.Covered(t.Context(), here); err != nil || len(people) != 0 {
		t.Errorf("Apple is told of %d people, %v", len(people), err)
	}
	plan, needs, err := s.assigner.Plan(t.Context(), s.book, []assign.Ask{required(group)}, "rita")
	if err != nil || !needs || plan.ID != w.Approval.Plan || plan.Give != 3 {
		t.Errorf("plan %s for %d, %t, %v; the assignment waits for %s", plan.ID, plan.Give, needs, err, w.Approval.Plan)
	}
	for _, same := range []string{"rita", "Rita"} {
		wantProblem(t, s.assigner.Approve(t.Context(), s.book, w.Approval.Plan, same), "OwnAssignment", "")
	}
	s.must(s.assigner.Approve(t.Context(), s.book, w.Approval.Plan, "otto"))
	if got := s.verdicts(); got["give"] != 3 {
		t.Errorf("approved: %v", got)
	}
	after := s.wishes().List[0]
	if after.Approver != "otto" || after.ID != w.ID || after.Approval.Pending || after.Approval.Licenses != 3 {
		t.Errorf("%+v", after)
	}
	lines, _ := s.survey()
	if c := lines[0].Cause(s.book.ID); c.Requester != "rita" || c.Approver != "otto" {
		t.Errorf("cause %+v", c)
	}
	acts, _, err := act.List(t.Context(), s.store.ReadStore, act.Months(s.clock.Now(), 1), 10, "")
	if err != nil || len(acts) != 1 || acts[0].By != "otto" || acts[0].Kind != act.AssignmentApproved ||
		!strings.Contains(acts[0].Text, w.Approval.Plan) {
		t.Errorf("acts %+v, %v", acts, err)
	}
	wantProblem(t, s.assigner.Approve(t.Context(), s.book, w.Approval.Plan, "otto"), "NothingToApprove", "")
}

func TestAPlanThatHasGrownOrChangedIsntApproved(t *testing.T) {
	s := newSchool(t)
	group := s.large()
	plan := s.wishes().List[0].Approval.Plan
	var more directory.Membership
	fourth := s.person("fourth")
	more.Add(directory.Member{ID: fourth})
	_, err := s.directory.ChangeGroup(t.Context(), group, "", func(*directory.Group) error { return nil }, more)
	s.must(err)
	wantProblem(t, s.assigner.Approve(t.Context(), s.book, plan, "otto"), "PlanGrown", "planId")
	if got := s.verdicts(); got["give"] != 0 {
		t.Errorf("given: %v", got)
	}
	wantProblem(t, s.assigner.Approve(t.Context(), s.book, "another", "otto"), "PlanChanged", "planId")
	now, _, err := s.assigner.Plan(t.Context(), s.book, []assign.Ask{required(group)}, "rita")
	s.must(err)
	s.must(s.assigner.Approve(t.Context(), s.book, now.ID, "otto"))
}

func TestARepeatedWishKeepsItsApproval(t *testing.T) {
	s := newSchool(t)
	group := s.large()
	s.replace(required(group))
	plan := s.wishes().List[0].Approval.Plan
	if !s.wishes().List[0].Approval.Pending {
		t.Fatal("asking twice has approved it")
	}
	s.must(s.assigner.Approve(t.Context(), s.book, plan, "otto"))
	s.replace(required(group))
	if s.wishes().List[0].Approval.Pending || s.wishes().List[0].Approver != "otto" {
		t.Errorf("%+v", s.wishes().List[0])
	}
}

func TestSmallAssignmentsDontWait(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold, s.assigner.ApprovalAbove = 0, 3
	group, _ := s.many(3)
	s.replace(required(group), available(s.group()))
	if got := s.verdicts(); got["give"] != 3 {
		t.Errorf("%v", got)
	}
	if _, err := s.assigner.Add(t.Context(), s.book, required(s.group(s.person("late"))), "rita"); err != nil {
		t.Fatal(err)
	}
	if got := s.verdicts(); got["give"]+got["wait(notAtApple)"] != 4 {
		t.Errorf("%v", got)
	}
}

// Two administrators have each asked for something: each approves what the other has asked for, and neither their own.
func TestEachOfTwoAdministratorsApprovesWhatTheOtherAskedFor(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold, s.assigner.ApprovalAbove = 0, 1
	ritas, first := s.many(2)
	ottos := s.group(s.person("x"), s.person("y"), first[0])
	_, err := s.assigner.Add(t.Context(), s.book, required(ritas), "rita")
	s.must(err)
	_, err = s.assigner.Add(t.Context(), s.book, required(ottos), "otto")
	s.must(err)
	plan, _, err := s.assigner.Plan(t.Context(), s.book, []assign.Ask{required(ritas), required(ottos)}, "rita")
	s.must(err)
	waits := func() map[string]bool {
		pending := map[string]bool{}
		for _, w := range s.wishes().List {
			if w.Approval.Pending {
				pending[w.Requester] = true
			}
		}
		return pending
	}
	s.must(s.assigner.Approve(t.Context(), s.book, plan.ID, "otto"))
	if got := waits(); got["rita"] || !got["otto"] {
		t.Fatalf("otto has approved, and the assignments of %v wait", got)
	}
	wantProblem(t, s.assigner.Approve(t.Context(), s.book, plan.ID, "otto"), "OwnAssignment", "")
	s.must(s.assigner.Approve(t.Context(), s.book, plan.ID, "rita"))
	if got := waits(); len(got) != 0 {
		t.Errorf("both have approved, and the assignments of %v wait", got)
	}
}

func TestOneAdministratorMayApproveAloneWhereTheInstallationSaysSo(t *testing.T) {
	s := newSchool(t)
	s.assigner.SelfApproval = true
	s.large()
	s.must(s.assigner.Approve(t.Context(), s.book, s.wishes().List[0].Approval.Plan, "rita"))
}

// Who is covered by a wish that may spend doesn't wait for one that may not, however much older that is.
func TestAWishThatWaitsForApprovalKeepsNobodyFromAnother(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold, s.assigner.ApprovalAbove = 0, 2
	group, people := s.many(3)
	s.replace(required(group))
	_, err := s.assigner.Add(t.Context(), s.book, required(s.group(people[1])), "rita")
	s.must(err)
	if got := s.verdicts(); got["give"] != 1 || got["wait(waitingForApproval)"] != 2 {
		t.Errorf("%v", got)
	}
}

func TestAllUsersAlwaysWaitAndAreAllActivePeople(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	anna := s.person("anna")
	s.associate(anna)
	s.person("off", func(p *directory.Person) { p.Active = false })
	s.replace(required(assign.Everybody))
	w := s.wishes().List[0]
	if !w.Approval.Pending || w.Approval.Licenses != 1 {
		t.Fatalf("%+v", w)
	}
	if got := s.verdicts(); got["wait(waitingForApproval)"] != 1 || len(got) != 1 {
		t.Errorf("unapproved: %v", got)
	}
	s.must(s.assigner.Approve(t.Context(), s.book, w.Approval.Plan, "otto"))
	if lines, _ := s.survey(); names(lines) != "anna:give " {
		t.Errorf("approved: %s", names(lines))
	}
	members, err := assign.AreMembers(t.Context(), s.directory.Reader, assign.Everybody, []string{anna})
	if err != nil || !members[anna] {
		t.Errorf("%v, %v", members, err)
	}
}

// join puts people into a group.
func (s *school) join(group string, people ...string) {
	s.Helper()
	var m directory.Membership
	for _, p := range people {
		m.Add(directory.Member{ID: p})
	}
	_, err := s.directory.ChangeGroup(s.Context(), group, "", func(*directory.Group) error { return nil }, m)
	s.must(err)
}

// gives carries out what a survey decides, as grants do.
func (s *school) gives() {
	s.Helper()
	lines, _ := s.survey()
	for _, l := range lines {
		if l.Decision.Verdict != assign.Give {
			continue
		}
		s.license(l.Person.ID, func(had license.License) license.License {
			b, at := license.Batch{ID: "b", Location: here}, license.Place{Location: here, Asset: s.book.Asset}
			had, err := had.Reserve(b, at, l.Cause(s.book.ID), s.clock.Now())
			s.must(err)
			id := reader.ClientUserID(mdmID, here, l.Person.ID, 0)
			return had.Give(license.Row{Location: here, ClientUserID: id, Pricing: s.book.Asset.PricingParam}, "")
		})
	}
}

// A class of 2 needs nobody's approval; when it grows into a school, that must not spend what nobody has approved.
func TestAGroupThatGrowsBeyondTheThresholdWaitsForApprovalWithTheRest(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold, s.assigner.ApprovalAbove = 0, 2
	group, _ := s.many(2)
	s.replace(required(group))
	s.gives()
	late := []string{s.person("x"), s.person("y"), s.person("z")}
	s.associate(late...)
	s.join(group, late...)
	if got := s.verdicts(); got["wait(waitingForApproval)"] != 3 || got["give"] != 0 {
		t.Fatalf("grown from 2 to 5 where 2 need no approval: %v", got)
	}
	plan, needs, err := s.assigner.Plan(t.Context(), s.book, []assign.Ask{required(group)}, "rita")
	if err != nil || !needs || plan.Give != 3 {
		t.Fatalf("plan for %d, needs approval: %t, %v", plan.Give, needs, err)
	}
	wantProblem(t, s.assigner.Approve(t.Context(), s.book, plan.ID, "rita"), "OwnAssignment", "")
	s.must(s.assigner.Approve(t.Context(), s.book, plan.ID, "otto"))
	if got := s.verdicts(); got["give"] != 3 {
		t.Fatalf("approved: %v", got)
	}
	s.gives()
	wantProblem(t, s.assigner.Approve(t.Context(), s.book, plan.ID, "otto"), "NothingToApprove", "")
	sixth := s.person("sixth")
	s.associate(sixth)
	s.join(group, sixth)
	if got := s.verdicts(); got["wait(waitingForApproval)"] != 1 || got["give"] != 0 {
		t.Errorf("the approval was of 5, and there is a sixth: %v", got)
	}
}

// Apple may have given what was sent to the first, who has left the school since.
func TestAnUnknownOutcomeCountsAsSpent(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold, s.assigner.ApprovalAbove = 0, 2
	group, people := s.many(2)
	s.replace(required(group))
	lines, _ := s.survey()
	s.license(people[0], func(l license.License) license.License {
		b, at := license.Batch{ID: "b", Location: here}, license.Place{Location: here, Asset: s.book.Asset}
		l, err := l.Reserve(b, at, lines[0].Cause(s.book.ID), s.clock.Now())
		s.must(err)
		return l.Free(true, s.clock.Now())
	})
	if got := s.verdicts(); got["give"] != 2 {
		t.Fatalf("what is sent again is another license: %v", got)
	}
	_, err := s.directory.ChangePerson(t.Context(), people[0], "", func(p *directory.Person) error {
		p.Active = false
		return nil
	})
	s.must(err)
	late := s.person("late")
	s.associate(late)
	s.join(group, late)
	if got := s.verdicts(); got["give"] != 1 || got["wait(waitingForApproval)"] != 1 {
		t.Errorf("%v, want one given and one to wait", got)
	}
	plan, needs, err := s.assigner.Plan(t.Context(), s.book, []assign.Ask{required(group)}, "rita")
	if s.must(err); plan.Give != 2 || !needs {
		t.Errorf("the plan gives to %d, needs approval: %t", plan.Give, needs)
	}
}

// Whoever is in two groups isn't kept from what one of them may still spend.
func TestWhoseAssignmentHasSpentItsLimitIsServedByTheNextThatHasNot(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold, s.assigner.ApprovalAbove = 0, 2
	group, _ := s.many(2)
	s.replace(required(group))
	s.gives()
	x, y, z := s.person("x"), s.person("y"), s.person("z")
	s.associate(x, y, z)
	s.join(group, x, y, z)
	s.clock.Advance(time.Minute)
	other := s.group(x, y, z)
	s.replace(required(group), required(other))
	lines, _ := s.survey()
	if got := s.verdicts(); got["give"] != 2 || got["wait(waitingForApproval)"] != 1 {
		t.Errorf("each of the two may spend 2, and the first has: %v", got)
	}
	for _, l := range lines {
		if l.Decision.Verdict == assign.Give && l.Wish.GroupID != other {
			t.Errorf("%s is served by %s, which has spent its limit", l.Person.UserName, l.Wish.GroupID)
		}
	}
	plan, needs, err := s.assigner.Plan(t.Context(), s.book, []assign.Ask{required(group), required(other)}, "rita")
	if err != nil || !needs || plan.Give != 3 {
		t.Errorf("plan for %d, needs approval: %t, %v", plan.Give, needs, err)
	}
}

// What nobody has asked for needs no approval; what is then asked for is counted like anything else.
func TestRequestsBeyondTheThresholdWaitForApproval(t *testing.T) {
	s := newSchool(t)
	s.assigner.ApprovalAbove = 2
	group, people := s.many(3)
	s.replace(available(group))
	for _, p := range people {
		_, _, err := s.request(p, p)
		s.must(err)
		s.clock.Advance(time.Second)
	}
	if lines, _ := s.survey(); names(lines) != "pa:give pb:give pc:wait(waitingForApproval) " {
		t.Errorf("decided: %s", names(lines))
	}
}

func TestWithoutAThresholdGroupsGrowAsTheyLike(t *testing.T) {
	s := newSchool(t)
	s.assigner.Hold = 0
	group, _ := s.many(2)
	s.replace(required(group))
	s.gives()
	late := s.person("late")
	s.associate(late)
	s.join(group, late)
	if got := s.verdicts(); got["give"] != 1 {
		t.Errorf("%v", got)
	}
}
