package assign

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

// Planner computes plan runs. It runs inside the location's worker only.
type Planner struct {
	Surveyor
	Commits *table.Store
	Record  token.Record
	Until   time.Time // when the chunk ends: a run that isn't done by then goes on in the next
	// PartSize is how many people are decided for at a step; 0 means as many as surely fit an item.
	PartSize int
}

// Chunk goes on with a run, by at least a step, and says whether it has ended.
func (p Planner) Chunk(ctx context.Context, id string) (done bool, err error) {
	for first := true; first || p.World.Now().Before(p.Until); first = false {
		doc, err := table.Load[PlanRun](ctx, p.Commits, runKey(id))
		if errors.Is(err, table.ErrAbsent) || err == nil && doc.Value.State != PlanRunning {
			return true, nil // expired, or done
		}
		if err != nil {
			return false, fmt.Errorf("reading plan %s: %w", id, err)
		}
		if err := p.step(ctx, doc); err != nil {
			return false, fmt.Errorf("computing plan %s: %w", id, err)
		}
	}
	return false, nil
}

func (p Planner) step(ctx context.Context, doc runDoc) error {
	wishes, err := table.Load[planned](ctx, p.Commits, plannedKey(doc.Value.ID))
	if err != nil {
		return err
	}
	b, err := book.Load(ctx, p.Store, doc.Value.BookID)
	if err != nil {
		return err
	}
	switch run := doc.Value; {
	case run.Parts == 0:
		return p.people(ctx, doc, b.Value, wishes.Value)
	case run.Decided < run.Parts:
		return p.decide(ctx, doc, b.Value, wishes.Value)
	default:
		return p.finish(ctx, doc, b.Value, wishes.Value)
	}
}

