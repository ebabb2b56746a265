package grant

import (
	"slices"
	"strings"

	"github.com/bookplate/bookplate/shared/apple"
)

// pairing is a title for a person, whatever else is known of it.
type pairing interface {
	title() apple.AssetKey
	person() string
}

// bundle is each of the titles for each of the people: what one request can ask for.
type bundle[P pairing] struct {
	titles []apple.AssetKey
	people []string
	pairs  [][]P // of each of the people, in the order of the titles
}

// bundles puts pairs together into as few requests as can be: people who lack the same set of titles share requests, as
// many titles and people each as Apple allows now. People stay in the order in which they first appear.
func bundles[P pairing](limits apple.Limits, pairs []P) []bundle[P] {
	sets := byPerson(pairs)
	shared := make(map[string][]int) // set of titles to places in sets
	var names []string
	for i, set := range sets {
		name := setName(set)
		if _, ok := shared[name]; !ok {
			names = append(names, name)
		}
		shared[name] = append(shared[name], i)
	}
	var all []bundle[P]
	for _, name := range names {
		for people := range slices.Chunk(shared[name], max(limits.MaxClientUserIDs, 1)) {
			size, step := len(sets[people[0]]), max(limits.MaxAssets, 1)
			for from := 0; from < size; from += step {
				all = append(all, newBundle(sets, people, from, min(from+step, size)))
			}
		}
	}
	return all
}

// byPerson are the pairs of each person, by adamId.
func byPerson[P pairing](pairs []P) [][]P {
	at := make(map[string]int) // places in sizes
	var sizes []int
	for _, p := range pairs {
		i, known := at[p.person()]
		if !known {
			i = len(sizes)
			at[p.person()], sizes = i, append(sizes, 0)
		}
		sizes[i]++
	}
	room := make([]P, len(pairs))
	sets := make([][]P, len(sizes))
	for i, size := range sizes {
		sets[i], room = room[:0:size], room[size:]
	}
	for _, p := range pairs {
		i := at[p.person()]
		sets[i] = append(sets[i], p)
	}
	for _, set := range sets {
		slices.SortStableFunc(set, func(a, b P) int { return strings.Compare(a.title().AdamID, b.title().AdamID) })
	}
	return sets
}

func setName[P pairing](set []P) string {
	var name strings.Builder
	for _, p := range set {
		name.WriteString(p.title().AdamID + "#" + p.title().PricingParam + " ")
	}
	return name.String()
}

// newBundle is made of some of the sets, which are of the same titles, and of these titles from one place to another.
func newBundle[P pairing](sets [][]P, some []int, from, to int) bundle[P] {
	var b bundle[P]
	for _, p := range sets[some[0]][from:to] {
		b.titles = append(b.titles, p.title())
	}
	for _, i := range some {
		b.people = append(b.people, sets[i][0].person())
		b.pairs = append(b.pairs, sets[i][from:to])
	}
	return b
}

// halves are the two halves of a bundle: by people, or by titles if there is one person.
func (b bundle[P]) halves() [2]bundle[P] {
	halves := [2]bundle[P]{b, b}
	if n := len(b.people) / 2; n > 0 {
		halves[0].people, halves[1].people = b.people[:n], b.people[n:]
		halves[0].pairs, halves[1].pairs = b.pairs[:n], b.pairs[n:]
		return halves
	}
	n := len(b.titles) / 2
	halves[0].titles, halves[1].titles = b.titles[:n], b.titles[n:]
	halves[0].pairs, halves[1].pairs = [][]P{b.pairs[0][:n]}, [][]P{b.pairs[0][n:]}
	return halves
}
