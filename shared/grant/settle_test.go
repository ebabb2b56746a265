package grant

import (
	"maps"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/reader"
)

// Two people and two titles in one request; listed are pairs as book and person.
func TestWhatAppleSaysOfABatchDecidesItsPairs(t *testing.T) {
	assets := func(s *school, books ...int) (keys []apple.AssetKey) {
		for _, b := range books {
			keys = append(keys, s.books[b].Asset)
		}
		return keys
	}
	tests := []struct {
		name   string
		listed [][2]int
		event  func(s *school) apple.Event
		want   map[string]int
		open   int
	}{
		{
			"all done and listed",
			[][2]int{{0, 0}, {0, 1}, {1, 0}, {1, 1}},
			func(*school) apple.Event { return finished(4, 4) },
			map[string]int{"licensed": 4},
			0,
		},
		{
			"all done, one not listed yet: it stays open",
			[][2]int{{0, 0}, {0, 1}, {1, 0}},
			func(*school) apple.Event { return finished(4, 4) },
			map[string]int{"licensed": 3, "reserved": 1},
			1,
		},
		{
			"pending: everything stays open but what is listed",
			[][2]int{{0, 0}},
			func(*school) apple.Event { return apple.Event{Status: apple.EventPending} },
			map[string]int{"reserved": 4},
			1,
		},
		{
			"no stock of a title: its pairs wait",
			[][2]int{{0, 0}, {0, 1}},
			func(s *school) apple.Event {
				return finished(4, 2, failure(apple.NumberNoStock, assets(s, 1), s.idOf(s.people[0]), s.idOf(s.people[1])))
			},
			map[string]int{"licensed": 2, "waiting noStock": 2},
			0,
		},
		{
			"an unknown user: is created again",
			[][2]int{{0, 0}, {1, 0}},
			func(s *school) apple.Event {
				return finished(4, 2, failure(apple.NumberNoUser, nil, s.idOf(s.people[1])))
			},
			map[string]int{"licensed": 2, "waiting notAtApple": 2},
			0,
		},
		{
			"a passing failure: wanted again",
			[][2]int{{0, 0}, {0, 1}, {1, 0}},
			func(s *school) apple.Event { return finished(4, 3, failure(9603, assets(s, 1), s.idOf(s.people[1]))) },
			map[string]int{"licensed": 3, "wanted": 1},
			0,
		},
		{
			"any other failure: refused for good",
			[][2]int{{0, 0}, {0, 1}, {1, 0}},
			func(s *school) apple.Event { return finished(4, 3, failure(9605, assets(s, 1), s.idOf(s.people[1]))) },
			map[string]int{"licensed": 3, "refused appleRefused": 1},
			0,
		},
		{
			"a failure that names nothing, nothing done: all are meant", nil,
			func(*school) apple.Event { return finished(4, 0, failure(apple.NumberNoStock, nil)) },
			map[string]int{"waiting noStock": 4},
			0,
		},
		{
			"a failure that may mean several pairs: none is denied",
			[][2]int{{0, 0}},
			func(s *school) apple.Event { return finished(4, 3, failure(apple.NumberNoStock, assets(s, 1))) },
			map[string]int{"licensed": 1, "reserved": 3},
			1,
		},
		{
			"a failure of listed pairs, others lag: none is denied",
			[][2]int{{1, 0}, {1, 1}},
			func(s *school) apple.Event { return finished(4, 2, failure(apple.NumberNoStock, assets(s, 1))) },
			map[string]int{"licensed": 2, "reserved": 2},
			1,
		},
		{
			"done, though failures were named: the listing decides",
			[][2]int{{0, 0}, {0, 1}, {1, 0}, {1, 1}},
			func(s *school) apple.Event { return finished(4, 0, failure(9602, assets(s, 0, 1))) },
			map[string]int{"licensed": 4},
			0,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSchool(t, 2, 2)
			s.spend()
			for _, l := range test.listed {
				s.apple.rows = append(s.apple.rows, apple.Assignment{AssetKey: s.books[l[0]].Asset, ClientUserID: s.idOf(s.people[l[1]])})
			}
			s.apple.event = test.event(s)
			s.settle()
			if got := s.states(); !maps.Equal(got, test.want) {
				t.Errorf("states %v, want %v", got, test.want)
			}
			if n := len(s.open()); n != test.open {
				t.Errorf("%d batches are open, want %d", n, test.open)
			}
		})
	}
}

func TestAnUnknownOutcomeIsWaitedOutAndStaysInItsLocation(t *testing.T) {
	for name, test := range map[string]struct {
		after  time.Duration // since the deadline of the request
		listed bool
		want   string
	}{
		"before the wait is over":         {10*time.Minute - time.Second, false, "reserved"},
		"after the wait, not listed":      {10 * time.Minute, false, "wanted bound"},
		"after the wait, listed":          {10 * time.Minute, true, "licensed"},
		"long before, but listed already": {time.Second, true, "licensed"},
	} {
		s := newSchool(t, 1, 1)
		s.apple.associate = func(apple.Association) (string, error) { return "", apple.ErrUnknownOutcome }
		s.spend()
		s.clock.Advance(s.open()[0].Value.NotAfter.Sub(s.clock.Now()) + test.after)
		if test.listed {
			s.apple.list(0, nil)
		}
		s.settle()
		if got := s.states(); got[test.want] != 1 {
			t.Errorf("%s: states %v, want %s", name, got, test.want)
		}
		if l := s.license(0, 0); test.listed && (l.Found || l.Cause == nil) {
			t.Errorf("%s: %+v isn't explained as ours", name, l)
		}
	}
}

