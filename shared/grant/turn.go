package grant

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/table"
)

// found is a license that a look has found to be given. It is small, and those of one wish share that: there may be
// millions of them.
type found struct {
	to string // personId
	by *order
}

// order is a wish for a book.
type order struct {
	asset  apple.AssetKey
	wishes string // the version of the book's wishes
	group  string // assign.Wish.GroupID: a group has one wish for the book
}

func (f found) title() apple.AssetKey { return f.by.asset }
func (f found) person() string        { return f.to }

// turn is a request to be, as it waits for its turn: each title for each of the people, under the wish by which the look
// found it.
type turn struct {
	Looked time.Time        `json:"looked"` // when the look began
	Titles []apple.AssetKey `json:"titles"`
	Wishes []string         `json:"wishes"` // the version of the wishes for each title: if it is another by now, they are others
	People []string         `json:"people"` // in the order in which stock is given out
	// Groups are those of the wishes: they are the same for many titles. Ways are, for each title, the group by its place
	// among them; Runs say how many of the people, one after another, come under which way. Most turns have one run.
	Groups []string `json:"groups"`
	Ways   [][]int  `json:"ways"`
	Runs   []run    `json:"runs"`
}

// run is so many people under one way.
type run struct {
	Way    int `json:"w"`
	People int `json:"n"`
}

// turnsOf are the requests in which what a look has found can be given.
func (g Granter) turnsOf(pairs []found, looked time.Time) ([]turn, error) {
	var turns []turn
	for _, b := range bundles(g.Limits, pairs) {
		fit, err := fitting(b, looked)
		if err != nil {
			return nil, err
		}
		turns = append(turns, fit...)
	}
	return turns, nil
}

// fitting are the turns of a bundle. One that is too large for an item is halved: its people come under many wishes, in turn.
func fitting(b bundle[found], looked time.Time) ([]turn, error) {
	t := newTurn(b, looked)
	text, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encoding a turn of %d people: %w", len(t.People), err)
	}
	if len(text) <= table.MaxBody || len(b.people) == 1 && len(b.titles) == 1 {
		return []turn{t}, nil
	}
	var turns []turn
	for _, half := range b.halves() {
		fit, err := fitting(half, looked)
		if err != nil {
			return nil, err
		}
		turns = append(turns, fit...)
	}
	return turns, nil
}

func newTurn(b bundle[found], looked time.Time) turn {
	t := turn{Looked: looked, Titles: b.titles, People: b.people}
	for _, p := range b.pairs[0] {
		t.Wishes = append(t.Wishes, p.by.wishes)
	}
	for _, pairs := range b.pairs {
		way := make([]int, len(pairs))
		for i, p := range pairs {
			way[i] = placeOf(&t.Groups, p.by.group, func(a, b string) bool { return a == b })
		}
		at := placeOf(&t.Ways, way, slices.Equal[[]int])
		if last := len(t.Runs) - 1; last >= 0 && t.Runs[last].Way == at {
			t.Runs[last].People++
		} else {
			t.Runs = append(t.Runs, run{at, 1})
		}
	}
	return t
}

// placeOf is where a value is in a list, at whose end it is put if need be.
func placeOf[T any](list *[]T, value T, equal func(a, b T) bool) int {
	i := slices.IndexFunc(*list, func(other T) bool { return equal(other, value) })
	if i < 0 {
		i = len(*list)
		*list = append(*list, value)
	}
	return i
}

// groups are those under whose wishes the people are to be given a title, by its place.
func (t turn) groups(title int) map[string]string {
	by := make(map[string]string, len(t.People))
	n := 0
	for _, r := range t.Runs {
		for _, person := range t.People[n : n+r.People] {
			by[person] = t.Groups[t.Ways[r.Way][title]]
		}
		n += r.People
	}
	return by
}

// has says that one of the books is in the turn.
func (t turn) has(books map[apple.AssetKey]bool) bool {
	return slices.ContainsFunc(t.Titles, func(a apple.AssetKey) bool { return books[a] })
}

// without is the turn without some books.
func (t turn) without(books map[apple.AssetKey]bool) turn {
	if !t.has(books) {
		return t
	}
	left := turn{Looked: t.Looked, People: t.People, Groups: t.Groups, Ways: make([][]int, len(t.Ways)), Runs: t.Runs}
	for i, asset := range t.Titles {
		if books[asset] {
			continue
		}
		left.Titles, left.Wishes = append(left.Titles, asset), append(left.Wishes, t.Wishes[i])
		for w := range t.Ways {
			left.Ways[w] = append(left.Ways[w], t.Ways[w][i])
		}
	}
	return left
}
