package license_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table"
)

func TestPagesShowEverybodyOnce(t *testing.T) {
	s := newShelf(t)
	src := from(here)
	var rows []apple.Assignment
	for i := range 30 {
		p := fmt.Sprintf("p%02d", i)
		src.People[p+"@1000"] = p
		rows = append(rows, rowOf(stdq, p+"@1000"), rowOf(stdq, fmt.Sprint("stranger", i)))
	}
	s.add(src, rows...)
	people, holders := map[string]int{}, map[string]int{}
	for cursor, more := "", true; more; more = cursor != "" {
		docs, foreign, next, err := license.HolderPage(t.Context(), s.store.ReadStore, here, adamID, 7, cursor)
		if err != nil || len(docs)+len(foreign) > 7 {
			t.Fatalf("a page of %d and %d with error %v", len(docs), len(foreign), err)
		}
		for _, doc := range docs {
			people[doc.Value.PersonID]++
			if len(holders) > 0 {
				t.Error("a person comes after a stranger")
			}
		}
		for _, h := range foreign {
			holders[h.ClientUserID]++
		}
		cursor = next
	}
	if len(people) != 30 || len(holders) != 30 {
		t.Errorf("%d people and %d strangers, want 30 of each", len(people), len(holders))
	}
	for id, n := range people {
		if n != 1 {
			t.Errorf("%s is shown %d times", id, n)
		}
	}
}

func TestAPersonsLicensesAreFoundByThePerson(t *testing.T) {
	s := newShelf(t)
	for i := range 3 {
		s.add(from(here, "anna", "ben"), rowOf(apple.AssetKey{AdamID: fmt.Sprint(i), PricingParam: "STDQ"}, "anna@1000"))
	}
	docs, err := license.Of(t.Context(), s.store.ReadStore, "anna")
	if err != nil || len(docs) != 3 {
		t.Errorf("%d licenses with error %v, want 3", len(docs), err)
	}
	if docs, err = license.Of(t.Context(), s.store.ReadStore, "ben"); err != nil || len(docs) != 0 {
		t.Errorf("%d licenses of ben with error %v, want none", len(docs), err)
	}
}

func TestAWaitingPairStandsInItsBooksLineAndALicensedOneOnItsDay(t *testing.T) {
	s := newShelf(t)
	waiting, err := s.load("anna").Value.Ask(place, cause, license.Waiting, "noStock", "", start)
	if err != nil {
		t.Fatal(err)
	}
	s.save(waiting)
	s.add(from(here, "ben"), rowOf(stdq, "ben@1000"))
	for part, want := range map[string]string{"line#1000#" + adamID: "anna", license.DayPart(here, start): "ben"} {
		page, err := s.store.PageEntries(t.Context(), table.Index2, table.Range{Part: part})
		if err != nil || len(page.Entries) != 1 || page.Entries[0].Key.Sort != want {
			t.Errorf("%s: %+v with error %v, want %s alone", part, page.Entries, err, want)
		}
	}
	s.add(from(here, "anna"), rowOf(stdq, "anna@1000"))
	page, err := s.store.PageEntries(t.Context(), table.Index2, table.Range{Part: "line#1000#" + adamID})
	if err != nil || len(page.Entries) != 0 {
		t.Errorf("the line still has %+v, with error %v", page.Entries, err)
	}
}

func TestABatchIsOpenOrPastAndEndsOnce(t *testing.T) {
	s := newShelf(t)
	s.reserve(here, license.Sent)
	doc, err := license.OpenBatch(t.Context(), s.store.ReadStore, here, "batch-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := license.PastBatch(t.Context(), s.store.ReadStore, here, "batch-1"); !errors.Is(err, table.ErrAbsent) {
		t.Errorf("an open batch is past: %v", err)
	}
	ops, err := license.End(doc, license.Settled, "made up", later)
	if err != nil {
		t.Fatal(err)
	}
	s.commit(ops...)
	open, err := license.OpenBatches(t.Context(), s.store.ReadStore, here)
	if err != nil || len(open) != 0 {
		t.Errorf("open batches %v, %v, want none", open, err)
	}
	past, err := license.PastBatch(t.Context(), s.store.ReadStore, here, "batch-1")
	if err != nil || past.Value.State != license.Settled || past.Value.Outcome != "made up" || past.Value.Ended != later {
		t.Errorf("past batch %+v, %v", past.Value, err)
	}
	if _, err := s.store.Commit(t.Context(), ops...); !errors.Is(err, table.ErrCondition) {
		t.Errorf("it ended twice: %v", err)
	}
}

func TestALicenseThatIsNotStoredYetCanBeSavedOnceOnly(t *testing.T) {
	s := newShelf(t)
	docs, err := license.LoadMany(t.Context(), s.store.ReadStore, adamID, []string{"anna", "ben"})
	if err != nil || len(docs) != 2 || docs["anna"].Value.PersonID != "anna" || docs["ben"].Value.AdamID != adamID {
		t.Fatalf("%+v, %v", docs, err)
	}
	op, err := license.Save(docs["anna"])
	if err != nil {
		t.Fatal(err)
	}
	s.commit(op)
	if _, err := s.store.Commit(t.Context(), op); !license.IsConflict(err) {
		t.Errorf("saved twice: %v", err)
	}
}
