package stage_test

import (
	"context"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
)

// absence is a way to go and to come back. Who goes before the request is sent is law 3's.
type absence struct {
	leave  func(*school, directory.Person) error
	rejoin func(*school, directory.Person) (directory.Person, error)
}

func absences() map[string]absence {
	ctx := context.Background()
	member := func(s *school, person string, in bool) error {
		var m directory.Membership
		if in {
			m.Add(directory.Member{ID: person})
		} else {
			m.Remove(person)
		}
		_, err := s.Directory.ChangeGroup(ctx, s.group, "", func(*directory.Group) error { return nil }, m)
		return err
	}
	active := func(s *school, person string, is bool) error {
		_, err := s.Directory.ChangePerson(ctx, person, "", func(p *directory.Person) error { p.Active = is; return nil })
		return err
	}
	deleted := func(s *school, p directory.Person) error { return s.Directory.DeletePerson(ctx, p.ID, "") }
	again := func(s *school, as directory.Person) (directory.Person, error) {
		back, err := s.Directory.CreatePerson(ctx, as)
		if err != nil {
			return back, err
		}
		return back, member(s, back.ID, true)
	}
	return map[string]absence{
		"leaves the group": {
			func(s *school, p directory.Person) error { return member(s, p.ID, false) },
			func(s *school, p directory.Person) (directory.Person, error) { return p, member(s, p.ID, true) },
		},
		"is disabled": {
			func(s *school, p directory.Person) error { return active(s, p.ID, false) },
			func(s *school, p directory.Person) (directory.Person, error) { return p, active(s, p.ID, true) },
		},
		"is deleted, and known by externalId": {deleted, func(s *school, _ directory.Person) (directory.Person, error) {
			return again(s, directory.Person{UserName: "ann.married@school.example", ExternalID: "x-ann", Active: true})
		}},
		"is deleted, and known by Managed Apple Account": {deleted, func(s *school, _ directory.Person) (directory.Person, error) {
			return again(s, directory.Person{
				UserName: "ann.married@school.example", ExternalID: "x-new", ManagedAppleAccount: "ann@school.example", Active: true,
			})
		}},
	}
}

// Somebody goes after a title was sent for them. It stays theirs; what is wished while they are away isn't given to them;
// and when they come back they get that, and nothing twice.
func TestWhoGoesKeepsTheTitleAndComesBackAsTheSamePerson(t *testing.T) {
	ctx := context.Background()
	for name, way := range absences() {
		t.Run(name, func(t *testing.T) {
			s := newSchool(t, 2, 3, nil)
			must(t, s.Install(ctx))
			ann, err := s.Directory.CreatePerson(ctx, directory.Person{
				UserName: "ann@school.example", ExternalID: "x-ann", ManagedAppleAccount: "ann@school.example", Active: true,
			})
			must(t, err)
			s.group = s.newGroup(t, ann.ID, s.people[0], s.people[1])
			must(t, s.assignOne(ctx, s.titles[2])) // all become readers
			must(t, s.Rest(ctx))
			client := s.client(t, s.Site, ann.ID)
			w := s.watch()
			gone := false
			s.whenBatch(s.Site, license.Sent, true, func(license.Batch) {
				must(t, way.leave(s, ann))
				gone = true
			})
			must(t, s.assignOne(ctx, s.titles[0]))
			must(t, s.Rest(ctx))
			if l := s.licenseOf(t, s.titles[0], ann.ID); !gone || l.State != license.Licensed || s.held(s.titles[0]) != 3 {
				t.Fatalf("gone: %t; the title that was sent is %s, and held by %d", gone, l.State, s.held(s.titles[0]))
			}
			must(t, s.assignOne(ctx, s.titles[1]))
			must(t, s.Rest(ctx))
			if n := w.sent()[pair{s.titles[1], client}]; n != 0 || s.held(s.titles[1]) != 2 {
				t.Fatalf("sent %d times to who was away; %d hold it", n, s.held(s.titles[1]))
			}
			if user, _ := s.Site.User(client); user.Status != applefake.Associated {
				t.Errorf("at Apple who is away is %q: nothing but an order retires", user.Status)
			}
			back, err := way.rejoin(s, ann)
			must(t, err)
			must(t, s.Rest(ctx))
			if back.ID != ann.ID {
				t.Errorf("came back as somebody else")
			}
			if w.sent()[pair{s.titles[0], client}] != 1 || w.sent()[pair{s.titles[1], client}] != 1 || s.held(s.titles[1]) != 3 {
				t.Errorf("after coming back: %v", w.sent())
			}
			s.checkBooks(t)
			s.checkEqual(t, "at rest")
		})
	}
}

