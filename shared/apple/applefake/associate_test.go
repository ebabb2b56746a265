package applefake_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

func TestABookIsGivenWhenItsEventEnds(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.users("a", "b")
	a := r.post("/assets/associate", want(book, "a", "b"))
	r.clock.Advance(2*time.Second - 1)
	if s := r.get("/status?eventId=" + a.EventID); s.EventStatus != "PENDING" || s.NumRequested != 2 ||
		s.NumCompleted != 0 || r.holders(book) != "" {
		t.Errorf("before its time: %s, holders %q", s.raw, r.holders(book))
	}
	r.clock.Advance(1)
	if s := r.get("/status?eventId=" + a.EventID); s.EventStatus != "COMPLETE" || s.NumCompleted != 2 ||
		s.Failures != nil {
		t.Errorf("at its time: %s", s.raw)
	}
	if assigned, available := r.counts(book); r.holders(book) != "a b" || assigned != 2 || available != 1 {
		t.Errorf("holders %q, %d assigned, %d available", r.holders(book), assigned, available)
	}
	ledger := r.at.Ledger()
	if len(ledger) != 2 || ledger[0].EventID != a.EventID || ledger[0].ClientUserID != "a" || ledger[0].IDHash == "" ||
		!ledger[0].At.Equal(r.clock.Now()) {
		t.Errorf("the ledger says %+v", ledger)
	}
	r.sound()
}

func TestWhatFailsLeavesTheRestDone(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.users("a")
	body := `{"assets":[{"adamId":"` + book + `"},{"adamId":"` + other +
		`"},{"adamId":"404"}],"clientUserIds":["a","nobody","noone"]}`
	a := r.finish("/assets/associate", body)
	if a.EventStatus != "FAILED" || a.NumRequested != 9 || a.NumCompleted != 2 || len(a.Failures) != 2 {
		t.Fatal(a.raw)
	}
	for _, f := range a.Failures {
		if f.ErrorNumber == 9609 && fmt.Sprint(f.ErrorInfo.ClientUserIDs) != "[nobody noone]" {
			t.Errorf("unknown users: %v", f.ErrorInfo)
		}
		if f.ErrorNumber == 9709 && fmt.Sprint(f.ErrorInfo) != "{[{404 STDQ}] [a] []}" {
			t.Errorf("what isn't stocked: %v", f.ErrorInfo)
		}
	}
	if r.holders(book) != "a" || r.holders(other) != "a" {
		t.Errorf("holders %q and %q", r.holders(book), r.holders(other))
	}
}

func TestShortagesHaveThreeModes(t *testing.T) {
	for mode, want := range map[applefake.ShortageMode]string{
		applefake.ShortagePerAsset:     "a b c|", // three of book, two of other
		applefake.ShortageFirstCome:    "a b c|a b",
		applefake.ShortageWholeRequest: "|",
	} {
		r := build(t, applefake.Options{Shortage: mode}, spec())
		r.users("a", "b", "c")
		a := r.finish("/assets/associate", both("a", "b", "c"))
		if got := r.holders(book) + "|" + r.holders(other); got != want {
			t.Errorf("mode %d: %q, want %q", mode, got, want)
		}
		done := len(strings.Fields(strings.ReplaceAll(want, "|", " ")))
		if a.EventStatus != "FAILED" || a.NumCompleted != done || len(a.Failures) != 1 ||
			a.Failures[0].ErrorNumber != 9709 {
			t.Errorf("mode %d: %s", mode, a.raw)
		}
		r.sound()
	}
}

func TestAHolderNeedsNoLicenseWhenStockIsShort(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.users("a", "b", "c")
	r.finish("/assets/associate", want(other, "a"))
	if a := r.finish("/assets/associate", want(other, "a", "b")); a.EventStatus != "COMPLETE" ||
		r.holders(other) != "a b" {
		t.Errorf("%s, holders %q", a.raw, r.holders(other))
	}
	if a := r.finish("/assets/associate", want(other, "a", "c")); a.EventStatus != "FAILED" || a.NumCompleted != 1 {
		t.Errorf("a holder's task is done whatever the stock: %s", a.raw)
	}
}

func TestAssociatingAgainNeverTakesASecondLicense(t *testing.T) {
	for mode, number := range map[applefake.DuplicateMode]int{
		applefake.DuplicateNoOp: 0, applefake.DuplicateRefuse: 9602, applefake.DuplicateFail: 9616,
	} {
		r := build(t, applefake.Options{DuplicateAssign: mode}, spec())
		r.users("a", "b")
		r.finish("/assets/associate", want(book, "a"))
		a := r.post("/assets/associate", want(book, "a", "b"))
		got, later := a.ErrorNumber, "a"
		if mode != applefake.DuplicateRefuse {
			later = "a b"
			r.clock.Advance(2 * time.Second)
			if s := r.get("/status?eventId=" + a.EventID); len(s.Failures) > 0 {
				got = s.Failures[0].ErrorNumber
			}
		}
		if got != number || r.holders(book) != later {
			t.Errorf("mode %d: number %d, want %d; holders %q, want %q", mode, got, number, r.holders(book), later)
		}
		r.sound()
	}
}

func TestTwoUsersOfOneAccountShareALicense(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.users("a")
	r.finish("/users/create", who("b", ""))
	r.accept("b", "A@school.example")
	if a := r.finish("/assets/associate", want(book, "a", "b")); a.NumCompleted != 2 || r.holders(book) != "a" {
		t.Errorf("%s, holders %q", a.raw, r.holders(book))
	}
	if found := r.server.DoubleSpends(); len(found) != 0 {
		t.Errorf("double spends: %v", found)
	}
}

