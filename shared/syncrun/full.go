package syncrun

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
)

// sum reads every license and keeps a sum for each book: no look-ups, no writes but the sums. A crash may count some
// pages twice; that costs reading their books again.
func (s *Syncer) sum(ctx context.Context) error {
	if s.run.Page == 0 {
		if err := s.sums.reset(ctx); err != nil { // what a run before this one may have left
			return err
		}
	}
	err := s.Apple.AssignmentPages(ctx, apple.AssignmentQuery{}, s.run.Page,
		func(p apple.Page, rows []apple.Assignment) error {
			s.run.Counts.LicensesRead += len(rows)
			if err := s.sums.add(ctx, users(rows)); err != nil {
				return err
			}
			return s.page(ctx, p)
		})
	if err != nil {
		return fmt.Errorf("reading all licenses of location %s: %w", s.Record.Location, err)
	}
	s.State.AssignmentsVersion, s.State.AssignmentsSeen = s.run.Version, ""
	s.enter(Trailing)
	return nil
}

// users are the rows that people hold. Devices hold apps only.
func users(rows []apple.Assignment) []apple.Assignment {
	return slices.DeleteFunc(rows, func(row apple.Assignment) bool { return row.SerialNumber != "" })
}

// compare reads the books again whose sum differs from ours. Its page is a bucket.
func (s *Syncer) compare(ctx context.Context) error {
	s.run.Pages = s.digests.count
	for ; s.run.Page < s.digests.count; s.run.Page++ {
		ours, err := s.digests.bucket(ctx, s.run.Page)
		if err != nil {
			return err
		}
		theirs, err := s.sums.bucket(ctx, s.run.Page)
		if err != nil {
			return err
		}
		differ := make(map[string]bool)
		for _, name := range slices.Concat(slices.Collect(maps.Keys(ours)), slices.Collect(maps.Keys(theirs))) {
			if ours[name] != theirs[name] {
				differ[assetOf(name).AdamID] = true
			}
		}
		for _, adamID := range slices.Sorted(maps.Keys(differ)) {
			if err := s.reread(ctx, adamID); err != nil {
				return err
			}
			if err := s.tick(ctx); err != nil {
				return err
			}
		}
	}
	s.run.Phase = Done
	return s.sums.reset(ctx)
}

// reread makes our rows of a title equal to Apple's. Rows are removed only if the listing is known to be whole: all its
// pages showed one version.
func (s *Syncer) reread(ctx context.Context, adamID string) error {
	var rows []apple.Assignment
	versions := make(map[string]bool)
	err := s.Apple.AssignmentPages(ctx, apple.AssignmentQuery{AdamID: adamID}, 0,
		func(p apple.Page, page []apple.Assignment) error {
			versions[p.VersionID] = true
			rows = append(rows, users(page)...)
			return nil
		})
	if err != nil {
		return fmt.Errorf("reading the licenses of title %s: %w", adamID, err)
	}
	s.run.Counts.BooksReread++
	added, err := AddRows(ctx, s.applier(), s.Record.Location, "", rows)
	if err != nil {
		return err
	}
	s.run.Counts.LicensesAdded += len(added)
	stored, people, err := license.Listed(ctx, s.Store.ReadStore, s.Record.Location, adamID)
	if err != nil {
		return err
	}
	if len(versions) == 1 {
		listed := make(map[apple.Assignment]bool, len(rows))
		for _, row := range rows {
			listed[row] = true
		}
		var lost []apple.Assignment
		kept := stored[:0]
		for _, row := range stored {
			if listed[row] {
				kept = append(kept, row)
			} else {
				lost = append(lost, row)
			}
		}
		from := license.Source{Location: s.Record.Location, People: people}
		if err := s.applier().Drop(ctx, from, lost); err != nil {
			return err
		}
		s.run.Counts.LicensesRemoved += len(lost)
		stored = kept
	}
	return s.redigest(ctx, adamID, stored)
}

// redigest makes the digests of a title those of its rows, and the sums too: whatever made them differ (a page that a
// dying process counted twice), this run has looked, and doesn't look again.
func (s *Syncer) redigest(ctx context.Context, adamID string, rows []apple.Assignment) error {
	sums := map[string]Digest{}
	for _, pricing := range []string{apple.PricingSTDQ, apple.PricingPLUS} {
		sums[bookName(apple.AssetKey{AdamID: adamID, PricingParam: pricing})] = Digest{}
	}
	for _, row := range rows {
		name := bookName(row.AssetKey)
		sums[name] = sums[name].With(row)
	}
	var err error
	for name, sum := range sums {
		err = errors.Join(err, s.digests.set(ctx, assetOf(name), sum), s.sums.set(ctx, assetOf(name), sum))
	}
	return err
}
