package assign

import (
	"context"
	"fmt"

	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table"
)

// partSize is how many people of a plan are in one item: with the longest details they stay under its 64 KB.
const partSize = 150

// PlanPerson is what is decided for somebody in a plan run; Verdict is empty until it is.
type PlanPerson struct {
	PersonID string         `json:"p"`
	Wish     int            `json:"w"` // index in the run's wishes
	Verdict  Verdict        `json:"v,omitempty"`
	Reason   license.Reason `json:"r,omitempty"`
	Detail   string         `json:"d,omitempty"`
}

// planPart is one item of people, in the order in which stock is given out.
type planPart struct {
	People []PlanPerson `json:"people"`
}

func partKey(run PlanRun, n int) table.Key {
	return table.Key{Part: runPart(run.ID), Sort: fmt.Sprintf("part#%s#%06d", run.Reading, n)}
}

// parts is where the items of people are.
func (r PlanRun) parts() table.Range {
	return table.Range{Part: runPart(r.ID), From: partKey(r, 0).Sort, To: partKey(r, r.Parts-1).Sort}
}

// PlanPeople returns a page of the people of a run, in the order in which stock is given out, the groups whose wishes they
// come under, by index, and the cursor of the next page. The last page is where those begin who aren't decided yet.
func PlanPeople(ctx context.Context, store *table.ReadStore, run PlanRun, cursor string) (
	people []PlanPerson, groups []string, next string, err error,
) {
	wishes, err := table.Load[planned](ctx, store, plannedKey(run.ID))
	if err != nil {
		return nil, nil, "", fmt.Errorf("reading the wishes of plan %s: %w", run.ID, err)
	}
	for _, w := range wishes.Value.Wishes.List {
		groups = append(groups, w.GroupID)
	}
	at := run.parts()
	at.Limit, at.Cursor = 1, cursor
	for more := run.Parts > 0; more; more = len(people) == 0 && at.Cursor != "" { // nobody of a part may be in the directory
		page, err := store.Page(ctx, at)
		if err != nil {
			return nil, nil, "", fmt.Errorf("reading the people of plan %s: %w", run.ID, err)
		}
		at.Cursor = page.Next
		for _, item := range page.Items {
			doc, err := table.Decode[planPart](item)
			if err != nil {
				return nil, nil, "", err
			}
			if doc.Value.open() {
				return nil, groups, "", nil
			}
			people = append(people, doc.Value.People...)
		}
	}
	return people, groups, at.Cursor, nil
}

// open says that its people aren't decided yet: all are at once.
func (p planPart) open() bool { return len(p.People) > 0 && p.People[0].Verdict == "" }