func TestDoubleSpendsAreFound(t *testing.T) {
	t.Run("both qualities", func(t *testing.T) {
		r := build(t, applefake.Options{}, spec())
		r.users("a", "b")
		r.finish("/assets/associate", want(other, "a", "b"))
		r.finish("/assets/associate", strings.ReplaceAll(want(other, "a"), "STDQ", "PLUS"))
		found := r.server.DoubleSpends()
		if len(found) != 2 || found[0].Holder != "a" || found[1].Holder != r.at.Ledger()[0].IDHash ||
			len(found[0].Licenses) != 2 {
			t.Errorf("found %+v", found)
		}
	})
	t.Run("two users who are one person", func(t *testing.T) {
		r := build(t, applefake.Options{}, spec())
		r.finish("/users/create", `{"users":[{"clientUserId":"a"},{"clientUserId":"b"}]}`)
		r.finish("/assets/associate", want(book, "a", "b"))
		if found := r.server.DoubleSpends(); len(found) != 0 {
			t.Fatalf("found %+v too early", found)
		}
		r.accept("a", "one@school.example")
		r.accept("b", "one@school.example")
		if found := r.server.DoubleSpends(); len(found) != 1 || len(found[0].Licenses) != 2 {
			t.Errorf("found %+v", found)
		}
	})
	t.Run("two locations", func(t *testing.T) {
		r := build(t, applefake.Options{}, spec())
		s := spec()
		s.Name = "Second"
		second, err := r.server.AddLocation(s)
		if err != nil {
			t.Fatal(err)
		}
		r.users("a")
		if err := second.AddUser("z", "", "a@school.example"); err != nil {
			t.Fatal(err)
		}
		r.finish("/assets/associate", want(book, "a"))
		if err := second.GrantBySomeoneElse(book, "STDQ", "z"); err != nil {
			t.Fatal(err)
		}
		if found := r.server.DoubleSpends(); len(found) != 1 {
			t.Errorf("found %+v", found)
		}
	})
}

func TestAppsCanBeTakenBackAndBooksStay(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.users("a")
	r.finish("/assets/associate", `{"assets":[{"adamId":"`+app+`"}],"clientUserIds":["a"],"serialNumbers":["S1","S2"]}`)
	r.finish("/assets/associate", want(book, "a"))
	if got := r.holders(app); got != "a S1 S2" {
		t.Fatalf("app holders %q", got)
	}
	one := r.finish("/assets/disassociate", `{"assets":[{"adamId":"`+app+`"}],"serialNumbers":["S1"]}`)
	if one.EventType != "DISASSOCIATE" || r.holders(app) != "a S2" {
		t.Errorf("%s, holders %q", one.raw, r.holders(app))
	}
	a := r.finish("/assets/revoke", `{"clientUserIds":["a"],"serialNumbers":["S2"]}`)
	if a.EventType != "REVOKE" || a.EventStatus != "COMPLETE" || r.holders(app) != "" || r.holders(book) != "a" {
		t.Errorf("%s, holders of the app %q, of the book %q", a.raw, r.holders(app), r.holders(book))
	}
	r.sound()
}

func TestUnlimitedTitlesNeverRunOut(t *testing.T) {
	s := spec()
	r := build(t, applefake.Options{}, s)
	if a := r.get("/assets"); len(a.Assets) != 5 || *a.Assets[3].TotalCount != 2147483647 {
		t.Errorf("without the parameter: %s", a.raw)
	}
	a := r.get("/assets?unlimited=true")
	if len(a.Assets) != 0 || len(a.UnlimitedAssets) != 1 || a.UnlimitedAssets[0].TotalCount != nil ||
		a.UnlimitedAssets[0].AvailableCount != nil {
		t.Errorf("unlimited=true: %s", a.raw)
	}
	if a := r.get("/assets?unlimited=false"); len(a.Assets) != 4 {
		t.Errorf("unlimited=false: %s", a.raw)
	}
	r.users("a")
	if a := r.finish("/assets/associate", want(free, "a")); a.EventStatus != "COMPLETE" || r.holders(free) != "a" {
		t.Errorf("%s", a.raw)
	}
	r.sound()
}

func TestEventsEndInOrderUnlessTheSwitchSaysOtherwise(t *testing.T) {
	for _, mixed := range []bool{false, true} {
		r := build(t, applefake.Options{OutOfOrder: mixed, Latency: applefake.Latency{
			Base:   -1,
			Jitter: time.Minute,
		}}, spec())
		var ids []string
		for i := range 20 {
			ids = append(ids, r.post("/users/create", who(fmt.Sprint("u", i), "")).EventID)
		}
		overtaken := false
		for range 60 {
			r.clock.Advance(time.Second)
			pending := false
			for _, id := range ids {
				done := r.get("/status?eventId="+id).EventStatus == "COMPLETE"
				overtaken = overtaken || done && pending
				pending = pending || !done
			}
		}
		if overtaken != mixed {
			t.Errorf("out of order %t: overtaken %t", mixed, overtaken)
		}
	}
}

func TestAnEventIsForgottenAfterAWeek(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	a := r.finish("/users/create", who("u", ""))
	id := r.server.Wire()[0].EventID
	r.clock.Advance(7 * 24 * time.Hour)
	if s := r.get("/status?eventId=" + id); s.EventStatus != "COMPLETE" {
		t.Errorf("after a week: %s (was %s)", s.raw, a.raw)
	}
	r.clock.Advance(1)
	if s := r.get("/status?eventId=" + id); s.ErrorNumber != 9708 {
		t.Errorf("after more than a week: %s", s.raw)
	}
}
