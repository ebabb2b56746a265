package syncrun

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/table"
)

// Digest is a sum over the rows of a book that doesn't depend on their order: equal digests mean equal rows.
type Digest struct {
	hi, lo uint64
	rows   int
}

// unsure is the digest of a book of which rows may have been written that it doesn't count. It equals no sum of Apple's, so
// that a full run reads the book again.
var unsure = Digest{rows: -1}

// With is the digest with one more row.
func (d Digest) With(row apple.Assignment) Digest {
	if d == unsure {
		return d
	}
	sum := sha256.Sum256([]byte(row.AdamID + "\x00" + row.PricingParam + "\x00" + row.ClientUserID))
	lo, carry := bits.Add64(d.lo, binary.BigEndian.Uint64(sum[8:16]), 0)
	hi, _ := bits.Add64(d.hi, binary.BigEndian.Uint64(sum[:8]), carry)
	return Digest{hi, lo, d.rows + 1}
}

// MarshalText makes the digest a short JSON string.
func (d Digest) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%x.%x.%d", d.hi, d.lo, d.rows), nil
}

// UnmarshalText reads what MarshalText wrote.
func (d *Digest) UnmarshalText(text []byte) error {
	if _, err := fmt.Sscanf(string(text), "%x.%x.%d", &d.hi, &d.lo, &d.rows); err != nil {
		return fmt.Errorf("digest %q: %w", text, err)
	}
	return nil
}

// digests are the digests of a location's books, in buckets of one item each. There are two sets: "digests", of the
// rows in our table, and "sums", of the rows that the run under way has read. A title's bucket is by its hash, and
// their number grows with the library (spread), so that a change costs little and a bucket fits an item. Only the holder
// of the location's lease writes them. A digest that is behind would be taken for Apple's once Apple has lost the row that
// it doesn't count; so it is stored as unsure before rows are written, and as what it is after: a worker that dies between
// costs a read of the book and never the truth.
type digests struct {
	store  *table.Store
	part   string
	count  int                       // of buckets
	loaded map[int]map[string]Digest // by bucket, then by book
	dirty  map[int]bool
	// doubted are the books of which rows are being written, and stored those whose digest in the table is unsure.
	doubted, stored map[string]bool
	versions        map[int]string // of the buckets as they were loaded or stored last
}

// perBucket is how many books a bucket has at the most, on the average: 64 of them are less than 4 KB.
const perBucket = 64

// bucketsFor is how many buckets a library needs: a power of two.
func bucketsFor(books int) int {
	n := 1
	for n*perBucket < books {
		n *= 2
	}
	return n
}

func newDigests(store *table.Store, set, location string, count int) *digests {
	return &digests{
		store: store, part: set + "#" + location, count: max(count, 1),
		loaded: make(map[int]map[string]Digest), dirty: make(map[int]bool),
		doubted: make(map[string]bool), stored: make(map[string]bool),
		versions: make(map[int]string),
	}
}

func bookName(a apple.AssetKey) string { return a.AdamID + "#" + a.PricingParam }

func assetOf(name string) apple.AssetKey {
	adamID, pricing, _ := strings.Cut(name, "#")
	return apple.AssetKey{AdamID: adamID, PricingParam: pricing}
}

// bucketOf keeps the qualities of a title together.
func (d *digests) bucketOf(a apple.AssetKey) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(a.AdamID)) // never fails
	return int(h.Sum32()) & (d.count - 1)
}

func (d *digests) key(bucket int) table.Key {
	return table.Key{Part: d.part, Sort: fmt.Sprintf("%d.%d", d.count, bucket)}
}

func (d *digests) bucket(ctx context.Context, n int) (map[string]Digest, error) {
	if b, ok := d.loaded[n]; ok {
		return b, nil
	}
	doc, err := table.LoadOrZero[map[string]Digest](ctx, d.store, d.key(n))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", d.part, err)
	}
	if doc.Value == nil {
		doc.Value = make(map[string]Digest)
	}
	d.loaded[n], d.versions[n] = doc.Value, doc.Version
	return doc.Value, nil
}

// doubt is called before rows are written: until they are counted, the digests of their books are unsure.
func (d *digests) doubt(ctx context.Context, rows []apple.Assignment) error {
	touched := make(map[int]bool)
	for _, row := range rows {
		n, name := d.bucketOf(row.AssetKey), bookName(row.AssetKey)
		if _, err := d.bucket(ctx, n); err != nil {
			return err
		}
		d.doubted[name] = true
		touched[n] = touched[n] || !d.stored[name]
	}
	maps.DeleteFunc(touched, func(_ int, needed bool) bool { return !needed })
	return d.put(ctx, touched)
}

