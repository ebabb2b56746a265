package directory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/problem"
)

func TestWhoWasDeletedIsFoundByWhatTheyWereCalledThen(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	old := must[directory.Person](t)(h.CreatePerson(ctx, jane()))
	if err := h.DeletePerson(ctx, old.ID, ""); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{old.ID, "Jane@School.example", "jane@school.EXAMPLE", "ext-jane"} {
		if p, err := h.FindPerson(ctx, text); err != nil || p.ID != old.ID || !p.Deleted {
			t.Errorf("by %s: %+v, %v", text, p, err)
		}
	}
	if by := must[[]directory.Person](t)(h.PeopleByUserName(ctx, "jane@school.example")); len(by) != 0 {
		t.Errorf("the identity provider finds %+v, whom it has deleted", by)
	}
	_, err := h.FindPerson(ctx, "never@school.example")
	wantKind(t, err, problem.NotFound)

	// The name is free, and belongs to whoever is there.
	heir := jane()
	heir.ExternalID = "ext-heir"
	next := must[directory.Person](t)(h.CreatePerson(ctx, heir))
	if p, err := h.FindPerson(ctx, "jane@school.example"); err != nil || p.ID != next.ID {
		t.Errorf("found %+v with error %v, want whoever has the name now", p, err)
	}
	if p, err := h.FindPerson(ctx, "ext-jane"); err != nil || p.ID != old.ID {
		t.Errorf("by externalId: %+v with error %v, want the former one", p, err)
	}
}

func TestWhoComesBackIsNoFormerPersonAnyMore(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	old := must[directory.Person](t)(h.CreatePerson(ctx, jane()))
	if err := h.DeletePerson(ctx, old.ID, ""); err != nil {
		t.Fatal(err)
	}
	married := jane()
	married.UserName = "jane.smith@school.example"
	must[directory.Person](t)(h.CreatePerson(ctx, married))
	_, err := h.FindPerson(ctx, "jane@school.example")
	wantKind(t, err, problem.NotFound)
	if dump := string(h.table.Dump()); strings.Contains(dump, "formerName") {
		t.Errorf("the former name still leads to somebody:\n%s", dump)
	}
}

func TestSeveralFormerPeopleOfOneNameAreNamedAndNotChosenFrom(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	var ids []string
	for _, external := range []string{"first", "second"} {
		p := jane()
		p.ExternalID = external
		one := must[directory.Person](t)(h.CreatePerson(ctx, p))
		ids = append(ids, one.ID)
		if err := h.DeletePerson(ctx, one.ID, ""); err != nil {
			t.Fatal(err)
		}
		h.virtual.Advance(48 * time.Hour)
	}
	_, err := h.FindPerson(ctx, "jane@school.example")
	wantKind(t, err, problem.Conflict)
	want := ids[1] + " (Jane Doe, deleted on 2026-09-03), " + ids[0] + " (Jane Doe, deleted on 2026-09-01)."
	if p, _ := problem.As(err); !strings.HasSuffix(p.Message, want) || p.Target != "person" {
		t.Errorf("error %v, want it to end with %s", err, want)
	}
}
