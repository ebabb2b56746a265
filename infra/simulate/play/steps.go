package play

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/infra/simulate/judge"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/problem"
)

const (
	mostPeople = 12
	mostGroups = 3
)

// open sets the scene: groups with people, and a token of each location.
func (p *Play) open() {
	p.nextSweep, p.nextSync = Start.Add(5*time.Minute), Start.Add(12*time.Hour)
	for range 1 + p.script.IntN(mostGroups) {
		p.found()
	}
	for range 3 + p.script.IntN(7) {
		p.join()
	}
	for _, s := range p.sites {
		if p.script.IntN(8) == 0 {
			must(s.TakeOver(&other))
			s.foreign = true
			p.tell(true, "another product manages %s", s.UID())
		}
		p.upload(s, false)
	}
	over := p.weather.over
	p.weather.over = p.script.IntN(2) == 0 // half of the plays get ready undisturbed
	p.tableFaults()
	p.gather()
	for range 4 { // as soon as there are books, somebody assigns them
		p.pass(time.Minute)
		p.assign()
	}
	p.pass(16 * time.Minute)
	p.weather.over = over
	p.tableFaults()
	p.gather()
}

// gather puts half of the people into groups.
func (p *Play) gather() {
	for _, x := range p.people {
		for _, g := range p.groups {
			if p.script.IntN(3) == 0 {
				p.member(g, x, true)
			}
		}
	}
}

// step is one thing that somebody does.
func (p *Play) step() {
	steps := []struct {
		weight int
		do     func()
	}{
		{18, p.assign},
		{6, p.amend},
		{8, p.request},
		{6, p.approve},
		{18, p.move},
		{3, p.newcomer},
		{3, p.disable},
		{2, p.leave},
		{3, p.comeBack},
		{3, p.rename},
		{4, p.accountAppears},
		{5, p.accept},
		{7, p.purchase},
		{3, p.refund},
		{4, p.gift},
		{2, p.foreignReader},
		{3, p.takeOver},
		{8, p.resume},
		{2, p.breakToken},
		{4, p.renew},
		{3, p.claim},
		{3, p.changeLimits},
		{6, p.orderSync},
		{2, p.dropWakes},
		{2, p.retireByOthers},
		{3, p.retireByOrder},
		{4, p.restore},
		{1, p.deleteToken},
		{4, p.uploadAgain},
		{1, p.linkElsewhere},
		{6, func() {}},
	}
	all := 0
	for _, s := range steps {
		all += s.weight
	}
	n := p.script.IntN(all)
	for _, s := range steps {
		if n -= s.weight; n < 0 {
			s.do()
			return
		}
	}
}

// found makes a group.
func (p *Play) found() {
	g := &group{members: map[*person]bool{}}
	name := fmt.Sprint("Group ", len(p.groups)+1)
	id := ""
	p.want("group "+name, func(ctx context.Context, s *process) error {
		made, err := s.directory.CreateGroup(ctx, directory.Group{DisplayName: name}, directory.Membership{})
		id = made.ID
		return err
	}, func() {
		g.id = id
		p.groups = append(p.groups, g)
		p.judge.Groups = append(p.judge.Groups, id)
	})
}

func pick[T any](p *Play, all []T, fits func(T) bool) (one T, ok bool) {
	var fit []T
	for _, x := range all {
		if fits(x) {
			fit = append(fit, x)
		}
	}
	if len(fit) == 0 {
		return one, false
	}
	return fit[p.script.IntN(len(fit))], true
}

func settled(x *person) bool { return x.id != "" && !x.busy }
func present(x *person) bool { return settled(x) && !x.deleted }

// move puts somebody into a group, or takes them out.
func (p *Play) move() {
	x, ok := pick(p, p.people, present)
	g, there := pick(p, p.groups, func(*group) bool { return true })
	if ok && there {
		p.member(g, x, !g.members[x] || p.script.IntN(3) == 0)
	}
}

// part takes somebody out of a group.
func (p *Play) part() {
	if x, ok := pick(p, p.people, p.somewhere); ok {
		g, _ := pick(p, p.groups, func(g *group) bool { return g.members[x] })
		p.member(g, x, false)
	}
}

// somewhere says that somebody is in a group.
func (p *Play) somewhere(x *person) bool {
	return present(x) && slices.ContainsFunc(p.groups, func(g *group) bool { return g.members[x] })
}

