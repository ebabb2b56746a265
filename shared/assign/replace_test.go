package assign_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table/mem"
)

func TestARepeatedWishKeepsItsIDAgeAndHold(t *testing.T) {
	s := newSchool(t)
	a, b := s.group(), s.group()
	s.replace(required(a), required(b))
	before := s.wishes().List
	s.clock.Advance(4 * time.Minute)
	if due := s.replace(required(b), required(a)); !due.Equal(start.Add(10 * time.Minute)) {
		t.Errorf("due %s, want the end of the first hold", due)
	}
	after := s.wishes().List
	slices.Reverse(after)
	if !slices.Equal(before, after) {
		t.Errorf("%+v became %+v", before, after)
	}
	w := before[0]
	if w.ID == "" || w.Created != start || w.HoldUntil != start.Add(10*time.Minute) || w.Requester != "rita" || w.GroupID != a {
		t.Errorf("the wish is %+v", w)
	}
}

func TestAnotherIntentIsAnotherWish(t *testing.T) {
	s := newSchool(t)
	g := s.group()
	s.replace(available(g))
	before := s.wishes().List[0]
	s.clock.Advance(time.Hour)
	s.replace(required(g))
	after := s.wishes().List[0]
	if after.ID == before.ID || after.Created.Equal(before.Created) || !after.OnHold(s.clock.Now()) {
		t.Errorf("%+v became %+v, want a new wish with a hold of its own", before, after)
	}
}

func TestWhatIsNotAskedForAnyMoreIsRemoved(t *testing.T) {
	s := newSchool(t)
	a, b := s.group(), s.group()
	s.replace(required(a), required(b))
	s.replace(required(b))
	if list := s.wishes().List; len(list) != 1 || list[0].GroupID != b {
		t.Errorf("left: %+v", list)
	}
	if due := s.replace(); len(s.wishes().List) != 0 || !due.Equal(s.clock.Now()) {
		t.Errorf("left: %+v, due %s", s.wishes().List, due)
	}
	if in, err := assign.LocationsOf(t.Context(), s.store.ReadStore, a); err != nil || !slices.Equal(in, []string{here}) {
		t.Errorf("the group is remembered in %v with error %v, want %s for ever", in, err, here)
	}
}

func TestReadersAreMadeAtOnceAndNothingIsSpentDuringTheHold(t *testing.T) {
	s := newSchool(t)
	g := s.group()
	grants, later := "grants#book:"+s.book.ID, "later#book:"+s.book.ID
	s.replace(required(g))
	if marks := s.marks(); !maps.Equal(marks, map[string]time.Duration{later: 10 * time.Minute, "readers#all": 0}) {
		t.Errorf("only required: marks %v, want a look at the end of the hold, and at the readers now", marks)
	}
	s.clock.Advance(time.Minute)
	s.replace(available(g))
	want := map[string]time.Duration{grants: 0, later: 9 * time.Minute, "readers#all": 0}
	if marks := s.marks(); !maps.Equal(marks, want) {
		t.Errorf("available, nobody is waited for: marks %v, want %v", marks, want)
	}
}

func TestANewHoldPutsOffNothingThatIsDue(t *testing.T) {
	s := newSchool(t)
	g := s.group()
	grants := "grants#book:" + s.book.ID
	s.replace()
	s.replace(required(g))
	if due, ok := s.marks()[grants]; !ok || due != 0 {
		t.Errorf("marks %v, want grants due now", s.marks())
	}
	s.clock.Advance(10 * time.Minute)
	s.replace(required(g), required(s.group()))
	if due, ok := s.marks()[grants]; !ok || due != 0 {
		t.Errorf("one hold is over, one isn't: marks %v, want grants due now", s.marks())
	}
}

