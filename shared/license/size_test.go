package license_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// Apple's documented limits are 25 titles for 1,000 people a request; the batch of one is one item.
func TestTheLargestBatchFitsAnItem(t *testing.T) {
	v := world.NewVirtual(1, time.Date(2030, 9, 1, 8, 0, 0, 123456789, time.UTC))
	b := license.Batch{
		ID: world.NewID(v), Location: "1000000000000001", State: license.Sent, SinceVersion: world.NewID(v),
		Event: world.NewID(v), Created: v.Now(), SendingAt: v.Now(), NotAfter: v.Now(), SentAt: v.Now(), Polls: 99,
	}
	for i := range 25 {
		b.Titles = append(b.Titles, apple.AssetKey{AdamID: fmt.Sprint(1400000000 + i), PricingParam: apple.PricingSTDQ})
	}
	for i := range 1000 {
		if i%2 == 0 { // whoever is dropped isn't sent
			b.People = append(b.People, world.NewID(v))
		} else {
			b.Dropped = append(b.Dropped, world.NewID(v))
		}
	}
	item, err := license.NewBatch(b).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := table.CheckItem(item); err != nil {
		t.Errorf("a batch of 25 titles for 1,000 people, of %d bytes: %v", len(item.Body), err)
	}
}