func TestABatchWhoseWorkerDiedBeforeSendingIsAbandoned(t *testing.T) {
	s := newSchool(t, 2, 1)
	_, err := s.granter.prepare(t.Context(), s.draft())
	s.must(err)
	s.settle()
	if n := len(s.open()); n != 0 || len(s.apple.sent) != 0 {
		t.Errorf("%d batches are open, %d requests were sent", n, len(s.apple.sent))
	}
	s.spend()
	s.sentOnce("afterwards")
}

func TestLookingAtABatchThatHasEndedFreesWhatItsWorkerLeft(t *testing.T) {
	for state, want := range map[license.BatchState]string{license.Abandoned: "wanted", license.Settled: "wanted bound"} {
		s := newSchool(t, 1, 1)
		s.apple.associate = func(apple.Association) (string, error) { return "", apple.ErrUnknownOutcome }
		s.spend()
		doc := s.open()[0]
		ops, err := license.End(doc, state, "made up: its worker died here", s.clock.Now())
		s.must(err)
		s.commit(ops...)
		s.must(s.granter.Settle(t.Context(), doc.Value.ID))
		if got := s.states(); got[want] != 1 {
			t.Errorf("%s: states %v, want %s", state, got, want)
		}
	}
}

func TestWhatAppleRefusesOnTheSpotFreesAllOthers(t *testing.T) {
	tests := []struct {
		name   string
		answer func(s *school, a apple.Association) error // nil: taken
		sent   int
		want   map[string]int
	}{
		{"a named user", func(s *school, a apple.Association) error {
			if len(a.ClientUserIDs) == 4 {
				return &apple.Error{Number: 9602, Info: apple.ErrorInfo{ClientUserIDs: []string{s.idOf(s.people[2])}}}
			}
			return nil
		}, 1, map[string]int{"refused appleRefused": 1, "wanted": 3}},
		{"nobody named: it is split until the bad one is found", func(s *school, a apple.Association) error {
			for _, id := range a.ClientUserIDs {
				if id == s.idOf(s.people[2]) {
					return &apple.Error{Number: 9602}
				}
			}
			return nil
		}, 5, map[string]int{"refused appleRefused": 1, "reserved": 3}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSchool(t, 4, 1)
			s.apple.associate = func(a apple.Association) (string, error) {
				if err := test.answer(s, a); err != nil {
					return "", err
				}
				return "event", nil
			}
			s.spend()
			if got := s.states(); !maps.Equal(got, test.want) || len(s.apple.sent) != test.sent {
				t.Errorf("states %v after %d requests, want %v after %d", got, len(s.apple.sent), test.want, test.sent)
			}
		})
	}
}

func TestARefusalThatIsNotTheBatchsFaultFreesItWhole(t *testing.T) {
	for name, number := range map[string]int{"token": 9621, "busy": 9646, "limits have shrunk": 9701} {
		s := newSchool(t, 3, 1)
		s.apple.associate = func(apple.Association) (string, error) { return "", &apple.Error{Number: number} }
		err := s.granter.Spend(t.Context(), []string{mark.SubjectAll})
		if !apple.IsNumber(err, number) || s.states()["wanted"] != 3 || len(s.open()) != 0 || len(s.apple.sent) != 1 {
			t.Errorf("%s: error %v, states %v, %d open, %d sent", name, err, s.states(), len(s.open()), len(s.apple.sent))
		}
	}
}

// A sending has an unknown outcome, the person's reader is retired and restored as another one, and then Apple turns out to
// have given the title to the former one after all.
func TestAPairThatIsBoundToAFormerReaderIsLookedUpBeforeItIsSentToTheNext(t *testing.T) {
	for name, given := range map[string]bool{"given": true, "not given": false} {
		t.Run(name, func(t *testing.T) {
			s := newSchool(t, 1, 1)
			s.apple.associate = func(apple.Association) (string, error) { return "", apple.ErrUnknownOutcome }
			s.spend()
			s.clock.Advance(time.Hour)
			s.settle()
			if l := s.license(0, 0); l.Bound == "" {
				t.Fatalf("not bound: %+v", l)
			}
			s.restored(0)
			want := 2
			if given {
				s.apple.list(0, nil)
				want = 1
			}
			s.apple.associate = nil
			s.spend()
			if len(s.apple.sent) != want {
				t.Errorf("%d requests were sent, want %d", len(s.apple.sent), want)
			}
			if l := s.license(0, 0); l.Has() != given {
				t.Errorf("%+v", l)
			}
		})
	}
}

// restored has Apple retire a person's reader, and link the one of their next generation.
func (s *school) restored(person int) {
	s.Helper()
	id := s.people[person]
	associate := func(clientUserID, status string) {
		row := apple.User{ClientUserID: clientUserID, Status: status}
		_, err := reader.Apply(s.Context(), s.store, uid, []apple.User{row}, s.clock.Now())
		s.must(err)
	}
	associate(s.idOf(id), apple.UserRetired)
	known, err := reader.OfPeople(s.Context(), s.store.ReadStore, s.granter.identity(), []string{id})
	s.must(err)
	_, err = reader.Desk{Store: s.store, World: s.clock.World()}.Restore(s.Context(), known[id].Value, "otto", "made up")
	s.must(err)
	_, _, err = s.granter.Readers.Ensure(s.Context(), []reader.Person{{ID: id}}, "")
	s.must(err)
	associate(reader.ClientUserID(mdmID, uid, id, 1), apple.UserAssociated)
}
