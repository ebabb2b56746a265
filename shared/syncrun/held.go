package syncrun

import (
	"context"

	"github.com/bookplate/bookplate/shared/table"
)

// Held counts the licenses that Apple lists in a location, by the rows of our table, and the books that they are of; buckets is
// token.Sync.Buckets. Where it isn't exact, rows of some book are being written, or their worker died over it: there are more.
func Held(ctx context.Context, store *table.Store, location string, buckets int) (licenses, books int, exact bool, err error) {
	d := newDigests(store, "digests", location, buckets)
	exact = true
	for n := range d.count {
		bucket, err := d.bucket(ctx, n)
		if err != nil {
			return 0, 0, false, err
		}
		for _, digest := range bucket {
			switch {
			case digest == unsure:
				exact = false
			case digest.rows > 0:
				licenses, books = licenses+digest.rows, books+1
			}
		}
	}
	return licenses, books, exact, nil
}
