package directory_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/bookplate/bookplate/shared/directory"
)

func TestWhatMayChangeAGiftIsAnnouncedBeforeAndAfter(t *testing.T) {
	edit := func(change func(*directory.Person)) func(*testing.T, *house, string, string) {
		return func(t *testing.T, h *house, person, _ string) {
			must[directory.Person](t)(h.ChangePerson(t.Context(), person, "", func(p *directory.Person) error {
				change(p)
				return nil
			}))
		}
	}
	inGroup := func(m directory.Membership, change func(*directory.Group)) func(*testing.T, *house, string, string) {
		return func(t *testing.T, h *house, _, group string) {
			must[directory.Group](t)(h.ChangeGroup(t.Context(), group, "", func(g *directory.Group) error {
				change(g)
				return nil
			}, m))
		}
	}
	var someone, nobody directory.Membership
	someone.Add(directory.Member{ID: "someone"})
	nobody.Clear()
	both := []string{"before groups=1 people=1", "after groups=1 people=1"}
	group := []string{"before groups=1 people=0", "after groups=1 people=0"}
	for name, c := range map[string]struct {
		do   func(t *testing.T, h *house, person, group string)
		want []string
	}{
		"disabled":        {edit(func(p *directory.Person) { p.Active = false }), both},
		"renamed":         {edit(func(p *directory.Person) { p.UserName = "x@school.example" }), both},
		"other account":   {edit(func(p *directory.Person) { p.ManagedAppleAccount = "x@y.example" }), both},
		"other display":   {edit(func(p *directory.Person) { p.DisplayName = "J" }), nil},
		"nothing changed": {edit(func(*directory.Person) {}), nil},
		"deleted": {func(t *testing.T, h *house, person, _ string) {
			must[struct{}](t)(struct{}{}, h.DeletePerson(t.Context(), person, ""))
		}, both},
		"created": {func(t *testing.T, h *house, _, _ string) {
			must[directory.Person](t)(h.CreatePerson(t.Context(), directory.Person{UserName: "new"}))
		}, []string{"before groups=0 people=1", "after groups=0 people=1"}},
		"member added":     {inGroup(someone, func(*directory.Group) {}), group},
		"members replaced": {inGroup(nobody, func(*directory.Group) {}), group},
		"kind changed": {
			inGroup(directory.Membership{}, func(g *directory.Group) { g.Kind = directory.Devices }), group,
		},
		"group renamed": {inGroup(directory.Membership{}, func(g *directory.Group) { g.DisplayName = "H" }), nil},
		"group deleted": {func(t *testing.T, h *house, _, group string) {
			must[struct{}](t)(struct{}{}, h.DeleteGroup(t.Context(), group, ""))
		}, group},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			p := must[directory.Person](t)(h.CreatePerson(t.Context(), jane()))
			var with directory.Membership
			with.Add(directory.Member{ID: p.ID})
			g := must[directory.Group](t)(h.CreateGroup(t.Context(), directory.Group{DisplayName: "G"}, with))
			h.diary.told = nil
			c.do(t, h, p.ID, g.ID)
			if !slices.Equal(h.diary.told, c.want) {
				t.Errorf("announced %q, want %q", h.diary.told, c.want)
			}
		})
	}
}

func TestNothingIsWrittenThatCouldNotBeAnnounced(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	p := must[directory.Person](t)(h.CreatePerson(ctx, jane()))
	g := must[directory.Group](t)(h.CreateGroup(ctx, directory.Group{DisplayName: "G"}, directory.Membership{}))
	before := string(h.table.Dump())
	h.diary.fail = errors.New("the marks can't be put")

	var m directory.Membership
	m.Add(directory.Member{ID: p.ID})
	_, changed := h.ChangeGroup(ctx, g.ID, "", func(*directory.Group) error { return nil }, m)
	_, disabled := h.ChangePerson(ctx, p.ID, "", func(p *directory.Person) error {
		p.Active = false
		return nil
	})
	for _, err := range []error{changed, disabled, h.DeletePerson(ctx, p.ID, ""), h.DeleteGroup(ctx, g.ID, "")} {
		if !errors.Is(err, h.diary.fail) {
			t.Errorf("got %v", err)
		}
	}
	if string(h.table.Dump()) != before {
		t.Error("something was written")
	}
}
