package directory_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/directory"
)

// members reads a group's people by the walk, as the domain does.
func (h *house) members(t *testing.T, group string) []string {
	t.Helper()
	var ids []string
	for id, err := range h.MembersOf(t.Context(), group) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func TestAMembershipsNetEffectIsWhatItsStepsWouldHaveDone(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		h, ctx := newHouse(t), t.Context()
		g := must[directory.Group](t)(h.CreateGroup(ctx, directory.Group{DisplayName: "G"}, directory.Membership{}))
		people, devices := map[string]bool{}, map[string]bool{}
		for range 6 { // requests
			var m directory.Membership
			for range r.IntN(6) { // steps of a request
				id := fmt.Sprintf("id-%d", r.IntN(5))
				switch r.IntN(7) {
				case 0, 1, 2:
					m.Add(directory.Member{ID: id})
					people[id] = true
				case 3:
					m.Add(directory.Member{ID: id, Type: "Device"})
					devices[id] = true
				case 4, 5:
					m.Remove(id)
					delete(people, id)
					delete(devices, id)
				case 6:
					m.Clear()
					clear(people)
					clear(devices)
				}
			}
			noEdit := func(*directory.Group) error { return nil }
			for range 1 + r.IntN(2) { // a provider repeats after a time-out
				must[directory.Group](t)(h.ChangeGroup(ctx, g.ID, "", noEdit, m))
			}
			h.virtual.Advance(time.Second)
			got, all, err := h.Members(ctx, g.ID, 100)
			if err != nil || !all {
				t.Fatal(all, err)
			}
			if len(got) != len(people)+len(devices) {
				t.Fatalf("seed %d: got %v, want people %v and devices %v", seed, got, people, devices)
			}
			for _, member := range got {
				if member.IsPerson() && !people[member.ID] || !member.IsPerson() && !devices[member.ID] {
					t.Fatalf("seed %d: %v doesn't belong", seed, member)
				}
			}
		}
	}
}

func TestReplacingAMembershipWritesOnlyTheDifference(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	var m directory.Membership
	for i := range 500 {
		m.Add(directory.Member{ID: fmt.Sprintf("p%d", i)})
	}
	g := must[directory.Group](t)(h.CreateGroup(ctx, directory.Group{DisplayName: "G"}, m))
	m.Clear()
	for i := range 500 {
		m.Add(directory.Member{ID: fmt.Sprintf("p%d", i+1)})
	}
	before := h.store.Units().Write
	must[directory.Group](t)(h.ChangeGroup(ctx, g.ID, "", func(*directory.Group) error { return nil }, m))
	if wrote := h.store.Units().Write - before; wrote > 20 {
		t.Errorf("one newcomer and one leaver cost %v write units", wrote)
	}
	if got := h.members(t, g.ID); len(got) != 500 || !slices.Contains(got, "p500") || slices.Contains(got, "p0") {
		t.Errorf("%d members", len(got))
	}
}