func TestAnAskThatCannotBeAWishIsRefusedWithItsField(t *testing.T) {
	s := newSchool(t)
	good := s.group()
	var m directory.Membership
	m.Add(directory.Member{ID: "ipad", Type: "Device"})
	mixed, err := s.directory.CreateGroup(t.Context(), directory.Group{DisplayName: "Mixed"}, m)
	s.must(err)
	iPads := directory.Group{DisplayName: "iPads", Kind: directory.Devices}
	devices, err := s.directory.CreateGroup(t.Context(), iPads, directory.Membership{})
	s.must(err)
	deleted := s.group()
	s.must(s.directory.DeleteGroup(t.Context(), deleted, ""))
	many := make([]assign.Ask, assign.MaxWishes+1)
	for i := range many {
		many[i] = assign.Ask{GroupID: fmt.Sprint(i), Intent: assign.Required}
	}
	field := "managedEBookAssignments[0].target.groupId"
	for name, test := range map[string]struct {
		asks         []assign.Ask
		code, target string
	}{
		"unknown group":      {[]assign.Ask{required("nobody")}, "UnknownGroup", field},
		"deleted group":      {[]assign.Ask{required(deleted)}, "UnknownGroup", field},
		"empty group":        {[]assign.Ask{required("")}, "UnknownGroup", field},
		"devices":            {[]assign.Ask{required(devices.ID)}, "DeviceGroup", field},
		"people and devices": {[]assign.Ask{required(mixed.ID)}, "DeviceGroup", field},
		"twice the same group": {
			[]assign.Ask{required(good), available(good)}, "DuplicateGroup", "managedEBookAssignments[1].target.groupId",
		},
		"too many": {many, "TooManyAssignments", "managedEBookAssignments"},
	} {
		before := s.engine.Dump()
		_, err := s.assigner.Replace(t.Context(), s.book, test.asks, "rita")
		wantProblem(t, err, test.code, test.target)
		if string(s.engine.Dump()) != string(before) {
			t.Errorf("%s: refused, but something was stored", name)
		}
	}
}

func TestAListThatIsPostedBackIsTakenWhateverHasBecomeOfItsGroups(t *testing.T) {
	s := newSchool(t)
	deleted, mixed, other := s.group(s.person("anna")), s.group(), s.group()
	s.replace(required(deleted), required(mixed))
	before := s.wishes().List
	s.must(s.directory.DeleteGroup(t.Context(), deleted, ""))
	var m directory.Membership
	m.Add(directory.Member{ID: "ipad", Type: "Device"})
	_, err := s.directory.ChangeGroup(t.Context(), mixed, "", func(*directory.Group) error { return nil }, m)
	s.must(err)

	s.replace(required(deleted), required(mixed), required(other))
	if list := s.wishes().List; len(list) != 3 || !slices.Equal(list[:2], before) {
		t.Errorf("posted back with one group more: %+v, want the first two as they were: %+v", list, before)
	}
	again, err := s.assigner.Add(t.Context(), s.book, assign.Ask{GroupID: deleted, Intent: assign.Required}, "rita")
	if err != nil || again != before[0] {
		t.Errorf("added again: %+v with error %v", again, err)
	}
	s.replace(available(deleted), required(other)) // it covers nobody
	if list := s.wishes().List; len(list) != 2 || list[0].Intent != assign.Available {
		t.Errorf("with another intent: %+v", list)
	}
	_, err = s.assigner.Replace(t.Context(), s.book, []assign.Ask{available(mixed)}, "rita")
	wantProblem(t, err, "DeviceGroup", "managedEBookAssignments[1].target.groupId") // removed above, so it is new
}

func TestAGroupThatWasDeletedIsSaidToBe(t *testing.T) {
	s := newSchool(t)
	deleted := s.group()
	s.must(s.directory.DeleteGroup(t.Context(), deleted, ""))
	_, err := s.assigner.Replace(t.Context(), s.book, []assign.Ask{required(deleted)}, "rita")
	if p, ok := problem.As(err); !ok || !strings.Contains(p.Message, "was deleted") || !strings.Contains(p.Message, "Leave it out") {
		t.Errorf("error %v, want that it was deleted, and what to do", err)
	}
}

