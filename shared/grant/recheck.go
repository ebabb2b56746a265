package grant

import (
	"context"
	"fmt"
	"slices"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
)

// recheck returns those of the people, in their order, for whom all still holds. Law 3: active and a member, read
// strongly after the batch was stored; associated, of a users delta in this job.
func (g Granter) recheck(ctx context.Context, d draft, people []string) ([]string, error) {
	known, err := g.Directory.People(ctx, people)
	if err != nil {
		return nil, fmt.Errorf("reading the people of a batch: %w", err)
	}
	readers, err := reader.OfPeople(ctx, g.Store.ReadStore, g.identity(), people)
	if err != nil {
		return nil, err
	}
	unfit, err := g.uncovered(ctx, d)
	if err != nil {
		return nil, err
	}
	if usable, err := g.usable(ctx); err != nil || !usable {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(people), func(id string) bool {
		p := known[id]
		return !p.Active || p.Deleted || unfit[id] || readers[id].Value.Status != reader.Associated
	}), nil
}

// uncovered are the people of whom a wish has gone, or who have left its group.
func (g Granter) uncovered(ctx context.Context, d draft) (map[string]bool, error) {
	unfit := make(map[string]bool)
	groups := make(map[string][]string) // the people who are in the batch because of a group
	wished := make(map[string]bool)     // assignment ids
	books := make(map[string]bool)
	for _, p := range d.pairs {
		groups[p.cause.GroupID] = append(groups[p.cause.GroupID], p.to)
		books[p.cause.BookID] = true
	}
	for id := range books {
		doc, err := book.Load(ctx, g.Store.ReadStore, id)
		if err != nil {
			return nil, err
		}
		wishes, err := assign.Load(ctx, g.Store.ReadStore, doc.Value)
		if err != nil {
			return nil, err
		}
		for _, w := range wishes.Value.List {
			wished[w.ID] = !w.Approval.Pending
		}
	}
	for group, people := range groups {
		members, err := assign.AreMembers(ctx, g.Directory, group, people)
		if err != nil {
			return nil, err
		}
		for _, person := range people {
			unfit[person] = unfit[person] || !members[person]
		}
	}
	for _, p := range d.pairs {
		unfit[p.to] = unfit[p.to] || !wished[p.cause.AssignmentID]
	}
	return unfit, nil
}

// usable says that the token is still the one that this work began with: an administrator who has deleted, replaced or
// stopped it must not see another license go.
func (g Granter) usable(ctx context.Context) (bool, error) {
	doc, err := table.LoadOrZero[token.Record](ctx, g.Store, token.Key(g.Record.ID))
	if err != nil {
		return false, fmt.Errorf("reading token %s: %w", g.Record.ID, err)
	}
	return doc.Value.State == token.Valid && doc.Value.SecretVersion == g.Record.SecretVersion, nil
}
