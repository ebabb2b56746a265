package grant

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table/mem"
)

func contains(body []byte, text string) bool { return bytes.Contains(body, []byte(text)) }

// sentPairs counts how often each pair was sent.
func (s *school) sentPairs() map[string]int {
	counts := map[string]int{}
	for _, a := range s.apple.sent {
		for _, asset := range a.Assets {
			for _, id := range a.ClientUserIDs {
				counts[asset.AdamID+" "+id]++
			}
		}
	}
	return counts
}

func (s *school) sentOnce(when string) {
	s.Helper()
	counts := s.sentPairs()
	for pair, n := range counts {
		if n != 1 {
			s.Errorf("%s: %s was sent %d times", when, pair, n)
		}
	}
	if want := len(s.people) * len(s.books); len(counts) != want {
		s.Errorf("%s: %d pairs were sent, want %d", when, len(counts), want)
	}
}

// Two workers are at the location, because the first stood still: law 1 rests on batches, not on the lease.
func TestTwoWorkersAtOnceSendNoPairTwice(t *testing.T) {
	for _, at := range []license.BatchState{license.Prepared, license.Sending, license.Sent} {
		s := newSchool(t, 4, 2)
		s.slow(at, func() { s.spend() })
		s.spend()
		for range 3 {
			s.spend()
		}
		s.clock.Advance(recoverAfter)
		s.settle() // what was prepared and never sent
		s.spend()
		s.sentOnce("the other worker came ahead of " + string(at))
	}
}

func TestABatchThatIsBeingSentAfterAllIsNotAbandoned(t *testing.T) {
	s := newSchool(t, 3, 1)
	other := s.granter
	s.slow(license.Sending, func() {
		id := s.open()[0].Value.ID
		// The other worker reads the batch as prepared. Ahead of its Commit that ends it, the first one goes on.
		resumed := false
		s.slow(license.Abandoned, func() {
			resumed = true
			doc, err := license.OpenBatch(t.Context(), s.store.ReadStore, uid, id)
			s.must(err)
			doc.Value.State = license.Sending
			op, err := doc.Save()
			s.must(err)
			s.commit(op)
			_, err = s.apple.Associate(t.Context(), apple.Association{
				Assets: doc.Value.Titles, ClientUserIDs: []string{s.idOf(s.people[0]), s.idOf(s.people[1]), s.idOf(s.people[2])},
			})
			s.must(err)
		})
		s.must(other.Settle(t.Context(), id))
		if !resumed {
			t.Fatal("the first worker didn't go on: the test proves nothing")
		}
	})
	s.spend()
	if got := s.states(); got["reserved"] != 3 {
		t.Errorf("states %v, want all reserved by the batch that is being sent", got)
	}
	s.spend()
	s.sentOnce("the batch was ended while it was being sent")
}

func TestABatchThatSomebodyElseHasLookedAtIsNotGivenUp(t *testing.T) {
	s := newSchool(t, 2, 1)
	s.apple.associate = func(apple.Association) (string, error) { return "", apple.ErrUnknownOutcome }
	s.spend()
	s.clock.Advance(time.Hour)
	s.slow(license.Settled, func() {
		doc := s.open()[0]
		doc.Value.Polls++
		op, err := doc.Save()
		s.must(err)
		s.commit(op)
	})
	s.settle()
	if got := s.states(); got["reserved"] != 2 || len(s.open()) != 1 {
		t.Errorf("states %v, %d batches open; want the pairs to stay with the open batch", got, len(s.open()))
	}
	s.settle()
	if got := s.states(); got["wanted bound"] != 2 || len(s.open()) != 0 {
		t.Errorf("at the next look: states %v, %d batches open", got, len(s.open()))
	}
}

func TestABatchThatCouldNotBeEndedIsLookedAtAgain(t *testing.T) {
	s := newSchool(t, 2, 1)
	doc, err := s.granter.prepare(t.Context(), s.draft()) // then its worker dies
	s.must(err)
	marks, err := mark.Read(t.Context(), s.store.ReadStore, uid)
	s.must(err)
	s.slow(license.Abandoned, func() { // a sync takes somebody out of it
		doc.Value.People = doc.Value.People[:1]
		op, err := doc.Save()
		s.must(err)
		s.commit(op)
	})
	s.settle()
	for _, m := range marks {
		if m.Kind != mark.Settle {
			continue
		}
		if _, err := s.store.Commit(t.Context(), m.Done()); !license.IsConflict(err) {
			t.Errorf("the worker removes the only mark that leads to the batch: %v", err)
		}
	}
	s.settle()
	if n := len(s.open()); n != 0 {
		t.Errorf("%d batches are open after the second look", n)
	}
}

// draft is everything for everybody.
func (s *school) draft() draft {
	s.Helper()
	site, err := s.granter.surveyor().LoadSite(s.Context(), s.granter.Record)
	s.must(err)
	a, err := s.granter.ask(s.Context(), site, []string{mark.SubjectAll})
	s.must(err)
	turns, err := s.granter.turnsOf(a.pairs, a.began)
	s.must(err)
	drafts, err := s.granter.renew(s.Context(), site, turns[0])
	s.must(err)
	return drafts[0]
}

func TestABatchThatWasStoredAfterASlowWorkerLookedKeepsItsPairs(t *testing.T) {
	s := newSchool(t, 3, 1)
	d := s.draft()
	var doc license.BatchDoc
	s.engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
		if c.Kind != mem.Query || !strings.HasPrefix(c.Range.Part, "title#") {
			return nil
		}
		s.engine.SetFaults(mem.Faults{}) // the slow worker has read the open batches, and not yet the licenses
		var err error
		doc, err = s.granter.prepare(t.Context(), d)
		s.must(err)
		_, err = s.granter.reserve(t.Context(), doc.Value, d)
		s.must(err)
		return nil
	}})
	s.spend()
	if doc.Value.ID == "" {
		t.Fatal("the other worker never came: the test proves nothing")
	}
	doc, err := s.granter.commitSending(t.Context(), doc, d.people, s.clock.Now())
	s.must(err)
	ids, err := s.granter.users(t.Context(), d.people)
	s.must(err)
	s.must(s.granter.send(t.Context(), doc, ids))
	s.spend()
	s.sentOnce("in the end")
}

// A worker gives up a batch of unknown outcome, and dies before it has bound the pairs. They are bound all the same: law 1.
func TestAPairOfABatchThatWasGivenUpIsNotSentInTheOtherQuality(t *testing.T) {
	s := newSchool(t, 2, 1)
	s.apple.associate = func(apple.Association) (string, error) { return "", apple.ErrUnknownOutcome }
	s.spend()
	ended, err := s.granter.end(t.Context(), s.open()[0], license.Settled, "given up", mark.SubjectAll)
	if s.must(err); !ended {
		t.Fatal("the batch could not be ended")
	}
	_, err = s.assigner.Replace(t.Context(), s.books[0], nil, "rita")
	s.must(err)
	s.stockOf(apple.AssetKey{AdamID: s.books[0].Asset.AdamID, PricingParam: apple.PricingPLUS}, 10)
	s.spend()
	if len(s.apple.sent) != 1 {
		t.Errorf("it was sent as %s too", s.apple.sent[1].Assets[0].PricingParam)
	}
	s.spend()
	if len(s.apple.sent) != 1 {
		t.Errorf("then it was sent as %s too", s.apple.sent[1].Assets[0].PricingParam)
	}
}
