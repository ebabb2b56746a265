package grant

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
)

// Each batch takes 40 s to reserve: two of them are too much for one reading of the counts.
func TestASlowTableHasCountsReadAgainInsteadOfBatchesPreparedInVain(t *testing.T) {
	s := newSchool(t, 30, 1)
	s.granter.Limits.MaxClientUserIDs = 10
	batches := map[string]bool{}
	s.engine.SetFaults(mem.Faults{After: func(c mem.Call) error {
		for _, op := range c.Ops {
			if strings.HasPrefix(op.Item.Key.Part, "batches#") {
				batches[op.Item.Key.Sort] = true
			}
			if strings.HasPrefix(op.Item.Key.Part, "title#") {
				s.clock.Advance(4 * time.Second)
			}
		}
		return nil
	}})
	s.spend()
	if len(s.apple.sent) != 3 || len(batches) != 3 || len(s.open()) != 3 {
		t.Errorf("%d batches were sent, %d written and %d are open; want 3 of each", len(s.apple.sent), len(batches), len(s.open()))
	}
}

func TestBatchesUnderWayTogetherShareTheDelta(t *testing.T) {
	s := newSchool(t, 20, 1)
	s.granter.Limits.MaxClientUserIDs = 10
	s.granter.State.AssignmentsVersion = "v0"
	s.spend()
	if len(s.open()) != 2 {
		t.Fatalf("%d batches, want 2", len(s.open()))
	}
	s.apple.event = finished(10, 10)
	s.apple.list(0, nil)
	s.apple.list(1, nil)
	s.settle()
	if !slices.Equal(s.apple.since, []string{"v0", "v"}) || s.granter.State.AssignmentsSeen != "v" {
		t.Errorf("the listing was read since %q, and is known up to %q; want v0, then v", s.apple.since, s.granter.State.AssignmentsSeen)
	}
}

func TestWhileASyncIsUnderWayEachBatchReadsItsOwnDelta(t *testing.T) {
	s := newSchool(t, 20, 1)
	s.granter.Limits.MaxClientUserIDs = 10
	*s.granter.State = token.Sync{AssignmentsVersion: "v0", Run: []byte(`{}`)}
	s.spend()
	s.apple.event = finished(10, 10)
	s.apple.list(0, nil)
	s.apple.list(1, nil)
	s.settle()
	if !slices.Equal(s.apple.since, []string{"v0", "v0"}) || s.granter.State.AssignmentsSeen != "" {
		t.Errorf("the listing was read since %q, and is known up to %q; want v0 twice", s.apple.since, s.granter.State.AssignmentsSeen)
	}
}
