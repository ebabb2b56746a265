package grant

import (
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table/mem"
)

// What follows here came round again and again once: work ends with a test's failure if it doesn't come to rest.

func TestARefusalForWantOfStockThatTheCountsDontShowWaits(t *testing.T) {
	s := newSchool(t, 1, 1)
	s.apple.associate = func(apple.Association) (string, error) {
		return "", &apple.Error{Number: apple.NumberNoStock}
	}
	s.work()
	if got := s.states(); len(s.apple.sent) != 1 || got["waiting noStock"] != 1 {
		t.Errorf("%d requests, states %v", len(s.apple.sent), got)
	}
	s.clock.Advance(time.Minute)
	s.apple.associate = nil
	s.work()
	if got := s.states(); got["reserved"] != 1 {
		t.Errorf("a minute later: %v", got)
	}
}

// A worker dies after it has reserved two titles for somebody, and another location gives one of them.
func TestAPairThatWasTakenOutOfADeadWorkersBatchIsFree(t *testing.T) {
	s := newSchool(t, 1, 2)
	d := s.draft()
	doc, err := s.granter.prepare(t.Context(), d)
	s.must(err)
	_, err = s.granter.reserve(t.Context(), doc.Value, d)
	s.must(err)
	a := license.Applier{Store: s.store, World: s.clock.World()}
	_, err = a.Add(t.Context(), license.Source{Location: "2000", People: map[string]string{"x": s.people[0]}},
		[]apple.Assignment{{AssetKey: s.books[0].Asset, ClientUserID: "x"}})
	s.must(err)
	s.work()
	if len(s.apple.sent) != 1 || len(s.apple.sent[0].Assets) != 1 || s.apple.sent[0].Assets[0] != s.books[1].Asset {
		t.Errorf("sent %+v, want the other title", s.apple.sent)
	}
	s.clock.Advance(recoverAfter)
	s.must(s.granter.Settle(t.Context(), doc.Value.ID))
	if l := s.license(1, 0); l.State != license.Reserved || l.Batch == doc.Value.ID {
		t.Errorf("the dead worker's batch was ended, and the pair is %+v", l)
	}
}

// The last certain licenses of a title aren't kept back because another title, or a batch that hangs, is short.
func TestWhatIsCertainIsGivenWhateverElseIsShort(t *testing.T) {
	s := newSchool(t, 6, 2)
	d := s.draft()
	d.titles, d.people = d.titles[:1], d.people[:1]
	doc, err := s.granter.prepare(t.Context(), d)
	s.must(err)
	_, err = s.granter.reserve(t.Context(), doc.Value, d)
	s.must(err)
	_, err = s.granter.commitSending(t.Context(), doc, d.people, s.clock.Now())
	s.must(err)
	s.apple.stock[s.books[0].Asset] = 4 // one of them for the batch that hangs
	s.apple.stock[s.books[1].Asset] = 0
	s.spend()
	s.work()
	n := 0
	for pair := range s.sentPairs() {
		if strings.HasPrefix(pair, s.books[0].Asset.AdamID) {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d of the 3 licenses that are certain were sent: %v", n, s.states())
	}
}

// A location has so many people that looking at them takes more than half of a wake.
func TestALookThatTakesLongNotesWhyPeopleWaitAllTheSame(t *testing.T) {
	s := newSchool(t, 3, 1)
	s.apple.stock[s.books[0].Asset], s.books[0].Available = 0, 0
	s.must(bookStore(s))
	s.engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
		if c.Kind == mem.Query && strings.HasPrefix(c.Range.Part, "title#") {
			s.clock.Advance(1500 * time.Millisecond) // 24 s in all
		}
		return nil
	}})
	s.granter.Until = s.clock.Now().Add(45 * time.Second)
	s.must(s.granter.Spend(t.Context(), []string{mark.SubjectAll}))
	s.engine.SetFaults(mem.Faults{})
	if got := s.states(); got["waiting noStock"] != 3 {
		t.Errorf("states %v, want all told why they wait", got)
	}
}

// Of a turn for which there was no need the next one comes at once, and not when a batch ends: there may be none.
func TestTurnsThatGiveNothingAreFollowedByTheNextAtOnce(t *testing.T) {
	s := crowd(t, 4, 1)
	s.granter.Until = start
	s.spend()
	s.cleared()
	turns, err := s.granter.turns(t.Context(), backlogOf(s), 2)
	s.must(err)
	for _, one := range turns {
		s.found(apple.Assignment{AssetKey: s.books[0].Asset, ClientUserID: s.idOf(one.People[0])}, one.People[0])
	}
	s.granter.Until = start.Add(time.Hour)
	s.next()
	if !s.marked(mark.SubjectNext) {
		t.Error("nothing leads to the turns that are left")
	}
}

// Books that seem short are remembered until they have been looked at, whatever becomes of the turns meanwhile.
func TestWhatSeemedShortIsNotForgottenByTheNextTurn(t *testing.T) {
	s := newSchool(t, 1, 1)
	doc, err := s.granter.backlog(t.Context())
	s.must(err)
	first, second := assetNo(1), assetNo(2)
	kept, err := s.granter.replace(t.Context(), &doc, []turn{{Titles: []apple.AssetKey{first}}}, []apple.AssetKey{first})
	if s.must(err); !kept {
		t.Fatal("not stored")
	}
	kept, err = s.granter.requeue(t.Context(), &doc, nil, []apple.AssetKey{second})
	if s.must(err); !kept || len(doc.Value.Short) != 2 || doc.Value.left() != 0 {
		t.Errorf("kept: %t, %+v; want both remembered", kept, doc.Value)
	}
}