func TestAsManyGroupsAsAreAllowedFitIntoTheItem(t *testing.T) {
	s := newSchool(t)
	var asks []assign.Ask
	for range assign.MaxWishes {
		asks = append(asks, required(s.group()))
	}
	s.replace(asks...)
	if n := len(s.wishes().List); n != assign.MaxWishes {
		t.Errorf("%d wishes are stored, want %d", n, assign.MaxWishes)
	}
	_, err := s.assigner.Add(t.Context(), s.book, assign.Ask{GroupID: s.group(), Intent: assign.Required}, "rita")
	wantProblem(t, err, "TooManyAssignments", "")
}

// meanwhile lets somebody else act ahead of the next Commit.
func (s *school) meanwhile(act func()) {
	s.engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
		if c.Kind == mem.Commit {
			s.engine.SetFaults(mem.Faults{})
			act()
		}
		return nil
	}})
}

func TestOfTwoReplacementsAtOnceTheLaterOneHoldsWhole(t *testing.T) {
	s := newSchool(t)
	a, b := s.group(), s.group()
	s.meanwhile(func() { s.replace(required(a)) })
	s.replace(required(a), required(b))
	list := s.wishes().List
	if len(list) != 2 || list[0].GroupID != a || list[1].GroupID != b {
		t.Fatalf("wishes are %+v", list)
	}
	s.meanwhile(func() { s.replace() })
	s.replace(required(a))
	if after := s.wishes().List; len(after) != 1 || after[0].ID == list[0].ID {
		t.Errorf("removed and asked for at once: %+v, want a new wish", after)
	}
}

func TestAddingAndRemovingAtOnceLosesNothing(t *testing.T) {
	s := newSchool(t)
	a, b := s.group(), s.group()
	s.replace(required(a))
	first := s.wishes().List[0]
	s.meanwhile(func() { s.must(s.assigner.Remove(t.Context(), s.book, first.ID, "rita")) })
	added, err := s.assigner.Add(t.Context(), s.book, assign.Ask{GroupID: b, Intent: assign.Required}, "rita")
	s.must(err)
	if list := s.wishes().List; !slices.Equal(list, []assign.Wish{added}) {
		t.Errorf("wishes are %+v, want only %+v", list, added)
	}
}

func TestAddingTwiceIsAddingOnce(t *testing.T) {
	s := newSchool(t)
	ask := assign.Ask{GroupID: s.group(), Intent: assign.Required}
	first, err := s.assigner.Add(t.Context(), s.book, ask, "rita")
	s.must(err)
	s.clock.Advance(time.Minute)
	again, err := s.assigner.Add(t.Context(), s.book, ask, "otto")
	s.must(err)
	if again != first || len(s.wishes().List) != 1 {
		t.Errorf("added %+v, then %+v", first, again)
	}
	ask.Intent = assign.Available
	_, err = s.assigner.Add(t.Context(), s.book, ask, "rita")
	wantProblem(t, err, "DuplicateGroup", "target.groupId")
	_, err = s.assigner.Add(t.Context(), s.book, assign.Ask{GroupID: "nobody", Intent: assign.Required}, "rita")
	wantProblem(t, err, "UnknownGroup", "target.groupId")
	wantProblem(t, s.assigner.Remove(t.Context(), s.book, "nothing", "rita"), "ResourceNotFound", "")
}

func TestRemovedAssignmentsAreTold(t *testing.T) {
	s := newSchool(t)
	a, b := s.group(), s.group()
	s.replace(required(a), available(b))
	list := s.wishes().List
	s.must(s.assigner.Remove(t.Context(), s.book, list[1].ID, "otto"))
	s.clock.Advance(time.Second)
	s.replace(available(b))
	s.clock.Advance(time.Second)
	s.replace(available(b)) // changes nothing
	acts, _, err := act.List(t.Context(), s.store.ReadStore, act.Months(s.clock.Now(), 1), 10, "")
	s.must(err)
	if len(acts) != 2 || acts[1].By != "otto" || !strings.Contains(acts[1].Text, list[1].ID) || acts[0].By != "rita" ||
		!strings.Contains(acts[0].Text, list[0].ID) || acts[0].Kind != act.AssignmentRemoved || acts[0].Target != s.book.ID {
		t.Errorf("acts %+v", acts)
	}
}
