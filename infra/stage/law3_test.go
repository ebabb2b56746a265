package stage_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table/mem"
)

// Somebody loses the right to a title after it was decided that they get it, and before the request is sent.
func TestLaw3WhoLostTheRightMeanwhileGetsNothing(t *testing.T) {
	ctx := context.Background()
	ready := enrolled(t, 4, 1, nil)
	one := map[string]func(s *school, person string) error{
		"deactivated": func(s *school, person string) error {
			_, err := s.Directory.ChangePerson(ctx, person, "", func(p *directory.Person) error { p.Active = false; return nil })
			return err
		},
		"left the group": func(s *school, person string) error {
			var out directory.Membership
			out.Remove(person)
			_, err := s.Directory.ChangeGroup(ctx, s.group, "", func(*directory.Group) error { return nil }, out)
			return err
		},
		"deleted": func(s *school, person string) error { return s.Directory.DeletePerson(ctx, person, "") },
	}
	all := map[string]func(s *school, person string) error{
		"group deleted": func(s *school, _ string) error { return s.Directory.DeleteGroup(ctx, s.group, "") },
		"wish removed":  func(s *school, _ string) error { return s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ)) },
	}
	all["group's deletion died half way"] = deleteGroupHalf
	for name, lose := range one {
		t.Run(name, func(t *testing.T) { loseBeforeSending(t, ready, lose, 3) })
	}
	for name, lose := range all {
		t.Run(name, func(t *testing.T) { loseBeforeSending(t, ready, lose, 0) })
	}
}

// deleteGroupHalf deletes the group by a process that dies when the group is gone and its members aren't.
func deleteGroupHalf(s *school, person string) error {
	ctx := context.Background()
	for n := 1; ; n++ {
		faults, died := mem.Crash(n, true)
		s.Table.SetFaults(faults)
		err := s.Directory.DeleteGroup(ctx, s.group, "")
		s.Table.SetFaults(mem.Faults{})
		group, _ := s.Directory.GroupEvenDeleted(ctx, s.group)
		members, _ := s.Directory.AreMembers(ctx, s.group, []string{person})
		switch {
		case group.Deleted && members[person]:
			return nil
		case group.Deleted || !died():
			return fmt.Errorf("the group isn't half deleted: %w", err)
		}
	}
}

func loseBeforeSending(t *testing.T, ready *school, lose func(*school, string) error, want int) {
	t.Helper()
	s := ready.fork(t, 1)
	person, client := s.people[0], s.client(t, s.Site, s.people[0])
	w := s.watch()
	lost := false
	s.whenBatch(s.Site, license.Prepared, true, func(license.Batch) {
		must(t, lose(s, person))
		lost = true
	})
	must(t, s.wish(context.Background(), bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
	must(t, s.Rest(context.Background()))
	if !lost {
		t.Fatal("no batch was prepared")
	}
	if got := len(w.sent()); got != want || w.sent()[pair{s.titles[0], client}] > 0 {
		t.Errorf("%d pairs were sent, want %d; those of %s %d times", got, want, person, w.sent()[pair{s.titles[0], client}])
	}
	if got := s.held(s.titles[0]); got != want {
		t.Errorf("%d licenses are held, want %d", got, want)
	}
	s.checkBooks(t)
	s.checkEqual(t, "at rest")
}

// Whoever is only invited gets nothing: the first account to accept would own the book.
func TestLaw3WhoIsOnlyInvitedGetsNothingUntilTheyAccept(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 2, 1, nil)
	guest, err := s.Directory.CreatePerson(ctx, directory.Person{UserName: "guest@elsewhere.example", Active: true})
	must(t, err)
	w := s.watch()
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.newGroup(t, guest.ID, s.people[0])))
	must(t, s.Rest(ctx))
	p := pair{s.titles[0], s.client(t, s.Site, guest.ID)}
	user, _ := s.Site.User(p.ClientUserID)
	if user.Status != applefake.Registered || w.sent()[p] > 0 || len(w.sent()) != 1 {
		t.Fatalf("the guest is %q at Apple and was sent %d times, of %d pairs in all", user.Status, w.sent()[p], len(w.sent()))
	}
	must(t, s.Site.AcceptInvitation(user.InviteCode, "own.account@elsewhere.example"))
	s.sync(t, s.Site, "order")
	if w.sent()[p] != 1 {
		t.Errorf("the guest has accepted and was sent %d times", w.sent()[p])
	}
	s.checkEqual(t, "at rest")
}

// A reader is retired by other hands, after everything that we have read about them: the job that spends reads it again.
func TestLaw3WhoIsNoLongerAssociatedAtAppleGetsNothing(t *testing.T) {
	ctx := context.Background()
	s := enrolled(t, 4, 1, nil)
	client := s.client(t, s.Site, s.people[0])
	retire(t, s, client)
	w := s.watch()
	must(t, s.wish(ctx, bookAt(s.Site, s.titles[0], apple.PricingSTDQ), s.group))
	must(t, s.Rest(ctx))
	if got := len(w.sent()); got != 3 || w.sent()[pair{s.titles[0], client}] > 0 {
		t.Errorf("%d pairs were sent, want 3; those of the retired reader %d times", got, w.sent()[pair{s.titles[0], client}])
	}
	s.checkEqual(t, "at rest")
}

// retire lets somebody else who has the token retire a reader.
func retire(t *testing.T, s *school, client string) {
	t.Helper()
	body := strings.NewReader(fmt.Sprintf(`{"users":[{"clientUserId":%q}]}`, client))
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://127.0.0.1/mdm/v2/users/retire", body)
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+s.Site.Token())
	r.Header.Set("Content-Type", "application/json")
	answer, err := s.Apple.Transport().RoundTrip(r)
	must(t, err)
	must(t, answer.Body.Close())
	s.Clock.Advance(time.Minute)
	if user, ok := s.Site.User(client); ok {
		t.Fatalf("the reader is still %q (HTTP status %d)", user.Status, answer.StatusCode)
	}
}
