package applefake

import (
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/world"
)

// A judge that can't say no is none: each law of the books is broken by hand, and must be noticed.
func TestInvariantsNoticeDamage(t *testing.T) {
	for name, damage := range map[string]struct {
		do   func(l *Location, a *asset)
		says string
	}{
		"a license appeared":      {func(_ *Location, a *asset) { a.assigned++ }, "assigned is"},
		"a license vanished":      {func(l *Location, _ *asset) { l.held = l.held[1:] }, "assigned is"},
		"total changed":           {func(_ *Location, a *asset) { a.total++ }, "total is"},
		"oversold":                {func(_ *Location, a *asset) { a.bought, a.total = 0, 0 }, "more licenses are assigned"},
		"a book was taken back":   {func(l *Location, _ *asset) { l.takeBack(time.Time{}, []*holding{l.held[0]}) }, "taken back"},
		"one user has it twice":   {giveAgain, "twice"},
		"generated, and given":    {giveGenerated, "twice"},
		"nothing (must be sound)": {func(*Location, *asset) {}, ""},
	} {
		l := libraryWithOneLicense(t)
		damage.do(l, l.assetOf[AssetKey{"1", STDQ}])
		err := l.Invariants()
		if damage.says == "" && err != nil || damage.says != "" && (err == nil || !strings.Contains(err.Error(), damage.says)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func giveAgain(l *Location, _ *asset) {
	l.hold(&holding{key: l.held[0].key, user: l.held[0].user})
}

func giveGenerated(l *Location, _ *asset) {
	title, reader := l.gen.row(0)
	l.hold(&holding{key: l.gen.key(title), user: l.reader(reader)})
}

func libraryWithOneLicense(t *testing.T) *Location {
	t.Helper()
	s, err := New(Options{Clock: world.NewVirtual(1, time.Unix(1e9, 0))})
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.AddLocation(LocationSpec{
		Name: "L", Stock: []Stock{{AdamID: "1", Total: 3}}, Generated: Generated{Titles: 2, Readers: 3, Licenses: 4},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.AddUser("u", "", "u@school.example"); err != nil {
		t.Fatal(err)
	}
	if err := l.GrantBySomeoneElse("1", STDQ, "u"); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestBooksSayWhatTheListingSays(t *testing.T) {
	l := libraryWithOneLicense(t)
	if err := l.Refund("1", STDQ, 1); err != nil {
		t.Fatal(err)
	}
	assigned := 0
	for _, b := range l.Books() {
		assigned += b.Assigned
		if b.AdamID == "1" && (b.Total != 2 || b.Available != 1 || b.Given != 1 || b.Refunded != 1) {
			t.Errorf("got %+v", b)
		}
	}
	if assigned != 5 {
		t.Errorf("%d are assigned, want 4 generated ones and 1", assigned)
	}
	ledger := l.Ledger()
	if len(ledger) != 1 || ledger[0].By != someoneElse || ledger[0].EventID != "" || ledger[0].UID != l.UID() {
		t.Errorf("the ledger says %+v", ledger)
	}
}

// Someone who has the standard edition by generation, and is given the other one, was spent upon twice.
func TestDoubleSpendsCountGeneratedLicenses(t *testing.T) {
	l := libraryWithOneLicense(t)
	title, reader := l.gen.row(0)
	id := l.gen.clientUserID(reader)
	if err := l.AddStock(Stock{AdamID: l.gen.key(title).AdamID, Pricing: PLUS, Total: 1}); err != nil {
		t.Fatal(err)
	}
	if err := l.GrantBySomeoneElse(l.gen.key(title).AdamID, PLUS, id); err != nil {
		t.Fatal(err)
	}
	found := l.server.DoubleSpends()
	if len(found) != 2 || found[0].Holder != id || len(found[0].Licenses) != 2 {
		t.Errorf("found %+v", found)
	}
}
