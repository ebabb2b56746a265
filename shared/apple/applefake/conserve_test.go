package applefake_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

// Whatever is asked of the fake, in whatever order and with whatever switches: its books stay sound, and books once given
// stay given until they are refunded.
func TestNothingEverBreaksTheBooks(t *testing.T) {
	happened := map[string]int{}
	for seed := range uint64(25) {
		s := newStress(t, seed, happened)
		given := s.books()
		for range 150 {
			refunded := s.step()
			s.clock.Advance(time.Duration(s.random.IntN(4)) * time.Second)
			if err := s.server.Invariants(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			now := s.books()
			for license := range given {
				if !now[license] && license != refunded {
					t.Fatalf("seed %d: %s lost %s", seed, strings.Split(license, " ")[0], license)
				}
			}
			given = now
		}
	}
	for _, must := range []string{
		"COMPLETE", "FAILED", "refund", "accept", "9706", "9707", "9709", "9716",
		"9609", "9635", "9641",
	} {
		if happened[must] == 0 {
			t.Errorf("%s never happened: %v", must, happened)
		}
	}
}

// A run is a function of its seed: two runs of one seed read the same, byte for byte.
func TestOneSeedGivesOneTrace(t *testing.T) {
	trace := func() string {
		s := newStress(t, 3, map[string]int{})
		for range 100 {
			s.step()
		}
		return fmt.Sprintf("%+v", s.server.Wire()) + s.picture() + fmt.Sprint(s.happened)
	}
	first, second := trace(), trace()
	if first != second {
		t.Error("two runs of one seed differ")
	}
}

type stress struct {
	*rig
	random   *rand.Rand
	ids      []string
	happened map[string]int
}

// newStress makes a fake with the switches and the content that the seed decides.
func newStress(t *testing.T, seed uint64, happened map[string]int) *stress {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	s := &stress{random: random, happened: happened}
	s.rig = build(t, applefake.Options{
		Seed: seed, PageSize: 1 + random.IntN(5), OutOfOrder: random.IntN(2) == 0,
		Shortage: applefake.ShortageMode(random.IntN(3)), DuplicateAssign: applefake.DuplicateMode(random.IntN(3)),
		UnknownUser: applefake.UnknownUserMode(random.IntN(2)), RegisterOnLinkFailure: random.IntN(2) == 0,
		Latency: applefake.Latency{Jitter: 10 * time.Second},
	}, bulk(6, 20, 60))
	for user := range s.at.Users() {
		s.ids = append(s.ids, user.ClientUserID)
	}
	s.ids = append(s.ids[:4], "p", "q", "r", "s", "t")
	return s
}

// books are all licenses of books that are held, by holder and asset.
func (s *stress) books() map[string]bool {
	all := map[string]bool{}
	for l := range s.at.Licenses() {
		if l.AdamID != app {
			all[l.ClientUserID+" "+l.AdamID+" "+l.PricingParam] = true
		}
	}
	return all
}

func pick[T any](s *stress, from ...T) T { return from[s.random.IntN(len(from))] }

// step does one random thing and returns the license that it refunded, if it did.
func (s *stress) step() (refunded string) {
	title, pricing := pick(s, book, other, app, free, "1400000000", "1400000003"), pick(s, "STDQ", "STDQ", "PLUS")
	id, second := pick(s, s.ids...), pick(s, s.ids...)
	account := pick(s, id, second, "x") + pick(s, "@school.example", "@school.example", "@foreign.example")
	body := fmt.Sprintf(`{"assets":[{"adamId":%q,"pricingParam":%q},{"adamId":%q}],"clientUserIds":[%q,%q]}`,
		title, pricing, pick(s, "1400000001", app), id, second)
	switch s.random.IntN(12) {
	case 0, 1, 2:
		s.ask("/assets/associate", body)
	case 3:
		s.ask("/assets/associate", strings.Replace(body, "clientUserIds", "serialNumbers", 1))
	case 4:
		s.ask("/assets/disassociate", body)
	case 5:
		s.ask("/assets/revoke", `{"clientUserIds":["`+id+`"]}`)
	case 6:
		s.ask("/users/create", who(id, ""))
	case 7:
		s.ask(pick(s, "/users/create", "/users/update"), who(id, `,"managedAppleId":"`+account+`"`))
	case 8:
		s.ask("/users/retire", who(id, ""))
	case 9:
		u, _ := s.at.User(id)
		s.note("accept", s.at.AcceptInvitation(u.InviteCode, account))
	case 10:
		s.note("grant", s.at.GrantBySomeoneElse(title, pricing, id))
		s.note("purchase", s.at.Purchase(title, pricing, s.random.IntN(3)))
	default:
		s.note("refund", s.at.Refund(title, pricing, s.random.IntN(3)))
		if s.random.IntN(4) == 0 {
			err := s.at.RefundFrom(title, pricing, id)
			s.note("refundFrom", err)
			refunded = id + " " + title + " " + pricing
		}
	}
	return refunded
}

func (s *stress) note(what string, err error) {
	if err == nil {
		s.happened[what]++
	}
}

func (s *stress) ask(path, body string) {
	a := s.post(path, body)
	if a.ErrorNumber != 0 {
		s.happened[fmt.Sprint(a.ErrorNumber)]++
		return
	}
	s.clock.Advance(time.Duration(s.random.IntN(15)) * time.Second)
	status := s.get("/status?eventId=" + a.EventID)
	s.happened[status.EventStatus]++
	failed := 0
	for _, f := range status.Failures {
		s.happened[fmt.Sprint(f.ErrorNumber)]++
		failed += len(f.ErrorInfo.ClientUserIDs) + len(f.ErrorInfo.SerialNumbers)
	}
	if status.EventStatus == "COMPLETE" && status.NumCompleted != status.NumRequested ||
		status.EventStatus == "FAILED" && (failed == 0 || status.NumCompleted >= status.NumRequested) {
		s.t.Fatalf("%s %s: %s", path, body, status.raw)
	}
}
