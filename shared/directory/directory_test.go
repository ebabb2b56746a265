package directory_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/world"
)

// diary is an Announcer that writes down what it is told, and how much the table held when it was told before a write.
type diary struct {
	told []string
	fail error
}

func (d *diary) Before(_ context.Context, c directory.Change) error {
	d.told = append(d.told, fmt.Sprintf("before groups=%d people=%d", len(c.Groups), len(c.People)))
	return d.fail
}

func (d *diary) After(_ context.Context, c directory.Change) error {
	d.told = append(d.told, fmt.Sprintf("after groups=%d people=%d", len(c.Groups), len(c.People)))
	return nil
}

type house struct {
	*directory.Directory
	table   *mem.Table
	virtual *world.Virtual
	diary   *diary
	store   *table.Store
}

func newHouse(t *testing.T) *house {
	t.Helper()
	v := world.NewVirtual(1, time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	engine := mem.New(v)
	store := table.NewStore(engine, v.World())
	notes := &diary{}
	return &house{directory.New(store, v.World(), notes), engine, v, notes, store}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func wantKind(t *testing.T, err error, kind problem.Kind) {
	t.Helper()
	if err == nil || problem.KindOf(err) != kind {
		t.Fatalf("got error %v, want a problem of kind %d", err, kind)
	}
}

func jane() directory.Person {
	return directory.Person{
		UserName: "Jane@School.example", ExternalID: "ext-jane", DisplayName: "Jane Doe", Active: true,
		Emails: []directory.Email{{Value: "jane@work.example", Type: "work"}},
	}
}

func TestAUserNameIsUniqueInAnyLetterCase(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	first := must[directory.Person](t)(h.CreatePerson(ctx, jane()))
	second := jane()
	second.UserName = "JANE@school.EXAMPLE"
	_, err := h.CreatePerson(ctx, second)
	wantKind(t, err, problem.Conflict)

	john := must[directory.Person](t)(h.CreatePerson(ctx, directory.Person{UserName: "john@school.example"}))
	_, err = h.ChangePerson(ctx, john.ID, "", func(p *directory.Person) error {
		p.UserName = "jane@SCHOOL.example"
		return nil
	})
	wantKind(t, err, problem.Conflict)

	// A person may change the case of their own name, and a name that was given up is free.
	for _, name := range []string{"JANE@school.example", "jane.smith@school.example"} {
		must[directory.Person](t)(h.ChangePerson(ctx, first.ID, "", func(p *directory.Person) error {
			p.UserName = name
			return nil
		}))
	}
	must[directory.Person](t)(h.CreatePerson(ctx, second))
}

func TestPeopleAreFoundByWhatTheyAreCalledNow(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	p := must[directory.Person](t)(h.CreatePerson(ctx, jane()))
	must[directory.Person](t)(h.ChangePerson(ctx, p.ID, "", func(p *directory.Person) error {
		p.UserName, p.ExternalID, p.Emails = "new@school.example", "ext-new", []directory.Email{{Value: "New@Work.example"}}
		return nil
	}))
	finds := map[string]struct {
		find     func(context.Context, string) ([]directory.Person, error)
		old, now string
	}{
		"user name":   {h.PeopleByUserName, "jane@school.example", "NEW@school.example"},
		"external id": {h.PeopleByExternalID, "ext-jane", "ext-new"},
		"e-mail":      {h.PeopleByEmail, "jane@work.example", "new@work.EXAMPLE"},
	}
	for name, f := range finds {
		if got := must[[]directory.Person](t)(f.find(ctx, f.old)); len(got) != 0 {
			t.Errorf("%s: found by the old one", name)
		}
		if got := must[[]directory.Person](t)(f.find(ctx, f.now)); len(got) != 1 || got[0].ID != p.ID {
			t.Errorf("%s: not found by the new one: %v", name, got)
		}
		for _, odd := range []string{"", "a\x00b", "\xff", strings.Repeat("x", 5000)} {
			if got := must[[]directory.Person](t)(f.find(ctx, odd)); len(got) != 0 {
				t.Errorf("%s: found by %.10q", name, odd)
			}
		}
	}
}

func TestADeletedPersonKeepsTheirNameAndComesBackUnderTheirOldID(t *testing.T) {
	for name, back := range map[string]directory.Person{
		"by external id": {UserName: "jane.new@school.example", ExternalID: "ext-jane", Active: true},
		"by account": {
			UserName: "j@school.example", ExternalID: "other", ManagedAppleAccount: "JANE@appleid.example", Active: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, ctx := newHouse(t), t.Context()
			p := jane()
			p.ManagedAppleAccount = "jane@appleid.example"
			old := must[directory.Person](t)(h.CreatePerson(ctx, p))
			var with directory.Membership
			with.Add(directory.Member{ID: old.ID})
			g := must[directory.Group](t)(h.CreateGroup(ctx, directory.Group{DisplayName: "Class 5"}, with))

			if err := h.DeletePerson(ctx, old.ID, ""); err != nil {
				t.Fatal(err)
			}
			wantKind(t, h.DeletePerson(ctx, old.ID, ""), problem.NotFound)
			_, err := h.Person(ctx, old.ID)
			wantKind(t, err, problem.NotFound)
			kept := must[directory.Person](t)(h.PersonEvenDeleted(ctx, old.ID))
			if kept.Name() != "Jane Doe" || kept.Active || !kept.Deleted {
				t.Fatalf("kept %+v", kept)
			}

			again := must[directory.Person](t)(h.CreatePerson(ctx, back))
			if again.ID != old.ID || !again.Created.Equal(old.Created) || again.Deleted || !again.Active {
				t.Fatalf("came back as %+v, was %+v", again, old)
			}
			if in := must[map[string]bool](t)(h.AreMembers(ctx, g.ID, []string{old.ID})); len(in) != 0 {
				t.Fatal("the old membership came back too")
			}
		})
	}
}

func TestAnActivePersonIsNeverTakenOverByAnotherWithTheSameExternalID(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	first := must[directory.Person](t)(h.CreatePerson(ctx, jane()))
	twin := jane()
	twin.UserName = "twin@school.example"
	second := must[directory.Person](t)(h.CreatePerson(ctx, twin))
	if first.ID == second.ID {
		t.Fatal("one id for two people")
	}
	if got := must[[]directory.Person](t)(h.PeopleByExternalID(ctx, "ext-jane")); len(got) != 2 {
		t.Fatalf("found %d people", len(got))
	}
}

func TestMembershipsOutliveDisablingAndMayNamePeopleWhoComeLater(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	p := must[directory.Person](t)(h.CreatePerson(ctx, jane()))
	var with directory.Membership
	with.Add(directory.Member{ID: p.ID}, directory.Member{ID: "nobody-yet"}, directory.Member{ID: "ipad", Type: "Device"})
	g := must[directory.Group](t)(h.CreateGroup(ctx, directory.Group{DisplayName: "Class 5"}, with))
	must[directory.Person](t)(h.ChangePerson(ctx, p.ID, "", func(p *directory.Person) error {
		p.Active = false
		return nil
	}))
	in := must[map[string]bool](t)(h.AreMembers(ctx, g.ID, []string{p.ID, "nobody-yet", "ipad", "x"}))
	if want := map[string]bool{p.ID: true, "nobody-yet": true}; !reflect.DeepEqual(in, want) {
		t.Errorf("members %v, want %v", in, want)
	}
	if others := must[directory.Outsiders](t)(h.Others(ctx, g.ID)); others.Count != 1 || others.Types["Device"] != 1 {
		t.Errorf("others %+v", others)
	}
	if groups := must[[]string](t)(h.GroupsOf(ctx, p.ID)); !slices.Equal(groups, []string{g.ID}) {
		t.Errorf("groups %v", groups)
	}
}

// The index lags: a deletion may miss an edge that was written a moment before. It must not come back to life.
func TestAMembershipThatADeletionMissedDoesNotReturnWithThePerson(t *testing.T) {
	for name, after := range map[string]func(t *testing.T, h *house, id string){
		"the deletion is repeated": func(t *testing.T, h *house, id string) {
			wantKind(t, h.DeletePerson(t.Context(), id, ""), problem.NotFound)
		},
		"the person returns": func(t *testing.T, h *house, id string) {
			if again := must[directory.Person](t)(h.CreatePerson(t.Context(), jane())); again.ID != id {
				t.Fatal("another id")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, ctx := newHouse(t), t.Context()
			p := must[directory.Person](t)(h.CreatePerson(ctx, jane()))
			h.table.SetFaults(mem.Faults{IndexLagTime: time.Minute})
			var with directory.Membership
			with.Add(directory.Member{ID: p.ID})
			g := must[directory.Group](t)(h.CreateGroup(ctx, directory.Group{DisplayName: "G"}, with))
			if err := h.DeletePerson(ctx, p.ID, ""); err != nil {
				t.Fatal(err)
			}
			if len(h.members(t, g.ID)) != 1 {
				t.Fatal("the index didn't lag; the test shows nothing")
			}
			h.virtual.Advance(2 * time.Minute)
			after(t, h, p.ID)
			if got := h.members(t, g.ID); len(got) != 0 {
				t.Errorf("still members: %v", got)
			}
		})
	}
}

func TestListsShowEverybodyWhoIsThereOnceAndCountThem(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	want := map[string]bool{}
	for i := range 40 {
		p := must[directory.Person](t)(h.CreatePerson(ctx, directory.Person{UserName: fmt.Sprintf("u%d", i)}))
		if i%4 == 0 {
			must[struct{}](t)(struct{}{}, h.DeletePerson(ctx, p.ID, ""))
			continue
		}
		want[p.ID] = true
	}
	for size := 1; size <= 31; size += 6 {
		got := map[string]bool{}
		for offset := 0; offset <= 30; offset += size {
			page, total, err := h.ListPeople(ctx, offset, size)
			if err != nil || total != 30 || len(page) != min(size, 30-offset) {
				t.Fatalf("size %d, offset %d: %d of %d, %v", size, offset, len(page), total, err)
			}
			for _, p := range page {
				got[p.ID] = true
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("pages of %d show %d different people", size, len(got))
		}
	}
}

func TestTheManagedAccountIsTheMappedOneOrAFederatedUserName(t *testing.T) {
	federated := []string{"School.example"}
	for _, c := range []struct {
		p    directory.Person
		want string
	}{
		{directory.Person{UserName: "a@school.EXAMPLE"}, "a@school.EXAMPLE"},
		{directory.Person{UserName: "a@other.example"}, ""},
		{directory.Person{UserName: "a@other.example", ManagedAppleAccount: "b@x.example"}, "b@x.example"},
		{directory.Person{UserName: "@school.example"}, ""},
		{directory.Person{UserName: "school.example"}, ""},
		{directory.Person{UserName: "a@b@school.example"}, "a@b@school.example"},
		{directory.Person{UserName: "a@sub.school.example"}, ""},
	} {
		got, ok := directory.ManagedAccount(c.p, federated)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%+v: %q %v, want %q", c.p, got, ok, c.want)
		}
	}
}
