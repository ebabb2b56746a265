package main

import (
	"context"
	"fmt"
	"time"

	"github.com/bookplate/bookplate/infra/bench/measure"
	"github.com/bookplate/bookplate/infra/stage"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/grant"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table"
)

// counted is what a job cost, in counts: they are the same on every machine.
type counted struct {
	job    measure.Job
	counts map[measure.Kind]int
	rows   map[measure.Kind]int
	calls  measure.Calls
	took   time.Duration // virtual, of which Apple's pace is most
}

// atOnce is how many batches a location has under way at once: the product's default.
const atOnce = 5

// virtual does the job in virtual time: the domain in this process, the table in memory, Apple's fake without a network.
type virtual struct {
	*stage.Stage
	job   measure.Job
	wire  *measure.Wire
	table *measure.Engine
	show  *progress
}

// size is how large a job is, and what Apple allows meanwhile.
type size struct {
	titles, readers int
	limits          applefake.Limits
	pageSize        int
}

// inVirtualTime does the whole job and counts what it costs from the assignments on, until nothing is left to be done.
func inVirtualTime(ctx context.Context, of size, show *progress) (counted, error) {
	v := &virtual{show: show, wire: measure.NewWire()}
	o := stage.Options{
		Seed: 1, Sites: []applefake.LocationSpec{measure.Library(of.titles, of.readers, domain)},
		Apple: applefake.Options{Limits: &of.limits, PageSize: of.pageSize, WireLimit: 1},
		Pace:  grant.Pace{ResendAfter: 10 * time.Minute, Poll: 10 * time.Second, MaxOpen: atOnce},
		Watch: func(e table.Engine) table.Engine { v.table = measure.NewEngine(e); return v.table },
	}
	var err error
	if v.Stage, err = stage.New(o); err != nil {
		return counted{}, err
	}
	v.Wire = v.wire.Tap
	config, err := v.Worker.Service.Config(ctx)
	if err != nil {
		return counted{}, err
	}
	v.job = measure.Job{
		Titles: of.titles, Readers: of.readers, Limits: config.Limits, PageSize: of.pageSize, AtOnce: atOnce,
	}
	if err := v.Install(ctx); err != nil {
		return counted{}, err
	}
	if err := v.rest(ctx, "first sync"); err != nil {
		return counted{}, err
	}
	group, err := v.enroll(ctx)
	if err != nil {
		return counted{}, err
	}
	return v.give(ctx, group)
}

// enroll brings the people in, all in one group.
func (v *virtual) enroll(ctx context.Context) (group string, err error) {
	var members directory.Membership
	for i := range v.job.Readers {
		p, err := v.Directory.CreatePerson(ctx, directory.Person{UserName: userName(i), Active: true})
		if err != nil {
			return "", err
		}
		members.Add(directory.Member{ID: p.ID})
		v.show.say("%d of %d people", i+1, v.job.Readers)
	}
	g, err := v.Directory.CreateGroup(ctx, directory.Group{DisplayName: groupName}, members)
	return g.ID, err
}

// give assigns every title to the group, and waits until nothing is left to be done.
func (v *virtual) give(ctx context.Context, group string) (counted, error) {
	began, counts, rows, calls := v.Clock.Now(), v.wire.Counts(), v.wire.Rows(), v.table.Calls()
	uid := v.Site.UID()
	for _, b := range v.Site.Books() {
		asset := apple.AssetKey{AdamID: b.AdamID, PricingParam: b.PricingParam}
		target := book.Book{ID: book.ID(uid, asset), Location: uid, Asset: asset}
		asks := []assign.Ask{{GroupID: group, Intent: assign.Required}}
		due, err := v.Assigner.Replace(ctx, target, asks, "bench")
		if err != nil {
			return counted{}, err
		}
		if err := v.Worker.Queue.Wake(ctx, uid, due); err != nil {
			return counted{}, err
		}
	}
	if err := v.rest(ctx, "licenses"); err != nil {
		return counted{}, err
	}
	c := counted{
		job: v.job, counts: less(v.wire.Counts(), counts), rows: less(v.wire.Rows(), rows),
		calls: v.table.Calls().Sub(calls), took: v.Clock.Now().Sub(began),
	}
	return c, v.check(ctx)
}

// rest lets the product work until it asks for no wake.
func (v *virtual) rest(ctx context.Context, what string) error {
	for {
		more, err := v.Step(ctx)
		if err != nil || !more {
			return err
		}
		v.show.say("%s: %d of %d at Apple", what, v.given(), v.job.Licenses())
	}
}

func (v *virtual) given() int {
	given := 0
	for _, b := range v.Site.Books() {
		given += b.Assigned
	}
	return given
}

// check says what is wrong with the end: a benchmark of something that isn't done measures nothing.
func (v *virtual) check(ctx context.Context) error {
	if given := v.given(); given != v.job.Licenses() {
		return fmt.Errorf("%d licenses were given, not %d", given, v.job.Licenses())
	}
	if twice := v.Apple.DoubleSpends(); len(twice) > 0 {
		return fmt.Errorf("%d licenses were spent twice", len(twice))
	}
	open, err := license.OpenBatches(ctx, v.Store.ReadStore, v.Site.UID())
	if err != nil {
		return err
	}
	if len(open) > 0 {
		return fmt.Errorf("%d batches are still open", len(open))
	}
	settled := 0
	for _, b := range v.Site.Books() {
		for doc, err := range license.OfTitle(ctx, v.Store.ReadStore, b.AdamID) {
			if err != nil {
				return err
			}
			if doc.Value.Has() {
				settled++
			}
		}
	}
	if settled != v.job.Licenses() {
		return fmt.Errorf("the table has %d licenses, not %d", settled, v.job.Licenses())
	}
	return nil
}

// less is what came after an earlier count.
func less(now, earlier map[measure.Kind]int) map[measure.Kind]int {
	since := map[measure.Kind]int{}
	for kind, n := range now {
		since[kind] = n - earlier[kind]
	}
	return since
}
