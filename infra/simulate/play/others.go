package play

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bookplate/bookplate/infra/simulate/judge"
)

// accept: somebody follows their invitation, with their own account.
func (p *Play) accept() {
	s, _ := pick(p, p.sites, func(*site) bool { return true })
	for user := range s.Users() {
		person := p.judge.PersonOf(s.UID(), user.ClientUserID)
		if user.Status == "Registered" && user.InviteCode != "" && person != "" && p.script.IntN(2) == 0 {
			account := "own-" + person + "@mail.example"
			p.later = append(p.later, func() {
				if s.AcceptInvitation(user.InviteCode, account) == nil {
					p.judge.Account(person, account)
					p.tell(true, "person %s accepts the invitation of %s", person, s.UID())
				}
			})
		}
	}
	for _, do := range p.later { // Users holds the fake's lock
		do()
	}
	p.later = nil
}

func (p *Play) anyBook() (*site, judge.Book, int, bool) {
	s, _ := pick(p, p.sites, func(*site) bool { return true })
	all := s.Books()
	if len(all) == 0 {
		return nil, judge.Book{}, 0, false
	}
	b := all[p.script.IntN(len(all))]
	return s, judge.Book{UID: s.UID(), AdamID: b.AdamID, Pricing: b.PricingParam}, b.Total, true
}

func (p *Play) purchase() {
	if s, b, total, ok := p.anyBook(); ok && total < 1000 {
		n := 1 + p.script.IntN(6)
		must(s.Purchase(b.AdamID, b.Pricing, n))
		p.tell(true, "%d of %s %s are bought at %s", n, b.AdamID, b.Pricing, b.UID)
	}
}

// refund takes licenses out of the stock, or one from its holder.
func (p *Play) refund() {
	s, b, total, ok := p.anyBook()
	if !ok || total > 1000 || total == 0 {
		return
	}
	p.judge.Shrunk(b)
	if p.script.IntN(2) == 0 {
		n := 1 + p.script.IntN(total)
		must(s.Refund(b.AdamID, b.Pricing, n))
		p.tell(true, "%d of %s %s are refunded at %s", n, b.AdamID, b.Pricing, b.UID)
		return
	}
	holder := ""
	for l := range s.Licenses() {
		if l.AdamID == b.AdamID && l.PricingParam == b.Pricing {
			holder = l.ClientUserID
		}
	}
	if holder != "" {
		must(s.RefundFrom(b.AdamID, b.Pricing, holder))
		p.tell(true, "%s %s of %s is refunded at %s", b.AdamID, b.Pricing, holder, b.UID)
	}
}

// gift: somebody else gives a license to a reader, ours or another one.
func (p *Play) gift() {
	s, b, _, ok := p.anyBook()
	if !ok {
		return
	}
	var readers []string
	for user := range s.Users() {
		if user.Status == "Associated" {
			readers = append(readers, user.ClientUserID)
		}
	}
	if len(readers) == 0 {
		return
	}
	who := readers[p.script.IntN(len(readers))]
	if s.GrantBySomeoneElse(b.AdamID, b.Pricing, who) == nil {
		p.judge.Shrunk(b)
		p.tell(true, "somebody else gives %s %s to %s at %s", b.AdamID, b.Pricing, who, b.UID)
	}
}

// foreignReader: another product makes a reader for somebody's account, before us or beside us.
func (p *Play) foreignReader() {
	s, b, _, ok := p.anyBook()
	x, there := pick(p, p.people, func(x *person) bool { return strings.HasSuffix(x.account, "@"+domain) })
	if !ok || !there {
		return
	}
	id := fmt.Sprint("foreign-", p.steps, "-", x.n)
	for user := range s.Users() {
		if strings.EqualFold(user.Account, x.account) {
			return // one account with two active readers isn't what Apple has
		}
	}
	if s.AddUser(id, "", x.account) != nil {
		return
	}
	p.tell(true, "another product makes the reader %s for %s at %s", id, x.account, s.UID())
	if s.GrantBySomeoneElse(b.AdamID, b.Pricing, id) == nil {
		p.judge.Shrunk(b)
		p.tell(true, "and gives it %s %s", b.AdamID, b.Pricing)
	}
}

func (p *Play) changeLimits() {
	before := p.limits
	p.limits.MaxAssets, p.limits.MaxClientUserIDs = 1+p.script.IntN(4), 1+p.script.IntN(8)
	p.apple.SetLimits(p.limits)
	p.tell(true, "limits: %d titles, %d readers", p.limits.MaxAssets, p.limits.MaxClientUserIDs)
	if p.limits.MaxAssets < before.MaxAssets || p.limits.MaxClientUserIDs < before.MaxClientUserIDs {
		p.count("fault: " + limitsShrink)
	}
}

func (p *Play) dropWakes() {
	p.wakes = nil
	p.tell(true, "all wakes are lost")
	p.count("fault: " + wakeDropped)
}

// linkElsewhere: an account turns out to be linked to somebody unknown.
func (p *Play) linkElsewhere() {
	x, ok := pick(p, p.people, func(x *person) bool { return strings.HasSuffix(x.account, "@"+domain) && x.id == "" || x.busy })
	s, _ := pick(p, p.sites, func(*site) bool { return true })
	if ok && x.account != "" {
		must(s.LinkElsewhere(x.account))
		p.tell(true, "the account %s is linked elsewhere at %s", x.account, s.UID())
	}
}

// retireByOthers: somebody else retires a reader of ours.
func (p *Play) retireByOthers() {
	s, _ := pick(p, p.sites, func(*site) bool { return true })
	var ids []string
	for user := range s.Users() {
		if user.Status == "Associated" {
			ids = append(ids, user.ClientUserID)
		}
	}
	slices.Sort(ids)
	if len(ids) == 0 || s.Token() == "" {
		return
	}
	p.retire(s, ids[p.script.IntN(len(ids))])
}
