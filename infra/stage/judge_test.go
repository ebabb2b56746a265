package stage_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/bookplate/bookplate/infra/stage"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/reader"
	"github.com/bookplate/bookplate/shared/syncrun"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
)

// installed is a school whose locations have had their first sync.
func installed(t *testing.T, people, titles int, change func(*stage.Options)) *school {
	t.Helper()
	s := newSchool(t, people, titles, change)
	must(t, s.Install(context.Background()))
	must(t, s.Rest(context.Background()))
	return s
}

// twoSites gives a school a second location with the same stock.
func twoSites(o *stage.Options) {
	second := o.Sites[0]
	second.Name = "Branch"
	o.Sites = append(o.Sites, second)
}

// enrolled is a school whose people are readers already: its last title was given to all.
func enrolled(t *testing.T, people, titles int, change func(*stage.Options)) *school {
	t.Helper()
	ctx := context.Background()
	s := installed(t, people, titles+1, change)
	for _, site := range s.Sites[:1] {
		must(t, s.wish(ctx, bookAt(site, s.titles[titles], apple.PricingSTDQ), s.group))
	}
	must(t, s.Rest(ctx))
	s.titles = s.titles[:titles]
	return s
}

func (s *school) record(t *testing.T, site *applefake.Location) token.Record {
	t.Helper()
	doc, err := token.OfLocation(context.Background(), s.Store.ReadStore, site.UID())
	must(t, err)
	return doc.Value
}

// client is the id by which Apple knows a person in a location.
func (s *school) client(t *testing.T, site *applefake.Location, person string) string {
	t.Helper()
	return reader.ClientUserID(s.record(t, site).MDMID, site.UID(), person, 0)
}

func (s *school) newGroup(t *testing.T, people ...string) string {
	t.Helper()
	var members directory.Membership
	for _, p := range people {
		members.Add(directory.Member{ID: p})
	}
	g, err := s.Directory.CreateGroup(context.Background(), directory.Group{DisplayName: "Group"}, members)
	must(t, err)
	return g.ID
}

func (s *school) license(t *testing.T, adamID, person string) license.License {
	t.Helper()
	doc, err := license.Load(context.Background(), s.Store.ReadStore, adamID, person)
	must(t, err)
	return doc.Value
}

// sync runs a sync of a location, and whatever follows from it.
func (s *school) sync(t *testing.T, site *applefake.Location, why string) {
	t.Helper()
	must(t, s.Order(context.Background(), site, mark.Sync, why))
	must(t, s.Rest(context.Background()))
}

// lastRun is the last sync of a location.
func (s *school) lastRun(t *testing.T, site *applefake.Location) syncrun.Run {
	t.Helper()
	runs, _, err := syncrun.Runs(context.Background(), s.Store.ReadStore, site.UID(), 1, "")
	must(t, err)
	if len(runs) == 0 {
		t.Fatal("no sync has run")
	}
	return runs[0]
}

// held is how many licenses of a title are held at Apple, over all locations.
func (s *school) held(adamID string) int {
	n := 0
	for _, site := range s.Sites {
		for l := range site.Licenses() {
			if l.AdamID == adamID {
				n++
			}
		}
	}
	return n
}

// checkBooks checks that Apple's books are sound and that nobody got a title twice (law 1).
func (s *school) checkBooks(t *testing.T) {
	t.Helper()
	must(t, s.Apple.Invariants())
	for _, d := range s.Apple.DoubleSpends() {
		t.Errorf("title %s was spent twice: %+v", d.AdamID, d.Licenses)
	}
}

// checkEqual checks that our rows are Apple's (law 7) and that each license says why it exists (law 6).
func (s *school) checkEqual(t *testing.T, when string) {
	t.Helper()
	for _, site := range s.Sites {
		theirs, ours := s.theirRows(site), s.ourRows(t, site)
		if !slices.Equal(theirs, ours) {
			t.Errorf("%s: location %s\nApple lists %v\nwe list     %v", when, site.UID(), theirs, ours)
		}
	}
}

func (s *school) theirRows(site *applefake.Location) []string {
	var rows []string
	for l := range site.Licenses() {
		rows = append(rows, fmt.Sprint(l.AdamID, " ", l.PricingParam, " ", l.ClientUserID))
	}
	slices.Sort(rows)
	return rows
}

// ourRows are the rows that the table has of a location. Each is of a license that is explained, or a foreign holder's.
func (s *school) ourRows(t *testing.T, site *applefake.Location) []string {
	t.Helper()
	var rows []string
	for _, item := range s.Table.Snapshot() {
		switch {
		case len(item.Key.Part) > 6 && item.Key.Part[:6] == "title#":
			doc, err := table.Decode[license.License](item)
			must(t, err)
			l := doc.Value
			for _, row := range l.Rows {
				if row.Location == site.UID() {
					rows = append(rows, fmt.Sprint(l.AdamID, " ", row.Pricing, " ", row.ClientUserID))
				}
			}
			explained := l.State == license.Licensed && (l.Found || l.Cause != nil)
			if l.Has() && !explained || !l.Has() && l.State == license.Licensed {
				t.Errorf("title %s of person %s isn't explained: %+v", l.AdamID, l.PersonID, l)
			}
		case len(item.Key.Part) > 8 && item.Key.Part[:8] == "holders#":
			doc, err := table.Decode[license.Holder](item)
			must(t, err)
			if h := doc.Value; h.Location == site.UID() {
				rows = append(rows, fmt.Sprint(h.AdamID, " ", h.Pricing, " ", h.ClientUserID))
			}
		}
	}
	slices.Sort(rows)
	return rows
}

// whenBatch does something once, right before or right after the first batch of a location is stored in a state.
func (s *school) whenBatch(site *applefake.Location, state license.BatchState, after bool, do func(license.Batch)) {
	hook := func(c mem.Call) error {
		for _, op := range c.Ops {
			if op.Item.Key.Part != "batches#"+site.UID() || op.Item.Body == nil {
				continue
			}
			if doc, err := table.Decode[license.Batch](op.Item); err == nil && doc.Value.State == state {
				s.Table.SetFaults(mem.Faults{})
				do(doc.Value)
			}
		}
		return nil
	}
	if after {
		s.Table.SetFaults(mem.Faults{After: hook})
	} else {
		s.Table.SetFaults(mem.Faults{Before: hook})
	}
}