// people finds out whom the wishes cover, and stores them in the order in which stock is given out.
func (p Planner) people(ctx context.Context, doc runDoc, b book.Book, wishes planned) error {
	site, err := p.LoadSite(ctx, p.Record)
	if err != nil {
		return err
	}
	state, err := token.LoadLocation(ctx, p.Store, p.Record.Location)
	if err != nil {
		return err
	}
	licenses := make(map[string]license.Doc) // without what would fill the memory
	for doc, err := range license.OfTitle(ctx, p.Store, b.Asset.AdamID) {
		if err != nil {
			return fmt.Errorf("reading the licenses of title %s: %w", b.Asset.AdamID, err)
		}
		doc.Value.Rows, doc.Body = nil, nil
		licenses[doc.Value.PersonID] = doc
	}
	asked, err := p.requests(ctx, wishes.Wishes)
	if err != nil {
		return err
	}
	placeInLine(licenses, asked)
	now := p.World.Now()
	run := &doc.Value
	covered, err := p.cover(ctx, site, wishes.Wishes.Ordered(now), asked, licenses)
	if err != nil {
		return err
	}
	spent, index := spentBy(licenses), make(map[string]int)
	run.Wanted, run.Spends = make([]int, len(wishes.Wishes.List)), make([]int, len(wishes.Wishes.List))
	for i, w := range wishes.Wishes.List {
		index[w.ID], run.Spends[i] = i, spent[w.ID]
		if w.Intent == Required && w.OnHold(now) {
			run.HoldUntil = latest(run.HoldUntil, w.HoldUntil)
		}
	}
	run.Reading = world.NewID(p.World)
	var items []table.Item
	for ids := range slices.Chunk(covered.order, cmp.Or(p.PartSize, partSize)) {
		var part planPart
		for _, id := range ids {
			part.People = append(part.People, PlanPerson{PersonID: id, Wish: index[covered.first[id].ID]})
		}
		item, err := expiring(partKey(*run, len(items)), part, *run).Encode()
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	if err := p.Commits.PutAll(ctx, items...); err != nil {
		return fmt.Errorf("storing whom the plan covers: %w", err)
	}
	run.People, run.Parts = len(covered.order), len(items)
	run.Unlimited, run.FreeBefore = b.Unlimited(), site.Free(b)
	run.FreeAfter = run.FreeBefore
	run.Counted = latest(state.Value.Sync.Counted, b.Counted)
	if run.Parts == 0 {
		return p.finish(ctx, doc, b, wishes)
	}
	return p.save(ctx, doc)
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// decide decides for the people of the next part.
func (p Planner) decide(ctx context.Context, doc runDoc, b book.Book, wishes planned) error {
	run := &doc.Value
	part, err := table.Load[planPart](ctx, p.Commits, partKey(*run, run.Decided))
	if err != nil {
		return err
	}
	site, err := p.LoadSite(ctx, p.Record)
	if err != nil {
		return err
	}
	site.foresee = true
	covered := coverage{first: make(map[string]Wish)}
	index := make(map[string]int)
	for _, one := range part.Value.People {
		covered.order = append(covered.order, one.PersonID)
		covered.first[one.PersonID], index[one.PersonID] = wishes.Wishes.List[one.Wish], one.Wish
	}
	licenses, err := license.LoadMany(ctx, p.Store, b.Asset.AdamID, covered.order)
	if err != nil {
		return err
	}
	lines, err := p.facts(ctx, site, b, covered, licenses, run.FreeAfter)
	if err != nil {
		return err
	}
	part.Value.People = nil
	for _, line := range lines {
		d := line.Decision
		part.Value.People = append(part.Value.People, PlanPerson{line.Person.ID, index[line.Person.ID], d.Verdict, d.Reason, d.Detail})
		run.count(d, index[line.Person.ID], pending(line.License.Value))
	}
	save, err := part.Save()
	if err != nil {
		return err
	}
	run.Decided++
	return p.save(ctx, doc, save)
}

func (r *PlanRun) count(d Decision, wish int, pending bool) {
	if r.Reasons == nil {
		r.Reasons = make(map[license.Reason]int)
	}
	switch d.Verdict {
	case Give:
		r.Give++
		if r.FreeAfter != math.MaxInt {
			r.FreeAfter--
		}
	case Wait:
		r.Wait++
		r.Reasons[d.Reason]++
	case Refuse:
		r.Refuse++
		r.Reasons[d.Reason]++
	}
	if d.Verdict == Refuse {
		return
	}
	r.Wanted[wish]++
	if !pending { // otherwise it is counted as spent
		r.Spends[wish]++
	}
}

// finish names the plan, and approves it if that was ordered and it is the one.
func (p Planner) finish(ctx context.Context, doc runDoc, b book.Book, wishes planned) error {
	run := &doc.Value
	var ids []string
	for part, err := range table.Docs[planPart](p.Commits.Each(ctx, run.parts())) {
		if err != nil {
			return err
		}
		for _, one := range part.Value.People {
			if one.Verdict != Refuse {
				ids = append(ids, one.PersonID)
			}
		}
	}
	list := wishes.Wishes.List
	run.Plan = planID(b, list, ids)
	run.State, run.Ended = PlanDone, p.World.Now()
	spends := wishes.byID(run.Spends)
	waits := wishes.Wishes.unapproved(spends)
	run.total(wishes, waits)
	if run.Approve == "" {
		return p.save(ctx, doc)
	}
	now, err := Load(ctx, p.Store, b)
	if err != nil {
		return err
	}
	may, refused := approvable(*run, b, now.Value, wishes.Wishes, waits)
	if run.Refused = refused; refused != "" {
		return p.save(ctx, doc)
	}
	run.Approved, run.Licenses = true, run.wanted(wishes, may)
	ops, err := approve(p.World, b, now, approval{run.Plan, run.Licenses, run.By, may, spends})
	if err != nil {
		return err
	}
	return p.save(ctx, doc, ops...)
}

// total says how many licenses need somebody's word, and whether they have to wait for it.
func (r *PlanRun) total(wishes planned, waits map[string]bool) {
	fresh, all := 0, false
	counted := maps.Clone(waits)
	for _, i := range wishes.Fresh {
		w := wishes.Wishes.List[i]
		fresh, all = fresh+r.Wanted[i], all || w.GroupID == Everybody
		counted[w.ID] = true
	}
	r.Licenses = r.wanted(wishes, counted)
	r.NeedsApproval = all || len(waits) > 0 || r.ApprovalAbove > 0 && fresh > r.ApprovalAbove
}

// wanted is how many licenses some of the wishes would spend sooner or later.
func (r *PlanRun) wanted(wishes planned, some map[string]bool) int {
	n := 0
	for i, w := range wishes.Wishes.List {
		if some[w.ID] {
			n += r.Wanted[i]
		}
	}
	return n
}

// approvable are the wishes that are approved by the plan, or why none are.
func approvable(run PlanRun, b book.Book, now, planned Wishes, waits map[string]bool) (may map[string]bool, refused string) {
	may, err := Assigner{SelfApproval: run.SelfApproval}.approvedBy(run.By, b, planned, waits)
	if p, ok := problem.As(err); ok {
		return nil, p.Message
	}
	switch {
	case !sameWishes(now, planned):
		return nil, "The assignments of the book have changed since the plan was to be approved. Compute the plan again " +
			"(bookplate.plan), and approve that one."
	case run.Plan != run.Approve:
		return nil, fmt.Sprintf("The plan %.80q isn't what the assignments would do now: that is the plan %s, for up to %d licenses. "+
			"Look at it, and approve that one.", run.Approve, run.Plan, run.Licenses)
	}
	return may, ""
}

func sameWishes(a, b Wishes) bool {
	one, err := json.Marshal(a)
	two, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(one, two)
}

// save stores how far the run is, and what goes with it, unless another worker was faster or the assignments changed:
// then the next step goes on from what is so by then.
func (p Planner) save(ctx context.Context, doc runDoc, with ...table.Op) error {
	head, err := doc.Save()
	if err != nil {
		return err
	}
	_, err = p.Commits.Commit(ctx, append([]table.Op{head}, with...)...)
	if errors.Is(err, table.ErrCondition) {
		return nil
	}
	return err
}