// A Managed Apple Account that is given later takes the place of the invitation, and a new user name changes nothing.
func TestAnAccountGivenLaterAndANewNameKeepTheReader(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 1, 2, nil)
	guest, err := s.Directory.CreatePerson(ctx, directory.Person{UserName: "guest@elsewhere.example", Active: true})
	must(t, err)
	group := s.newGroup(t, guest.ID)
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), group))
	must(t, s.Rest(ctx))
	client := s.client(t, s.Site, guest.ID)
	if l := s.licenseOf(t, s.titles[0], guest.ID); l.Reason != assign.Invitation {
		t.Fatalf("the guest waits for %q", l.Reason)
	}
	change := func(edit func(*directory.Person)) {
		_, err := s.Directory.ChangePerson(ctx, guest.ID, "", func(p *directory.Person) error { edit(p); return nil })
		must(t, err)
		must(t, s.Rest(ctx))
	}
	change(func(p *directory.Person) { p.ManagedAppleAccount = "guest@school.example" })
	user, _ := s.Site.User(client)
	if l := s.licenseOf(t, s.titles[0], guest.ID); l.State != license.Licensed || user.Account != "guest@school.example" {
		t.Fatalf("with an account the guest is %s (%s), linked to %q", l.State, l.Reason, user.Account)
	}
	change(func(p *directory.Person) { p.UserName = "married@elsewhere.example" })
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[1], apple.PricingSTDQ), group))
	must(t, s.Rest(ctx))
	l := s.licenseOf(t, s.titles[1], guest.ID)
	if len(l.Rows) != 1 || l.Rows[0].ClientUserID != client {
		t.Errorf("under a new name the guest got %+v, want as reader %s", l.Rows, client)
	}
	if one := s.readerOf(t, guest.ID); one.ClientUserID != client || one.Account != "guest@school.example" {
		t.Errorf("under a new name the guest is %+v", one)
	}
	s.checkBooks(t)
	s.checkEqual(t, "at rest")
}

// What the next step of a refused account says: correct it at Apple, then order a sync. Other syncs leave Apple in peace for a
// while.
func TestAnAccountThatWasCorrectedAtAppleIsAskedForAgainAtTheSyncThatIsOrdered(t *testing.T) {
	ctx := context.Background()
	for name, why := range map[string]string{"a sync": mark.SyncOrder, "a full sync": mark.SyncFull} {
		t.Run(name, func(t *testing.T) {
			s := enrolled(t, 1, 1, nil)
			account := "ann@elsewhere.example"
			ann, err := s.Directory.CreatePerson(ctx, directory.Person{
				UserName: account, ManagedAppleAccount: account, Active: true,
			})
			must(t, err)
			must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.newGroup(t, ann.ID)))
			must(t, s.Rest(ctx))
			refused := s.Clock.Now()
			must(t, s.Site.AddManagedAccount(account))
			s.sync(t, s.Site, mark.SyncSchedule)
			if l := s.licenseOf(t, s.titles[0], ann.ID); l.Reason != assign.ForeignID {
				t.Fatalf("after a regular sync: %s (%s), want that Apple wasn't asked again yet", l.State, l.Reason)
			}
			s.sync(t, s.Site, why)
			if l := s.licenseOf(t, s.titles[0], ann.ID); l.State != license.Licensed {
				t.Errorf("%s after the refusal: %s (%s), want it given", s.Clock.Now().Sub(refused), l.State, l.Reason)
			}
			if late := s.Clock.Now().Sub(refused); late > 9*time.Minute {
				t.Errorf("it took %s: by then Apple is asked again anyway", late)
			}
		})
	}
}

func TestAnAccountThatWasNotCorrectedIsAskedForOnceASyncThatIsOrdered(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 1, 1, nil)
	account := "ann@elsewhere.example"
	ann, err := s.Directory.CreatePerson(ctx, directory.Person{UserName: account, ManagedAppleAccount: account, Active: true})
	must(t, err)
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.newGroup(t, ann.ID)))
	must(t, s.Rest(ctx))
	for range 2 {
		before := s.Apple.Counts()[applefake.EndpointCreate]
		s.sync(t, s.Site, mark.SyncOrder)
		s.sync(t, s.Site, mark.SyncSchedule)
		if n := s.Apple.Counts()[applefake.EndpointCreate] - before; n != 1 {
			t.Errorf("Apple was asked %d times, want once", n)
		}
	}
}
