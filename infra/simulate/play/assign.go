package play

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/bookplate/bookplate/infra/simulate/judge"
)

// known is a book as the public list names it.
type known struct {
	ID      string `json:"id"`
	AdamID  string `json:"x_adamId"`
	Pricing string `json:"x_pricingParam"`
	UID     string `json:"x_locationId"`
}

func (k known) book() judge.Book { return judge.Book{UID: k.UID, AdamID: k.AdamID, Pricing: k.Pricing} }

// books are all books that the product lists. It is asked now and then: books come and never go.
func (p *Play) books() []known {
	if len(p.listed) > 0 && p.steps < p.listAgain && !p.weather.over {
		return p.listed
	}
	p.listAgain = p.steps + 20
	var page struct{ Value []known }
	_ = json.Unmarshal(p.get("/deviceAppManagement/managedEBooks?$top=100"), &page) // no answer: no books
	slices.SortFunc(page.Value, func(a, b known) int {
		switch {
		case a.UID+a.AdamID+a.Pricing < b.UID+b.AdamID+b.Pricing:
			return -1
		default:
			return 1
		}
	})
	p.listed = page.Value
	return page.Value
}

// assign replaces a book's assignments: by some groups, or by none.
func (p *Play) assign() {
	b, ok := pick(p, p.books(), func(known) bool { return true })
	if !ok || len(p.groups) == 0 {
		return
	}
	s := p.siteOf(b.UID)
	if s.wishing[b.ID] {
		return // one at a time
	}
	next := map[string]bool{}
	for _, g := range p.groups {
		if p.script.IntN(5) > 1 {
			next[g.id] = p.script.IntN(8) > 0
		}
	}
	p.replace(s, b, next)
}

type target struct {
	Type  string `json:"@odata.type"`
	Group string `json:"groupId"`
}

type wish struct {
	Intent string `json:"installIntent"`
	Target target `json:"target"`
}

// replace makes the book required (true) or available (false) for groups.
func (p *Play) replace(s *site, b known, next map[string]bool) {
	list := []wish{}
	for _, g := range slices.Sorted(maps.Keys(next)) {
		intent := "available"
		if next[g] {
			intent = "required"
		}
		list = append(list, wish{intent, target{"#microsoft.graph.groupAssignmentTarget", g}})
	}
	body, err := json.Marshal(map[string]any{"managedEBookAssignments": list})
	must(err)
	s.wishing[b.ID] = true
	for _, g := range p.groups {
		p.judge.Facts.Begin(judge.Wish(b.book(), g.id), next[g.id])
	}
	p.want(fmt.Sprintf("%s %s of %s is assigned: %s", b.AdamID, b.Pricing, b.UID, body),
		func(_ context.Context, process *process) error {
			code, answer := send(process.assignments, http.MethodPost, "/deviceAppManagement/managedEBooks/"+b.ID+"/assign",
				string(body))
			if code != http.StatusNoContent {
				return fmt.Errorf("status %d: %s", code, answer)
			}
			return nil
		}, func() {
			s.wishing[b.ID] = false
			for _, g := range p.groups {
				p.judge.Done(judge.Wish(b.book(), g.id), next[g.id])
			}
		})
}

func (p *Play) siteOf(uid string) *site {
	for _, s := range p.sites {
		if s.UID() == uid {
			return s
		}
	}
	panic("a book is of no location")
}

// reasons counts why people wait, as one book's public answer says at this moment.
func (p *Play) reasons() {
	books := p.books()
	if len(books) == 0 || p.steps%3 != 0 {
		return
	}
	for _, g := range p.judge.Grants(books[p.chaos.IntN(len(books))].ID) {
		if g.Reason != "" {
			p.count("reason: " + g.Reason)
		}
	}
}
