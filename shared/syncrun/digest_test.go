package syncrun

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/world"
)

func someRows(n int) []apple.Assignment {
	rows := make([]apple.Assignment, n)
	for i := range rows {
		rows[i] = apple.Assignment{
			AssetKey:     apple.AssetKey{AdamID: fmt.Sprint(900 + i%7), PricingParam: []string{"STDQ", "PLUS"}[i%2]},
			ClientUserID: fmt.Sprint("u", i),
		}
	}
	return rows
}

func digestOf(rows ...apple.Assignment) (d Digest) {
	for _, row := range rows {
		d = d.With(row)
	}
	return d
}

func TestADigestDoesNotDependOnTheOrderOfItsRows(t *testing.T) {
	v := world.NewVirtual(1, time.Unix(0, 0))
	rows := someRows(200)
	want := digestOf(rows...)
	for range 20 {
		for i := range rows {
			j := v.IntN(i + 1)
			rows[i], rows[j] = rows[j], rows[i]
		}
		if digestOf(rows...) != want {
			t.Fatal("another order gave another digest")
		}
	}
}

func TestADigestTellsRowsApart(t *testing.T) {
	row := func(adamID, pricing, user string) apple.Assignment {
		return apple.Assignment{AssetKey: apple.AssetKey{AdamID: adamID, PricingParam: pricing}, ClientUserID: user}
	}
	seen := map[Digest]string{}
	for name, rows := range map[string][]apple.Assignment{
		"nothing": nil, "one": {row("1", "STDQ", "a")}, "other title": {row("2", "STDQ", "a")},
		"other quality": {row("1", "PLUS", "a")}, "other user": {row("1", "STDQ", "b")},
		"twice": {row("1", "STDQ", "a"), row("1", "STDQ", "a")}, "the border moved": {row("1S", "TDQ", "a")},
	} {
		d := digestOf(rows...)
		if other, ok := seen[d]; ok {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		seen[d] = name
	}
}

func TestADigestSurvivesJSON(t *testing.T) {
	for n := range 60 {
		want := map[string]Digest{"x": digestOf(someRows(n)...)}
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]Digest
		if err := json.Unmarshal(data, &got); err != nil || !maps.Equal(got, want) {
			t.Fatalf("%s became %v with error %v", data, got, err)
		}
	}
	var d Digest
	for _, bad := range []string{`""`, `"x"`, `"1.2"`, `"1.2.z"`} {
		if err := json.Unmarshal([]byte(bad), &d); err == nil {
			t.Errorf("%s was read as a digest", bad)
		}
	}
}

const someBuckets = 8

func newSet(t *testing.T) (*mem.Table, *table.Store) {
	t.Helper()
	v := world.NewVirtual(1, time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC))
	engine := mem.New(v)
	return engine, table.NewStore(engine, v.World())
}

