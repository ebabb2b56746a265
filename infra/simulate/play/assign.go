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

func (k known) String() string { return k.AdamID + " " + k.Pricing + " of " + k.UID }

func (k known) path() string { return "/deviceAppManagement/managedEBooks/" + k.ID }

// wishes say for which groups a book is required (true) or available (false).
type wishes map[string]bool

// books are all books that the product lists. It is asked now and then, until it lists all: books come and never go.
func (p *Play) books() []known {
	if len(p.listed) == p.stocked || len(p.listed) > 0 && p.steps < p.listAgain && !p.weather.over {
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

// idOf is a book's id in public.
func (p *Play) idOf(b judge.Book) string {
	for _, k := range p.books() {
		if k.book() == b {
			return k.ID
		}
	}
	return ""
}

// freeBook is a book at whose assignments nobody is: one at a time.
func (p *Play) freeBook() (*site, known, bool) {
	b, ok := pick(p, p.books(), func(known) bool { return true })
	if !ok || len(p.groups) == 0 {
		return nil, known{}, false
	}
	s := p.siteOf(b.UID)
	return s, b, !s.busy[b.ID]
}

// assign replaces a book's assignments: by some groups, by everybody, or by none.
func (p *Play) assign() {
	s, b, ok := p.freeBook()
	if !ok {
		return
	}
	next := wishes{}
	for _, g := range p.groups {
		if p.script.IntN(5) > 1 {
			next[g.id] = p.required()
		}
	}
	if p.script.IntN(12) == 0 {
		next[judge.Everybody] = p.required()
	}
	body := list(next)
	p.wish(s, b, next, "is assigned: "+body, func(process *process) error {
		code, answer := send(process.assignments, administrator, http.MethodPost, b.path()+"/assign", body)
		if code != http.StatusNoContent {
			return fmt.Errorf("status %d: %s", code, answer)
		}
		return nil
	})
}

func (p *Play) required() bool { return p.script.IntN(4) > 0 }

// amend takes one of a book's assignments away, or adds one.
func (p *Play) amend() {
	s, b, ok := p.freeBook()
	if !ok {
		return
	}
	next := maps.Clone(s.wishes[b.ID])
	if next == nil {
		next = wishes{}
	}
	group := p.groups[p.script.IntN(len(p.groups))].id
	if p.script.IntN(10) == 0 {
		group = judge.Everybody
	}
	if _, there := next[group]; there {
		delete(next, group)
		p.wish(s, b, next, "is no longer assigned to "+group, func(process *process) error { return p.remove(process, b, group) })
		return
	}
	next[group] = p.required()
	body, err := json.Marshal(wishFor(group, next[group]))
	must(err)
	p.wish(s, b, next, "is assigned besides: "+string(body), func(process *process) error {
		code, answer := send(process.assignments, administrator, http.MethodPost, b.path()+"/assignments", string(body))
		if code != http.StatusCreated {
			return fmt.Errorf("status %d: %s", code, answer)
		}
		p.count("done: an assignment is added")
		return nil
	})
}

// remove deletes the assignment of a book to a group.
func (p *Play) remove(process *process, b known, group string) error {
	there, err := assignmentsOf(process, b)
	for _, one := range there {
		if one.Target != targetOf(group) {
			continue
		}
		code, answer := send(process.assignments, administrator, http.MethodDelete, b.path()+"/assignments/"+one.ID, "")
		if code != http.StatusNoContent {
			return fmt.Errorf("status %d: %s", code, answer)
		}
		p.count("done: an assignment is removed")
	}
	return err
}

// assignment is one of a book's, as the product shows it.
type assignment struct {
	ID       string
	Target   target
	Approval string `json:"x_approval"`
	Plan     string `json:"x_planId"`
}

func assignmentsOf(process *process, b known) ([]assignment, error) {
	code, answer := send(process.assignments, administrator, http.MethodGet, b.path()+"/assignments", "")
	var there struct{ Value []assignment }
	if err := json.Unmarshal([]byte(answer), &there); err != nil || code != http.StatusOK {
		return nil, fmt.Errorf("status %d: %s", code, answer)
	}
	return there.Value, nil
}

type target struct {
	Type  string `json:"@odata.type"`
	Group string `json:"groupId,omitempty"`
}

func targetOf(group string) target {
	if group == judge.Everybody {
		return target{Type: "#microsoft.graph.allLicensedUsersAssignmentTarget"}
	}
	return target{"#microsoft.graph.groupAssignmentTarget", group}
}

type wish struct {
	Intent string `json:"installIntent"`
	Target target `json:"target"`
}

func wishFor(group string, required bool) wish {
	return wish{map[bool]string{true: "required", false: "available"}[required], targetOf(group)}
}

// list is a body that says all assignments of a book.
func list(all wishes) string {
	asks := []wish{}
	for _, group := range slices.Sorted(maps.Keys(all)) {
		asks = append(asks, wishFor(group, all[group]))
	}
	body, err := json.Marshal(map[string]any{"managedEBookAssignments": asks})
	must(err)
	return string(body)
}

// wish makes next the assignments of a book, as do does it, and notes for the judge what that means.
func (p *Play) wish(s *site, b known, next wishes, what string, do func(*process) error) {
	s.busy[b.ID] = true
	each := func(note func(key string, value bool)) {
		for _, group := range append(p.groupIDs(), judge.Everybody) {
			required, named := next[group]
			note(judge.Wish(b.book(), group), named && required)
			note(judge.Offer(b.book(), group), named && !required)
		}
	}
	each(p.judge.Facts.Begin)
	p.want(b.String()+" "+what, func(_ context.Context, process *process) error { return do(process) }, func() {
		before, was := s.wishes[b.ID][judge.Everybody]
		after, is := next[judge.Everybody]
		s.busy[b.ID], s.wishes[b.ID] = false, next
		each(p.judge.Done)
		if !was || !is || before != after {
			p.judge.Done(judge.Approved(b.book()), false)
		}
	})
}

func (p *Play) groupIDs() (ids []string) {
	for _, g := range p.groups {
		ids = append(ids, g.id)
	}
	return ids
}

func (p *Play) siteOf(uid string) *site {
	for _, s := range p.sites {
		if s.UID() == uid {
			return s
		}
	}
	panic("a book is of no location")
}

// stops counts those whom a book's public answer tells that its location has stopped: that isn't stored.
func (p *Play) stops() {
	books := p.books()
	if len(books) == 0 || p.steps%10 != 0 {
		return
	}
	for _, g := range p.judge.Grants(books[p.chaos.IntN(len(books))].ID) {
		if g.Reason == "stopped" {
			p.count("reason: stopped")
		}
	}
}
