package applefake

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// Generated is bulk content, as if someone else had given the licenses before. It is computed from the seed whenever it is
// asked for and never stored, except for the counts of its titles. Pages of a listing cost their own rows only, but
// with excludeInactiveUsers or pricingParam alone every page goes through all of them.
type Generated struct {
	Titles   int
	Readers  int
	Licenses int // spread unevenly; at most Titles × Readers
	Spare    int // unassigned licenses of a title, on the average; 0: 20; below zero: none
}

const (
	generatedAdamID = 1400000000 // of the first generated title; the others follow
	plusEvery       = 25         // so many generated titles have one that is also stocked as PLUS
)

// generator computes generated content. A title's licenses are one contiguous range of rows, and its k-th license belongs
// to the reader (shift + k·stride) mod readers: with a stride coprime to the number of readers no reader has a title twice,
// and both directions, the reader of a row and the row of a reader, cost one multiplication.
type generator struct {
	Generated
	ids     opaque
	seed    uint64
	domain  string
	starts  []int // starts[t]: the first row of title t; one more at the end
	stride  int
	inverse int // of stride, modulo Readers
}

func newGenerator(spec Generated, seed uint64, ids opaque, domains []string) (generator, error) {
	g := generator{Generated: spec, ids: ids, seed: seed, domain: "generated.example"}
	if len(domains) > 0 {
		g.domain = strings.ToLower(domains[0])
	}
	if spec.Titles < 0 || spec.Readers < 0 || spec.Licenses < 0 || spec.Licenses > spec.Titles*spec.Readers {
		return g, errors.New("generated licenses exceed titles × readers")
	}
	switch {
	case spec.Spare == 0:
		g.Spare = 20
	case spec.Spare < 0:
		g.Spare = 0
	}
	g.starts = g.spread()
	g.stride, g.inverse = coprime(max(spec.Readers, 1))
	return g, nil
}

// spread cuts the licenses into the titles' ranges, unevenly, as popularity is.
func (g *generator) spread() []int {
	counts, weight := make([]int, g.Titles), 0
	for t := range counts {
		counts[t] = 1 + int(g.hash(uint64(t))%9)
		weight += counts[t]
	}
	left := g.Licenses
	for t := range counts {
		counts[t] = min(g.Licenses*counts[t]/weight, g.Readers)
		left -= counts[t]
	}
	for left > 0 {
		share := (left + g.Titles - 1) / g.Titles
		for t := range counts {
			more := min(share, g.Readers-counts[t], left)
			counts[t] += more
			left -= more
		}
	}
	starts := make([]int, g.Titles+1)
	for t, n := range counts {
		starts[t+1] = starts[t] + n
	}
	return starts
}

// coprime chooses a stride near the golden section of n, so that neighbors are far apart, and its inverse modulo n.
func coprime(n int) (stride, inverse int) {
	for stride = max(n*618/1000, 1); ; stride++ {
		a, b, x, y := stride%n, n, 1, 0
		if n == 1 {
			return 1, 1
		}
		for b != 0 {
			q := a / b
			a, b, x, y = b, a-q*b, y, x-q*y
		}
		if a == 1 {
			return stride, (x%n + n) % n
		}
	}
}

// hash spreads numbers; with the seed, and not for secrets.
func (g *generator) hash(n uint64) uint64 {
	n += g.seed*0x9e3779b97f4a7c15 + 0x632be59bd9b4e019
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

func (g *generator) shift(title int) int { return int(g.hash(uint64(title)<<20) % uint64(g.Readers)) }

// row is the title and the reader of a generated license.
func (g *generator) row(i int) (title, reader int) {
	title = sort.Search(g.Titles, func(t int) bool { return g.starts[t+1] > i })
	return title, (g.shift(title) + (i-g.starts[title])*g.stride) % g.Readers
}

// rowOf is the generated license of a title that a reader has.
func (g *generator) rowOf(title, reader int) (int, bool) {
	k := (reader - g.shift(title) + g.Readers) % g.Readers * g.inverse % g.Readers
	return g.starts[title] + k, k < g.starts[title+1]-g.starts[title]
}

// titleOf is the number of a generated title.
func (g *generator) titleOf(adamID string) (int, bool) {
	n, err := strconv.Atoi(adamID)
	n -= generatedAdamID
	return n, err == nil && n >= 0 && n < g.Titles
}

func (g *generator) key(title int) AssetKey {
	return AssetKey{AdamID: strconv.Itoa(generatedAdamID + title), PricingParam: STDQ}
}

func (g *generator) assets() []*asset {
	var all []*asset
	for t := range g.Titles {
		assigned, spare := g.starts[t+1]-g.starts[t], int(g.hash(uint64(t)<<40)%uint64(2*g.Spare+1))
		a := newAsset(Stock{AdamID: g.key(t).AdamID, Pricing: STDQ, Total: assigned + spare})
		a.assigned = assigned
		all = append(all, a)
		if t%plusEvery == plusEvery-1 {
			all = append(all, newAsset(Stock{AdamID: g.key(t).AdamID, Pricing: PLUS, Total: spare}))
		}
	}
	return all
}

func (g *generator) clientUserID(reader int) string { return g.ids.uuid(kindReader, uint64(reader)) }

func (g *generator) address(reader int) string { return fmt.Sprintf("reader%07d@%s", reader, g.domain) }

// reader is a generated reader as made: most are associated, some still registered, some already retired.
func (g *generator) reader(i int) *record {
	r := &record{clientUserID: g.clientUserID(i), email: g.address(i), gen: i, status: Associated}
	switch i % 50 {
	case 7:
		r.status, r.invite = Registered, g.ids.code(kindReaderInvite, uint64(i))
	case 23:
		r.status, r.account = Retired, g.address(i)
	default:
		r.account = g.address(i)
	}
	return r
}

// byID, byAccount and byInvite find the number of a generated reader.
func (g *generator) byID(clientUserID string) (int, bool) {
	n, ok := g.ids.openUUID(kindReader, clientUserID)
	return int(n), ok && n < uint64(g.Readers)
}

func (g *generator) byInvite(code string) (int, bool) {
	n, ok := g.ids.openHex(kindReaderInvite, code)
	return int(n), ok && n < uint64(g.Readers) && g.reader(int(n)).invite == code
}

func (g *generator) byAccount(address string) (int, bool) {
	digits, ok := strings.CutPrefix(address, "reader")
	digits, _, _ = strings.Cut(digits, "@")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 || n >= g.Readers {
		return 0, false
	}
	return n, g.reader(n).account == address
}