func TestDigestsAreKeptInBucketsAndReadBackAlike(t *testing.T) {
	engine, store := newSet(t)
	rows := someRows(300)
	d := newDigests(store, "digests", "1000", someBuckets)
	if err := d.add(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if len(engine.Snapshot()) != 0 {
		t.Error("something was stored before the flush")
	}
	if err := d.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := map[string]Digest{}
	for _, row := range rows {
		want[bookName(row.AssetKey)] = want[bookName(row.AssetKey)].With(row)
	}
	got := map[string]Digest{}
	again := newDigests(store, "digests", "1000", someBuckets)
	for n := range someBuckets {
		b, err := again.bucket(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		for name, sum := range b {
			if d.bucketOf(assetOf(name)) != n {
				t.Errorf("%s is in bucket %d", name, n)
			}
			got[name] = sum
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("%d digests were read back, want %d alike", len(got), len(want))
	}
}

// A worker that dies after it has written rows and before it has counted them leaves a digest that is behind. Once Apple
// has lost such a row (a refund), that digest would be Apple's, and the row would stay in the table for ever (law 7).
func TestADigestIsUnsureWhileRowsOfItsBookAreWritten(t *testing.T) {
	_, store := newSet(t)
	rows := someRows(40)
	book := rows[0].AssetKey
	stored := func() Digest {
		t.Helper()
		fresh := newDigests(store, "digests", "1000", 4)
		b, err := fresh.bucket(t.Context(), fresh.bucketOf(book))
		if err != nil {
			t.Fatal(err)
		}
		return b[bookName(book)]
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d := newDigests(store, "digests", "1000", 4)
	do(d.doubt(t.Context(), rows))
	if stored() != unsure {
		t.Error("a worker that dies now leaves a digest that may be taken for Apple's")
	}
	do(d.flush(t.Context()))
	if stored() != unsure {
		t.Error("the doubt ended before the rows were counted")
	}
	after := newDigests(store, "digests", "1000", 4) // of the next worker, for whom a part of the rows isn't new
	do(after.add(t.Context(), rows[:1]))
	do(after.flush(t.Context()))
	if stored() != unsure {
		t.Error("counting some rows ended the doubt of a worker that has died")
	}
	do(d.add(t.Context(), rows))
	do(d.flush(t.Context()))
	if stored() != unsure {
		t.Error("a worker that had frozen believed what it had read before another one wrote")
	}
	want := Digest{}
	for _, row := range rows {
		if row.AssetKey == book {
			want = want.With(row)
		}
	}
	reread := newDigests(store, "digests", "1000", 4)
	do(reread.set(t.Context(), book, want))
	do(reread.flush(t.Context()))
	if got := stored(); got != want {
		t.Errorf("the digest is %v after the book was read again, want %v", got, want)
	}
}

func TestQualitiesOfATitleShareABucketAndBucketsAreFilledEvenly(t *testing.T) {
	const books = 32000
	d := newDigests(nil, "digests", "1000", bucketsFor(books))
	counts := map[int]int{}
	for i := range books {
		adamID := fmt.Sprint(900000000 + i)
		n := d.bucketOf(apple.AssetKey{AdamID: adamID, PricingParam: "STDQ"})
		if n != d.bucketOf(apple.AssetKey{AdamID: adamID, PricingParam: "PLUS"}) {
			t.Fatalf("title %s is in two buckets", adamID)
		}
		counts[n]++
	}
	if len(counts) != 512 {
		t.Errorf("%d buckets are used, want 512", len(counts))
	}
	for n, count := range counts {
		if count > 3*perBucket { // some 60 bytes each, of an item's 64 KB
			t.Errorf("bucket %d has %d books", n, count)
		}
	}
}

func TestTheDigestOfARereadBookIsThatOfItsRowsAlone(t *testing.T) {
	_, store := newSet(t)
	d := newDigests(store, "digests", "1000", someBuckets)
	rows := someRows(70)
	if err := d.add(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	var kept []apple.Assignment // of title 900, all but the first, and no PLUS
	for _, row := range rows[1:] {
		if row.AdamID == "900" && row.PricingParam == "STDQ" {
			kept = append(kept, row)
		}
	}
	s := Syncer{digests: d, sums: newDigests(store, "sums", "1000", someBuckets)}
	if err := s.redigest(t.Context(), "900", kept); err != nil {
		t.Fatal(err)
	}
	b, err := d.bucket(t.Context(), d.bucketOf(apple.AssetKey{AdamID: "900"}))
	if err != nil {
		t.Fatal(err)
	}
	if b["900#STDQ"] != digestOf(kept...) {
		t.Error("the digest isn't that of the rows that are left")
	}
	if _, there := b["900#PLUS"]; there {
		t.Error("a quality without rows still has a digest")
	}
}

func TestAResetSetIsEmptyAlsoForOthers(t *testing.T) {
	engine, store := newSet(t)
	d := newDigests(store, "sums", "1000", someBuckets)
	if err := d.add(t.Context(), someRows(300)); err != nil {
		t.Fatal(err)
	}
	if err := d.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.reset(t.Context()); err != nil || len(engine.Snapshot()) != 0 {
		t.Errorf("error %v, and the table holds %d items", err, len(engine.Snapshot()))
	}
	b, err := d.bucket(t.Context(), 0)
	if err != nil || len(b) != 0 {
		t.Errorf("bucket 0 has %v with error %v", b, err)
	}
}

func TestDigestsThatAreSpreadAreTheSameInMoreBuckets(t *testing.T) {
	engine, store := newSet(t)
	rows := someRows(300)
	d := newDigests(store, "digests", "1000", 2)
	if err := errors.Join(d.add(t.Context(), rows), d.flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time as after a death before the old ones were forgotten
		if _, err := d.spread(t.Context(), someBuckets); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(engine.Snapshot()); n != someBuckets {
		t.Errorf("%d items are left, want %d", n, someBuckets)
	}
	wider := newDigests(store, "digests", "1000", someBuckets)
	for _, row := range rows {
		b, err := wider.bucket(t.Context(), wider.bucketOf(row.AssetKey))
		if err != nil {
			t.Fatal(err)
		}
		mine := slices.DeleteFunc(slices.Clone(rows), func(o apple.Assignment) bool { return o.AssetKey != row.AssetKey })
		if b[bookName(row.AssetKey)] != digestOf(mine...) {
			t.Fatalf("the digest of %s has changed", bookName(row.AssetKey))
		}
	}
}
