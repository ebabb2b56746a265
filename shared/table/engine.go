package table

import (
	"context"
	"time"
)

// Limits that every engine keeps (DynamoDB's own, or ours where ours is smaller).
const (
	MaxBody      = 64 << 10 // bytes of an item's body
	MaxPart      = 2048     // bytes of a partition key; at least 1
	MaxSort      = 1024     // bytes of a sort key; at least 1
	MaxGetMany   = 100      // keys a GetMany
	MaxCommit    = 25       // distinct keys a Commit
	MaxPutMany   = 25       // items a PutMany or DeleteMany
	MaxPageBytes = 1 << 20  // bytes of items a page, however large the limit; the last item may stand over
)

// Key names an item. Both parts are non-empty UTF-8 without NUL; items of a partition are ordered by the bytes of Sort.
type Key struct{ Part, Sort string }

// IndexKey is an item's place in one of the two indexes. The zero value keeps the item out of that index.
type IndexKey struct{ Part, Sort string }

// Index names one of the two sparse indexes.
type Index int

// The two indexes. What each holds is said in docs/data-model.md.
const (
	Index1 Index = iota
	Index2
)

// Item is what the table stores.
type Item struct {
	Key Key
	// Version is the token of the Commit or PutMany that wrote the item. Opaque, compared only for equality, and
	// never the same for two writes of one key, also over a deletion: a version once read names one content for ever.
	Version string
	// Expires is when the item may be removed by the engine; zero means never. It is a hint: an expired item may still
	// be read (compare with the clock where it matters), and is kept to the second.
	Expires time.Time
	// Index holds the item's places in Index1 and Index2.
	Index [2]IndexKey
	// Body is JSON.
	Body []byte
}

// Units is what a call consumed, in DynamoDB's units (4 KB strongly read, 1 KB written; eventually consistent reads
// half; transactions double; each index entry written counts). Embedded engines compute the same figures.
type Units struct{ Read, Write float64 }

// Add returns the sum.
func (u Units) Add(v Units) Units { return Units{u.Read + v.Read, u.Write + v.Write} }

// Range selects items of one partition, in order.
type Range struct {
	Part string
	// From and To bound the sort key, both inclusive; empty means open.
	From, To string
	// Limit is how many items a page has at the most; 0 means as many as the engine likes. A page may be shorter.
	Limit int
	// Cursor continues where an earlier Page.Next left off, with the same other fields.
	Cursor string
	// Reverse reads from To down to From.
	Reverse bool
}

// Prefix selects the items of part whose sort key begins with prefix.
func Prefix(part, prefix string) Range {
	if prefix == "" {
		return Range{Part: part}
	}
	return Range{Part: part, From: prefix, To: prefix + "\U0010FFFF"}
}

// Page is an answer to a Query. It may have no items and still a Next: only an empty Next ends the walk.
type Page struct {
	Items []Item
	Next  string
	Units Units
}

// Entry is one line of an index: where the item stands in it, and the item's key.
type Entry struct {
	Place IndexKey
	Key   Key
}

// IndexPage is an answer to a QueryIndex, with the same rule for Next as a Page.
type IndexPage struct {
	Entries []Entry
	Next    string
	Units   Units
}

// Reader reads. All methods may be called concurrently. Reads are strongly consistent, except QueryIndex: each item is
// what was last committed. But a GetMany or a page is no snapshot: two items of one Commit may be seen apart
// (DynamoDB: "Isolation levels for transactions", Query and BatchGetItem are read-committed).
type Reader interface {
	// Get returns the item, or ErrAbsent.
	Get(ctx context.Context, key Key) (Item, Units, error)
	// GetMany returns those of at most MaxGetMany distinct keys that exist, in any order. It returns all of them or an
	// error: engines repeat what their service leaves unprocessed.
	GetMany(ctx context.Context, keys []Key) ([]Item, Units, error)
	// Query returns a page of one partition.
	Query(ctx context.Context, r Range) (Page, error)
	// QueryIndex returns a page of an index. It is eventually consistent: entries may be missing, or stand for an
	// item that has moved on or is gone. Read the items by their keys before you believe them.
	QueryIndex(ctx context.Context, index Index, r Range) (IndexPage, error)
}

// Writer writes. All methods may be called concurrently.
type Writer interface {
	// Commit does all ops or none. The keys are distinct, at most MaxCommit. The token, unique to this intention
	// (world.NewID), becomes the version of every item put.
	//
	// Repeating a Commit with the same token and ops within ten minutes is answered with success if the first one
	// happened, whatever became of its items since.
	//
	// Except a single op that is Alone: it costs half of what an op of a transaction does, because nobody remembers its
	// token. Repeated, a put succeeds as long as its item is the one that it has put. Otherwise the repetition is judged
	// like a new op, by what is stored: a *ConditionError, which then leaves open whether the first one happened and was
	// overtaken, or a put under Absent that puts again what was deleted meanwhile. Read and see.
	//
	// Errors: a *ConditionError when a condition didn't hold (nothing happened, but see above); ErrConflict when the
	// engine was busy with one of the keys or throttles (nothing happened; repeat with the same token); ErrLimit when the
	// ops break a limit (nothing happened). After any other error the outcome is unknown: repeat with the same token, or
	// read.
	Commit(ctx context.Context, token string, ops ...Op) (Units, error)
	// PutMany stores at most MaxPutMany items with distinct keys, unconditionally and not atomically. It returns those
	// that were not stored, without error; after an error any of them may have been.
	PutMany(ctx context.Context, token string, items ...Item) (left []Item, u Units, err error)
	// DeleteMany removes at most MaxPutMany distinct keys in the same manner. Absent keys are no error.
	DeleteMany(ctx context.Context, keys ...Key) (left []Key, u Units, err error)
}

// Engine is the whole port.
type Engine interface {
	Reader
	Writer
}

// Wide is an engine that is served best by another number of calls at once than DefaultWidth.
type Wide interface{ Width() int }

// DefaultWidth is how many calls are under way at once if an engine doesn't say otherwise. On DynamoDB eight make some 1,300
// commits a second, which is what a new table on demand takes.
const DefaultWidth = 8

// WidthOf is how many calls serve an engine best at once. Whatever stands before an engine passes it on.
func WidthOf(engine any) int {
	if wide, ok := engine.(Wide); ok {
		return wide.Width()
	}
	return DefaultWidth
}
