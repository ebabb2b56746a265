package assign

import (
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// A part of a plan is one item, also when everybody in it is refused with a long text.
func TestTheLargestPartOfAPlanFitsAnItem(t *testing.T) {
	v := world.NewVirtual(1, time.Date(2030, 9, 1, 8, 0, 0, 123456789, time.UTC))
	var part planPart
	for range partSize {
		part.People = append(part.People, PlanPerson{
			PersonID: world.NewID(v), Wish: MaxWishes - 1, Verdict: Refuse, Reason: WaitingForApproval, Detail: strings.Repeat("x", 300),
		})
	}
	item, err := expiring(partKey(PlanRun{ID: world.NewID(v), Reading: world.NewID(v)}, 999_999), part, PlanRun{Created: v.Now()}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := table.CheckItem(item); err != nil {
		t.Errorf("a part of %d people, of %d bytes: %v", partSize, len(item.Body), err)
	}
}

// The wishes of a plan are one item, as large as a book may have them.
func TestTheMostWishesOfAPlanFitAnItem(t *testing.T) {
	v := world.NewVirtual(1, time.Date(2030, 9, 1, 8, 0, 0, 123456789, time.UTC))
	var wishes planned
	for i := range MaxWishes {
		w := Wish{
			ID: world.NewID(v), GroupID: world.NewID(v), Intent: Required, Created: v.Now(), HoldUntil: v.Now(),
			Requester: "a.long.name@a-long-domain.school.example", Approval: Approval{Pending: true}, Limit: 100,
		}
		wishes.Wishes.List = append(wishes.Wishes.List, w)
		wishes.Fresh = append(wishes.Fresh, i)
	}
	item, err := expiring(plannedKey(world.NewID(v)), wishes, PlanRun{Created: v.Now()}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := table.CheckItem(item); err != nil {
		t.Errorf("%d wishes, of %d bytes: %v", MaxWishes, len(item.Body), err)
	}
}
