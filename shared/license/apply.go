package license

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// Applier lets Apple's rows change licenses. It is the only code that makes a license licensed.
type Applier struct {
	Store *table.Store
	World world.World
	// Before, if set, is told of the rows that are about to be written, so that whoever sums them up knows that a sum is
	// behind should the worker die.
	Before func(ctx context.Context, rows []apple.Assignment) error
	// Found, if set, is told ahead of licenses that no sending of ours awaits: what was decided without them may be wrong.
	Found func(ctx context.Context) error
}

// Source says where rows come from.
type Source struct {
	Location string
	// People maps the clientUserIds that are ours to personIds. Rows of others become holders.
	People map[string]string
	// Event is Apple's id of the request whose rows these are, if they are read to settle it.
	Event string
}

// Add applies rows that Apple lists, and returns those that were new to the table. A repeated row changes nothing.
func (a Applier) Add(ctx context.Context, from Source, rows []apple.Assignment) ([]apple.Assignment, error) {
	ours, foreign := from.split(rows)
	ours, found, err := a.unknown(ctx, ours)
	if err != nil {
		return nil, err
	}
	if found && a.Found != nil {
		if err := a.Found(ctx); err != nil {
			return nil, err
		}
	}
	if err := a.announce(ctx, rowsOf(ours)); err != nil {
		return nil, err
	}
	added := make([][]apple.Assignment, len(ours))
	gone := newDepartures()
	err = a.World.Run(ctx, a.Store.Width(), len(ours), func(ctx context.Context, i int) error {
		var err error
		added[i], err = a.give(ctx, from, ours[i], gone)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("applying Apple's rows to the licenses of location %s: %w", from.Location, err)
	}
	news, err := a.addHolders(ctx, from.Location, foreign)
	if err != nil {
		return nil, err
	}
	return append(slices.Concat(added...), news...), nil
}

// announce says which rows are written next.
func (a Applier) announce(ctx context.Context, rows []apple.Assignment) error {
	if a.Before == nil || len(rows) == 0 {
		return nil
	}
	return a.Before(ctx, rows)
}

func rowsOf(all []owned) (rows []apple.Assignment) {
	for _, o := range all {
		for _, r := range o.rows {
			key := apple.AssetKey{AdamID: o.adamID, PricingParam: r.Pricing}
			rows = append(rows, apple.Assignment{AssetKey: key, ClientUserID: r.ClientUserID})
		}
	}
	return rows
}

// Drop applies that Apple no longer lists the rows. Call it only after a listing that is known to be whole.
func (a Applier) Drop(ctx context.Context, from Source, rows []apple.Assignment) error {
	ours, foreign := from.split(rows)
	keys := make([]table.Key, len(foreign))
	for i, row := range foreign {
		keys[i] = holderKey(from.Location, row)
	}
	if err := a.Store.DeleteAll(ctx, keys...); err != nil {
		return fmt.Errorf("removing foreign holders of location %s: %w", from.Location, err)
	}
	gone := newDepartures()
	return a.World.Run(ctx, a.Store.Width(), len(ours), func(ctx context.Context, i int) error {
		return a.change(ctx, ours[i].adamID, ours[i].personID, gone, func(l License) License {
			for _, row := range ours[i].rows {
				l = l.Lose(row, a.World.Now())
			}
			return l
		})
	})
}

// owned are the rows of one title and person.
type owned struct {
	adamID, personID string
	rows             []Row
}

// split sorts rows by whom they belong to, in the order in which they first appear, without repetitions.
func (from Source) split(rows []apple.Assignment) (ours []owned, foreign []apple.Assignment) {
	at := make(map[[2]string]int)
	seen := make(map[apple.Assignment]bool, len(rows))
	for _, row := range rows {
		if row.SerialNumber != "" || seen[row] { // a device holds apps, never books
			continue
		}
		seen[row] = true
		person, known := from.People[row.ClientUserID]
		if !known {
			foreign = append(foreign, row)
			continue
		}
		pair := [2]string{row.AdamID, person}
		if _, ok := at[pair]; !ok {
			at[pair] = len(ours)
			ours = append(ours, owned{adamID: row.AdamID, personID: person})
		}
		o := &ours[at[pair]]
		o.rows = append(o.rows, Row{from.Location, row.ClientUserID, row.PricingParam, time.Time{}})
	}
	return ours, foreign
}

// unknown leaves out what the table has already, which is most of what a repeated listing shows. Found says that among the
// rest there is something that no sending of ours awaits.
func (a Applier) unknown(ctx context.Context, ours []owned) (news []owned, found bool, err error) {
	keys := make([]table.Key, len(ours))
	for i, o := range ours {
		keys[i] = Key(o.adamID, o.personID)
	}
	known, err := table.LoadMany[License](ctx, a.Store.ReadStore, keys)
	if err != nil {
		return nil, false, fmt.Errorf("reading %d licenses: %w", len(keys), err)
	}
	for i, o := range ours {
		l := known[keys[i]].Value
		missing := slices.DeleteFunc(slices.Clone(o.rows), func(r Row) bool { return slices.ContainsFunc(l.Rows, r.is) })
		if len(missing) > 0 {
			news = append(news, o)
			found = found || !slices.ContainsFunc(missing, l.awaits)
		}
	}
	return news, found, nil
}

func (a Applier) give(ctx context.Context, from Source, o owned, gone *departures) ([]apple.Assignment, error) {
	var added []apple.Assignment
	err := a.change(ctx, o.adamID, o.personID, gone, func(l License) License {
		added = nil
		rows := slices.Clone(o.rows)
		slices.SortStableFunc(rows, func(x, y Row) int { // ours first, or it would be taken for a second one of somebody else's
			switch {
			case l.awaits(x) == l.awaits(y):
				return 0
			case l.awaits(x):
				return -1
			}
			return 1
		})
		for _, row := range rows {
			if slices.ContainsFunc(l.Rows, row.is) {
				continue
			}
			row.Found = a.World.Now()
			l = l.Give(row, from.Event)
			key := apple.AssetKey{AdamID: o.adamID, PricingParam: row.Pricing}
			added = append(added, apple.Assignment{AssetKey: key, ClientUserID: row.ClientUserID})
		}
		return l
	})
	return added, err
}

// change saves what next makes of a license, again from the start when somebody else was faster.
func (a Applier) change(
	ctx context.Context, adamID, personID string, gone *departures, next func(License) License,
) error {
	for {
		doc, err := Load(ctx, a.Store.ReadStore, adamID, personID)
		if err != nil {
			return err
		}
		before := doc.Value
		doc.Value = next(before)
		if len(doc.Value.Rows) == len(before.Rows) {
			return nil // nothing new: rows are the only thing that Apple's listing changes
		}
		ops, err := a.save(ctx, before, doc, gone)
		if err != nil {
			return err
		}
		if _, err = a.Store.Commit(ctx, ops...); !IsConflict(err) {
			return err
		}
	}
}

// save stores the license, and takes the pair out of a batch of another location that hasn't been sent yet. Law 1: the
// person has the title now, and that batch must not spend another one; its own worker finds it changed and starts over.
// A batch that may have spent may give the person a second one: then the license stays bound to it, so that it is known
// as ours when it comes.
func (a Applier) save(ctx context.Context, before License, after Doc, gone *departures) ([]table.Op, error) {
	save, err := Save(after)
	if err != nil {
		return nil, err
	}
	ops := []table.Op{save}
	if before.State != Reserved || after.Value.State == Reserved {
		return ops, nil
	}
	batch, open, err := gone.look(ctx, a.Store.ReadStore, before)
	if err != nil || !open {
		return ops, err
	}
	if batch.Value.MayHaveSpent() {
		switch l := &after.Value; {
		case !l.Found:
			l.Event = batch.Value.Event // not that of another batch which is settled with the same rows
		case batch.Value.Holds(l.AdamID, l.PersonID):
			l.Batch, l.Bound, l.BoundAs = before.Batch, before.Location, before.Pricing
		}
		save, err = Save(after)
		return []table.Op{save}, err
	}
	if before.Bound == "" { // nothing of ours was ever sent
		after.Value.Found, after.Value.Batch, after.Value.Event = true, "", ""
		if ops[0], err = Save(after); err != nil {
			return nil, err
		}
	}
	batch.Value.People = slices.DeleteFunc(slices.Clone(batch.Value.People), func(id string) bool {
		return id == before.PersonID
	})
	batch.Value.Dropped = append(slices.Clone(batch.Value.Dropped), before.PersonID) // the other titles of the batch
	out, err := batch.Save()
	return append(ops, out), err
}

// addHolders stores the rows of foreign readers and returns those that weren't there.
func (a Applier) addHolders(ctx context.Context, location string, rows []apple.Assignment) ([]apple.Assignment, error) {
	keys := make([]table.Key, len(rows))
	for i, row := range rows {
		keys[i] = holderKey(location, row)
	}
	known, err := a.Store.GetMany(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("reading foreign holders of location %s: %w", location, err)
	}
	var news []apple.Assignment
	var items []table.Item
	for i, row := range rows {
		if _, ok := known[keys[i]]; ok {
			continue
		}
		item, err := table.Encode(keys[i], Holder{location, row.AdamID, row.PricingParam, row.ClientUserID, a.World.Now()})
		if err != nil {
			return nil, err
		}
		news, items = append(news, row), append(items, item)
	}
	if err := a.announce(ctx, news); err != nil {
		return nil, err
	}
	if err := a.Store.PutAll(ctx, items...); err != nil {
		return nil, fmt.Errorf("storing foreign holders of location %s: %w", location, err)
	}
	return news, nil
}

// Listed are all rows that the table has of a title in a location, and whose they are.
func Listed(ctx context.Context, store *table.ReadStore, location, adamID string) (
	rows []apple.Assignment, people map[string]string, err error,
) {
	people = make(map[string]string)
	for doc, err := range OfTitle(ctx, store, adamID) {
		if err != nil {
			return nil, nil, fmt.Errorf("reading the licenses of title %s: %w", adamID, err)
		}
		for _, row := range doc.Value.Rows {
			if row.Location == location {
				people[row.ClientUserID] = doc.Value.PersonID
				key := apple.AssetKey{AdamID: adamID, PricingParam: row.Pricing}
				rows = append(rows, apple.Assignment{AssetKey: key, ClientUserID: row.ClientUserID})
			}
		}
	}
	for h, err := range HoldersOf(ctx, store, location, adamID) {
		if err != nil {
			return nil, nil, fmt.Errorf("reading the foreign holders of title %s: %w", adamID, err)
		}
		if _, ours := people[h.ClientUserID]; ours {
			continue // a stranger until we knew better
		}
		key := apple.AssetKey{AdamID: adamID, PricingParam: h.Pricing}
		rows = append(rows, apple.Assignment{AssetKey: key, ClientUserID: h.ClientUserID})
	}
	return rows, people, nil
}
