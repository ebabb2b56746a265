package play

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bookplate/bookplate/infra/simulate/judge"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/problem"
)

// person is somebody in the script.
type person struct {
	n       int
	id      string // once the directory knows them
	name    string
	account string // Managed Apple Account that the provider says
	active  bool
	deleted bool
	busy    bool
}

type group struct {
	id      string
	members map[*person]bool
}

// change is something that somebody wants of the product, again and again until they are told that it is done.
type change struct {
	what string
	do   func(context.Context, *process) error
	done func()
}

// want does a change, now and whenever it has failed.
func (p *Play) want(what string, do func(context.Context, *process) error, done func()) {
	p.tell(true, "%s", what)
	c := &change{what, do, done}
	p.changes = append(p.changes, c)
	p.attempt(c)
}

func (p *Play) attempt(c *change) {
	if !slices.Contains(p.changes, c) {
		return
	}
	if err := p.run("desk", c.do); err != nil {
		p.tell(true, "%s: failed, to be repeated: %v", c.what, err)
		return
	}
	if i := slices.Index(p.changes, c); i >= 0 {
		p.changes = slices.Delete(p.changes, i, i+1)
		c.done()
	}
}

// retry repeats what has failed.
func (p *Play) retry() {
	if p.depth > 0 {
		return // one thing at a time: whoever is at it has frozen
	}
	for _, c := range slices.Clone(p.changes) {
		p.attempt(c)
	}
}

// join adds a person: with a Managed Apple Account, without one, or with one that Apple doesn't know.
func (p *Play) join() {
	x := &person{n: len(p.people) + 1, active: true, busy: true}
	switch p.script.IntN(5) {
	case 0, 1, 2:
		x.name = fmt.Sprintf("p%02d@%s", x.n, domain)
		x.account = x.name
	case 3:
		x.name = fmt.Sprintf("p%02d@elsewhere.example", x.n)
	default:
		x.name = fmt.Sprintf("p%02d@elsewhere.example", x.n)
		x.account = fmt.Sprintf("p%02d@late.example", x.n)
	}
	p.people = append(p.people, x)
	p.create(x, "joins")
}

// create adds a person to the directory, or brings them back.
func (p *Play) create(x *person, what string) {
	wanted := directory.Person{
		UserName: x.name, DisplayName: fmt.Sprint("Person ", x.n), Active: true, ExternalID: fmt.Sprint("x", x.n),
	}
	if x.account != x.name {
		wanted.ManagedAppleAccount = x.account
	}
	x.busy = true
	if x.id != "" {
		p.judge.Facts.Begin(judge.Active(x.id), true)
	} else {
		p.judge.Joining++
	}
	id := ""
	p.want(fmt.Sprintf("person %d (%s) %s", x.n, x.name, what), func(ctx context.Context, s *process) error {
		made, err := s.directory.CreatePerson(ctx, wanted)
		if problem.KindOf(err) == problem.Conflict { // an earlier attempt has happened
			found, err := s.directory.PeopleByUserName(ctx, x.name)
			if err != nil || len(found) != 1 {
				return errors.Join(err, fmt.Errorf("%d people have the name", len(found)))
			}
			made = found[0]
		} else if err != nil {
			return err
		}
		id = made.ID
		return nil
	}, func() {
		if x.id != "" && x.id != id {
			p.tell(true, "person %d was %s and is %s", x.n, x.id, id)
		}
		if x.id == "" {
			p.judge.Joining--
		}
		x.id, x.active, x.deleted, x.busy = id, true, false, false
		p.judge.Account(x.id, x.account)
		p.judge.Done(judge.Active(x.id), true)
		p.tell(true, "person %d is %s", x.n, x.id)
	})
}
