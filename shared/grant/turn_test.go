package grant

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

func assetNo(n int) apple.AssetKey {
	return apple.AssetKey{AdamID: fmt.Sprintf("%09d", 900000001+n), PricingParam: apple.PricingSTDQ}
}

// wished are titles for people, each by the wish that by names.
func wished(titles, people int, by func(title, person int) string) (pairs []found) {
	for t := range titles {
		for p := range people {
			pairs = append(pairs, found{fmt.Sprintf("00000000-0000-4000-8000-%012d", p), &order{assetNo(t), "v", by(t, p)}})
		}
	}
	return pairs
}

// asFound are the pairs of turns with their wishes.
func asFound(t *testing.T, turns []turn) map[found]string {
	t.Helper()
	pairs := map[found]string{}
	for _, one := range turns {
		for i, asset := range one.Titles {
			for person, wish := range one.groups(i) {
				pairs[found{person + asset.AdamID, nil}] = wish
			}
		}
	}
	return pairs
}

func flat(pairs []found) map[found]string {
	all := map[found]string{}
	for _, p := range pairs {
		all[found{p.to + p.by.asset.AdamID, nil}] = p.by.group
	}
	return all
}

var granter = Granter{
	Limits: apple.Limits{MaxAssets: 25, MaxClientUserIDs: 1000}, World: world.NewVirtual(1, start).World(),
}

func TestATurnRemembersUnderWhichWishEachPairWasFound(t *testing.T) {
	for name, by := range map[string]func(title, person int) string{
		"one wish":              func(int, int) string { return "w" },
		"a group a title":       func(title, _ int) string { return fmt.Sprint("w", title) },
		"a group a class":       func(_, person int) string { return fmt.Sprint("w", person/30) },
		"by turns":              func(title, person int) string { return fmt.Sprint("w", (title+person)%2) },
		"one for some, by luck": func(title, person int) string { return fmt.Sprint("w", title*person%7) },
	} {
		t.Run(name, func(t *testing.T) {
			pairs := wished(3, 70, by)
			turns, err := granter.turnsOf(pairs, start)
			if err != nil || len(turns) != 1 {
				t.Fatalf("%d turns, %v; want one", len(turns), err)
			}
			text, err := json.Marshal(turns[0])
			if err != nil {
				t.Fatal(err)
			}
			var stored turn
			if err := json.Unmarshal(text, &stored); err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(asFound(t, []turn{stored}), flat(pairs)) {
				t.Errorf("%s", text)
			}
		})
	}
}

func TestATurnFitsAnItemWhateverTheWishesAre(t *testing.T) {
	for name, test := range map[string]struct {
		by    func(title, person int) string
		whole bool // one request takes it
	}{
		"a class comes under one wish": {func(_, person int) string {
			return fmt.Sprintf("00000000-0000-4000-8000-%012d", person/30)
		}, true},
		"everybody comes under others": {func(title, person int) string {
			return fmt.Sprintf("00000000-0000-4000-8000-%012d", (person*7+title*title)%200)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			pairs := wished(25, 1000, test.by)
			turns, err := granter.turnsOf(pairs, start)
			if err != nil || (len(turns) == 1) != test.whole {
				t.Errorf("%d turns, %v", len(turns), err)
			}
			if !maps.Equal(asFound(t, turns), flat(pairs)) {
				t.Error("the turns aren't what was found")
			}
			for _, one := range turns {
				if text, err := json.Marshal(one); err != nil || len(text) > table.MaxBody {
					t.Errorf("a turn has %d bytes, %v; an item takes %d", len(text), err, table.MaxBody)
				}
			}
		})
	}
}

func TestPeopleStayInTheOrderInWhichStockIsGivenOut(t *testing.T) {
	pairs := wished(2, 5, func(int, int) string { return "w" })
	slices.Reverse(pairs)
	turns, err := granter.turnsOf(pairs, start)
	if err != nil {
		t.Fatal(err)
	}
	if got := turns[0].People; !slices.IsSortedFunc(got, func(a, b string) int { return cmp.Compare(b, a) }) {
		t.Errorf("the people are %v", got)
	}
}

func TestATurnWithoutABookIsTheRestOfIt(t *testing.T) {
	pairs := wished(3, 4, func(title, person int) string { return fmt.Sprint("w", title, person%2) })
	turns, err := granter.turnsOf(pairs, start)
	if err != nil {
		t.Fatal(err)
	}
	left := without(turns, map[apple.AssetKey]bool{assetNo(1): true})
	want := flat(slices.DeleteFunc(slices.Clone(pairs), func(p found) bool { return p.by.asset == assetNo(1) }))
	if !maps.Equal(asFound(t, left), want) {
		t.Errorf("left: %+v", left)
	}
	all := map[apple.AssetKey]bool{assetNo(0): true, assetNo(1): true, assetNo(2): true}
	if left := without(turns, all); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
	if !maps.Equal(asFound(t, turns), flat(pairs)) {
		t.Error("the turns that it was taken from are changed too")
	}
}