func (p *Play) member(g *group, x *person, in bool) {
	if !present(x) || g.members[x] == in {
		return
	}
	var m directory.Membership
	what := "leaves"
	if in {
		m.Add(directory.Member{ID: x.id})
		what = "joins"
	} else {
		m.Remove(x.id)
	}
	x.busy = true
	key := judge.Member(g.id, x.id)
	p.judge.Facts.Begin(key, in)
	p.want(fmt.Sprintf("person %d (%s) %s group %s", x.n, x.id, what, g.id), func(ctx context.Context, s *process) error {
		_, err := s.directory.ChangeGroup(ctx, g.id, "", func(*directory.Group) error { return nil }, m)
		return err
	}, func() {
		x.busy, g.members[x] = false, in
		p.judge.Done(key, in)
	})
}

func (p *Play) newcomer() {
	if len(p.people) < mostPeople {
		p.join()
	}
}

// edit changes a person in the directory.
func (p *Play) edit(x *person, what string, change func(*directory.Person), done func()) {
	x.busy = true
	p.want(fmt.Sprintf("person %d (%s) %s", x.n, x.id, what), func(ctx context.Context, s *process) error {
		_, err := s.directory.ChangePerson(ctx, x.id, "", func(d *directory.Person) error { change(d); return nil })
		return err
	}, func() { x.busy = false; done() })
}

func (p *Play) disable() {
	if x, ok := pick(p, p.people, present); ok {
		p.toggle(x)
	}
}

// bar disables somebody who is in a group.
func (p *Play) bar() {
	if x, ok := pick(p, p.people, func(x *person) bool { return x.active && p.somewhere(x) }); ok {
		p.toggle(x)
	}
}

func (p *Play) toggle(x *person) {
	next := !x.active
	what := map[bool]string{true: "is enabled", false: "is disabled"}[next]
	p.judge.Facts.Begin(judge.Active(x.id), next)
	p.edit(x, what, func(d *directory.Person) { d.Active = next }, func() {
		x.active = next
		p.judge.Done(judge.Active(x.id), next)
	})
}

// leave deletes somebody from the directory, and so from their groups.
func (p *Play) leave() {
	x, ok := pick(p, p.people, present)
	if !ok {
		return
	}
	x.busy = true
	p.judge.Facts.Begin(judge.Active(x.id), false)
	for _, g := range p.groups {
		p.judge.Facts.Begin(judge.Member(g.id, x.id), false)
	}
	p.want(fmt.Sprintf("person %d (%s) is deleted", x.n, x.id), func(ctx context.Context, s *process) error {
		err := s.directory.DeletePerson(ctx, x.id, "")
		if problem.KindOf(err) == problem.NotFound {
			return nil
		}
		return err
	}, func() {
		x.busy, x.deleted, x.active = false, true, false
		p.judge.Done(judge.Active(x.id), false)
		for _, g := range p.groups {
			delete(g.members, x)
			p.judge.Done(judge.Member(g.id, x.id), false)
		}
	})
}

func (p *Play) comeBack() {
	if x, ok := pick(p, p.people, func(x *person) bool { return settled(x) && x.deleted }); ok {
		p.create(x, "comes back")
	}
}

func (p *Play) rename() {
	x, ok := pick(p, p.people, func(x *person) bool { return present(x) && x.account != x.name })
	if !ok {
		return
	}
	x.name = fmt.Sprintf("p%02d.%d@elsewhere.example", x.n, p.steps)
	p.edit(x, "is renamed "+x.name, func(d *directory.Person) { d.UserName = x.name }, func() {})
}

// accountAppears: a Managed Apple Account comes later, in the directory or at Apple.
func (p *Play) accountAppears() {
	x, ok := pick(p, p.people, func(x *person) bool { return present(x) && !strings.HasSuffix(x.account, "@"+domain) })
	if !ok {
		return
	}
	if x.account != "" {
		for _, s := range p.sites {
			must(s.AddManagedAccount(x.account))
		}
		p.tell(true, "the account %s appears at Apple", x.account)
		return
	}
	x.account = fmt.Sprintf("later%02d@%s", x.n, domain)
	p.judge.Account(x.id, x.account)
	p.edit(x, "has the account "+x.account, func(d *directory.Person) { d.ManagedAppleAccount = x.account }, func() {})
}
