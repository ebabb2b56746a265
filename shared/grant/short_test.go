package grant

import (
	"fmt"
	"testing"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
)

// counts has Apple take off its counts at once what is sent, before it lists it.
func (s *school) counts() {
	s.apple.associate = func(a apple.Association) (string, error) {
		for _, asset := range a.Assets {
			s.apple.stock[asset] -= len(a.ClientUserIDs)
		}
		return fmt.Sprint("event-", len(s.apple.sent)), nil
	}
}

// Apple has counted a batch already, and its pairs are taken off once more, as law 5 says. Who is last must not be told that
// there is nothing left, and wait for a sync.
func TestTheLastLicensesAreGivenAsSoonAsItIsCertainThatTheyAreThere(t *testing.T) {
	s := newSchool(t, 6, 1)
	s.granter.Limits.MaxClientUserIDs, s.granter.Pace.MaxOpen = 1, 2
	s.apple.stock[s.books[0].Asset] = 6
	s.counts()
	s.work()
	for listed := 0; len(s.open()) > 0; {
		for ; listed < len(s.apple.sent); listed++ {
			s.apple.list(listed, nil)
		}
		s.apple.event = finished(1, 1)
		s.must(s.granter.Settle(t.Context(), s.open()[0].Value.ID))
		s.work()
	}
	s.sentOnce("in the end")
}

// Who gets none of a title that is short gets the other all the same, and is told why.
func TestAShortTitleKeepsNobodyFromTheOthers(t *testing.T) {
	s := newSchool(t, 4, 2)
	s.apple.stock[s.books[0].Asset] = 1 // the last sync saw 1000
	s.counts()
	s.work()
	if got := s.states(); got["reserved"] != 5 || got["waiting noStock"] != 3 || len(s.apple.sent) != 2 {
		t.Errorf("states %v after %d requests, want one for one person and both titles, one for the others", got, len(s.apple.sent))
	}
}

func TestStockThatATurnDoesNotNeedIsGivenToOthers(t *testing.T) {
	s := crowd(t, 3, 1)
	s.apple.stock[s.books[0].Asset] = 2
	s.books[0].Available = 2
	s.must(bookStore(s))
	s.counts()
	s.work()
	turns, err := s.granter.turns(t.Context(), backlogOf(s), 9)
	s.must(err)
	a := license.Applier{Store: s.store, World: s.clock.World()} // another location gives it to who comes next
	_, err = a.Add(t.Context(), license.Source{Location: "2000", People: map[string]string{"x": turns[0].People[0]}},
		[]apple.Assignment{{AssetKey: s.books[0].Asset, ClientUserID: "x"}})
	s.must(err)
	s.gives()
	s.work()
	if got := s.states(); len(s.apple.sent) != 2 || got["waiting noStock"] != 0 {
		t.Errorf("%d requests, states %v; want the other license given to who is left", len(s.apple.sent), got)
	}
}

func bookStore(s *school) error {
	return book.Store(s.Context(), s.store, book.Doc{Value: s.books[0]})
}
