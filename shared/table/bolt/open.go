package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// lockWait is how long Open waits for another process to let go of the file.
const lockWait = time.Second

// format is the layout of the file, written into it.
const format = "1"

// The buckets, and their keys; "0" stands for a NUL byte, which no part of a key contains, so that the order of the
// joined bytes is the order of the parts.
var (
	metaBucket   = []byte("meta")                                // "format"
	itemBucket   = []byte("items")                               // part 0 sort → record
	indexBuckets = [2][]byte{[]byte("index1"), []byte("index2")} // place part 0 place sort 0 part 0 sort → nothing
	tokenBucket  = []byte("tokens")                              // token → fingerprint of the ops
	ageBucket    = []byte("tokens by age")                       // time of the commit, token → nothing
	expiryBucket = []byte("items by expiry")                     // expiry, part 0 sort → nothing
)

// Table is a table.Engine in a file. Safe for concurrent use; Close it in the end.
type Table struct {
	db    *bbolt.DB
	clock world.Clock

	waiting sync.Mutex // guards queue
	queue   []*job
	leading sync.Mutex // held by whoever runs the jobs
}

var _ table.Engine = (*Table)(nil)

// Width is how many calls serve it best at once: writes that come while the disk is busy share the next transaction, so that
// many at once wait for the disk as long as few.
func (t *Table) Width() int { return 256 }

// Open opens the table in the file at path, and makes the file and its directory when there is none. The clock decides
// about expiry and the memory of tokens.
func Open(path string, clock world.Clock) (*Table, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the table: %w", err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf(
			"already running in %s: another process holds %s; stop it, or choose another data directory: %w",
			dir, filepath.Base(path), err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the table %s: %w", path, err)
	}
	if err := db.Update(prepare); err != nil {
		return nil, errors.Join(fmt.Errorf("open the table %s: %w", path, err), db.Close())
	}
	return &Table{db: db, clock: clock}, nil
}

// Close waits for the calls under way and closes the file.
func (t *Table) Close() error { return t.db.Close() }

func prepare(tx *bbolt.Tx) error {
	for _, name := range [][]byte{
		metaBucket, itemBucket, indexBuckets[0], indexBuckets[1], tokenBucket, ageBucket, expiryBucket,
	} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(metaBucket)
	switch found := string(meta.Get([]byte("format"))); found {
	case format:
		return nil
	case "":
		return meta.Put([]byte("format"), []byte(format))
	default:
		return fmt.Errorf("it has format %q and this program knows %q: use the program that wrote it", found, format)
	}
}
