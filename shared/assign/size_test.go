package assign_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/table"
)

// All wishes for a book are one item, with whoever asked for each and approved it, each by a plan of its own even.
func TestTheMostWishesFitAnItem(t *testing.T) {
	s := newSchool(t)
	now := time.Date(2030, 9, 1, 8, 0, 0, 123456789, time.UTC)
	id := strings.Repeat("f", 36)
	doc, err := assign.Load(t.Context(), s.store.ReadStore, s.book)
	s.must(err)
	for i := range assign.MaxWishes {
		someone := fmt.Sprintf("%02d%s", i%25, strings.Repeat("x", 62))
		doc.Value.List = append(doc.Value.List, assign.Wish{
			ID: id, GroupID: id, Intent: assign.Required, Created: now, HoldUntil: now.Add(24 * time.Hour), Limit: math.MaxInt32,
			Requester: someone, Approver: "the approver " + someone,
			Approval: assign.Approval{Plan: fmt.Sprintf("%032d", i), Licenses: math.MaxInt32, At: now},
		})
	}
	item, err := doc.Encode()
	s.must(err)
	if len(item.Body) > table.MaxBody {
		t.Errorf("%d wishes have %d bytes, and an item %d", assign.MaxWishes, len(item.Body), table.MaxBody)
	}
	back, err := table.Decode[assign.Wishes](item)
	s.must(err)
	if !reflect.DeepEqual(back.Value, doc.Value) {
		t.Errorf("%+v\nis read as\n%+v", doc.Value.List[0], back.Value.List[0])
	}
}