// sure ends the doubt: what was written is counted.
func (d *digests) sure(name string) {
	if d.doubted[name] {
		delete(d.doubted, name)
		d.dirty[d.bucketOf(assetOf(name))] = true
	}
}

// add counts rows in, all that were written since doubt.
func (d *digests) add(ctx context.Context, rows []apple.Assignment) error {
	for _, row := range rows {
		n := d.bucketOf(row.AssetKey)
		b, err := d.bucket(ctx, n)
		if err != nil {
			return err
		}
		name := bookName(row.AssetKey)
		b[name] = b[name].With(row)
		d.dirty[n] = true
	}
	for name := range d.doubted {
		d.sure(name)
	}
	return nil
}

// set replaces the digest of one book; the zero digest removes it.
func (d *digests) set(ctx context.Context, asset apple.AssetKey, to Digest) error {
	n := d.bucketOf(asset)
	b, err := d.bucket(ctx, n)
	if err != nil {
		return err
	}
	if to == (Digest{}) {
		delete(b, bookName(asset))
	} else {
		b[bookName(asset)] = to
	}
	d.dirty[n] = true
	d.sure(bookName(asset))
	return nil
}

// flush stores what changed.
func (d *digests) flush(ctx context.Context) error {
	if err := d.put(ctx, d.dirty); err != nil {
		return err
	}
	clear(d.dirty)
	return nil
}

// put stores buckets, in which what is doubted is unsure.
func (d *digests) put(ctx context.Context, which map[int]bool) error {
	for _, n := range slices.Sorted(maps.Keys(which)) {
		if err := d.putBucket(ctx, n); err != nil {
			return fmt.Errorf("storing %s: %w", d.part, err)
		}
	}
	for n := range which {
		maps.DeleteFunc(d.stored, func(name string, _ bool) bool { return d.bucketOf(assetOf(name)) == n })
	}
	for name := range d.doubted {
		d.stored[name] = d.stored[name] || which[d.bucketOf(assetOf(name))]
	}
	return nil
}

// putBucket stores a bucket. A worker that was frozen may have lost the lease, and another one may have stored rows and
// digests since: then each digest on which the two don't agree is unsure.
func (d *digests) putBucket(ctx context.Context, n int) error {
	for {
		shown := maps.Clone(d.loaded[n])
		for name := range d.doubted {
			if d.bucketOf(assetOf(name)) == n {
				shown[name] = unsure
			}
		}
		doc := table.NewDoc(d.key(n), shown)
		version, known := d.versions[n]
		condition := table.At(version)
		if !known {
			condition = table.Any()
		}
		op, err := doc.SaveIf(condition)
		if err != nil {
			return err
		}
		if d.versions[n], err = d.store.Commit(ctx, op); !errors.Is(err, table.ErrCondition) {
			return err
		}
		ours := d.loaded[n]
		delete(d.loaded, n)
		theirs, err := d.bucket(ctx, n)
		if err != nil {
			return err
		}
		for _, name := range slices.Concat(slices.Collect(maps.Keys(ours)), slices.Collect(maps.Keys(theirs))) {
			if ours[name] != theirs[name] {
				theirs[name] = unsure
			}
		}
	}
}

// reset forgets the whole set.
func (d *digests) reset(ctx context.Context) error {
	var keys []table.Key
	for item, err := range d.store.Each(ctx, table.Range{Part: d.part}) {
		if err != nil {
			return fmt.Errorf("reading %s: %w", d.part, err)
		}
		keys = append(keys, item.Key)
	}
	clear(d.loaded)
	clear(d.dirty)
	clear(d.doubted)
	clear(d.stored)
	clear(d.versions)
	if err := d.store.DeleteAll(ctx, keys...); err != nil {
		return fmt.Errorf("removing %s: %w", d.part, err)
	}
	return nil
}

// spread returns the same digests in more buckets, which are stored; the old ones stay until forget.
func (d *digests) spread(ctx context.Context, count int) (*digests, error) {
	wider := newDigests(d.store, "", "", count)
	wider.part = d.part
	for n := range count { // all of them: an attempt that died may have left some
		wider.loaded[n], wider.dirty[n] = make(map[string]Digest), true
	}
	for n := range d.count {
		b, err := d.bucket(ctx, n)
		if err != nil {
			return nil, err
		}
		for name, digest := range b {
			wider.loaded[wider.bucketOf(assetOf(name))][name] = digest
		}
	}
	if err := wider.flush(ctx); err != nil {
		return nil, err
	}
	return wider, nil
}

// forget removes the buckets.
func (d *digests) forget(ctx context.Context) error {
	var keys []table.Key
	for n := range d.count {
		keys = append(keys, d.key(n))
	}
	if err := d.store.DeleteAll(ctx, keys...); err != nil {
		return fmt.Errorf("removing %s: %w", d.part, err)
	}
	return nil
}
