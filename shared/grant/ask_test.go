package grant

import (
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/mark"
)

// putOffBooks are the places among the school's books of those that are marked by themselves.
func (s *school) putOffBooks() (places []int) {
	s.Helper()
	marks, err := mark.Read(s.Context(), s.store.ReadStore, uid)
	s.must(err)
	for i, b := range s.books {
		if slices.ContainsFunc(marks, func(m mark.Mark) bool { return m.Kind == mark.Grants && m.Subject == mark.SubjectBook(b.ID) }) {
			places = append(places, i)
		}
	}
	return places
}

// cleared removes the marks of grants that are due.
func (s *school) cleared() *school {
	s.Helper()
	marks, err := mark.Read(s.Context(), s.store.ReadStore, uid)
	s.must(err)
	for _, m := range marks {
		if (m.Kind == mark.Grants || m.Kind == mark.Later) && !m.Due.After(s.clock.Now()) {
			s.commit(m.Done())
		}
	}
	return s
}

func TestBooksForWhichALookHasNoTimeComeFirstTheNextTime(t *testing.T) {
	s := newSchool(t, 2, 3).cleared()
	s.granter.Until = start
	s.spend()
	first := s.putOffBooks()
	if len(first) != 2 {
		t.Fatalf("put off: %v, want all but the first", first)
	}
	s.cleared()
	last := mark.SubjectBook(s.books[first[1]].ID)
	s.must(s.granter.Spend(t.Context(), []string{mark.SubjectAll, last}))
	if next := s.putOffBooks(); len(next) != 2 || slices.Contains(next, first[1]) {
		t.Errorf("put off: %v, want all but %d, which was put off before", next, first[1])
	}
}

func TestWhatALookHasNoTimeToNoteIsNotedTheNextTime(t *testing.T) {
	s := newSchool(t, 5, 0)
	s.stockOf(apple.AssetKey{AdamID: "900000001", PricingParam: apple.PricingSTDQ}, 2)
	s.cleared()
	s.granter.Until = start
	s.spend()
	if got := s.states(); got["waiting noStock"] != 0 || len(s.putOffBooks()) != 1 {
		t.Fatalf("states %v, put off %v; want nothing noted, and the book marked", got, s.putOffBooks())
	}
	s.cleared()
	s.granter.Until = start.Add(time.Hour)
	s.must(s.granter.Spend(t.Context(), []string{mark.SubjectBook(s.books[0].ID)}))
	if got := s.states(); got["waiting noStock"] != 3 || got["reserved"] != 2 || len(s.putOffBooks()) != 0 {
		t.Errorf("states %v, put off %v; want all noted", got, s.putOffBooks())
	}
}
