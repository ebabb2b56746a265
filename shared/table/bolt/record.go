package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

func join(parts ...string) []byte { return []byte(strings.Join(parts, "\x00")) }

func keyOf(k table.Key) []byte { return join(k.Part, k.Sort) }

func entryKey(e table.Entry) []byte { return join(e.Place.Part, e.Place.Sort, e.Key.Part, e.Key.Sort) }

func splitKey(joined []byte) (table.Key, error) {
	parts := strings.Split(string(joined), "\x00")
	if len(parts) != 2 {
		return table.Key{}, fmt.Errorf("a key of %d parts: %w", len(parts), errDamaged)
	}
	return table.Key{Part: parts[0], Sort: parts[1]}, nil
}

func splitEntry(joined []byte) (table.Entry, error) {
	parts := strings.Split(string(joined), "\x00")
	if len(parts) != 4 {
		return table.Entry{}, fmt.Errorf("an index key of %d parts: %w", len(parts), errDamaged)
	}
	return table.Entry{
		Place: table.IndexKey{Part: parts[0], Sort: parts[1]}, Key: table.Key{Part: parts[2], Sort: parts[3]},
	}, nil
}

var errDamaged = errors.New("the table file is damaged: restore it from a backup")

// encode is the record of an item: version, expiry in seconds (0 is never), the four parts of its places, each text
// behind its length, and the body as it is.
func encode(item *table.Item) []byte {
	var seconds int64
	if !item.Expires.IsZero() {
		seconds = item.Expires.Unix()
	}
	out := make([]byte, 0, item.Size())
	out = appendText(out, item.Version)
	out = binary.AppendVarint(out, seconds)
	for _, place := range item.Index {
		out = appendText(out, place.Part)
		out = appendText(out, place.Sort)
	}
	return append(out, item.Body...)
}

func appendText(out []byte, text string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(text))), text...)
}

// decode is encode's inverse. The item shares no memory with the record.
func decode(key table.Key, record []byte) (*table.Item, error) {
	d := decoder{rest: record}
	item := table.Item{Key: key, Version: d.text()}
	if seconds := d.number(); seconds != 0 {
		item.Expires = time.Unix(seconds, 0).UTC()
	}
	for i := range item.Index {
		item.Index[i] = table.IndexKey{Part: d.text(), Sort: d.text()}
	}
	if d.broken {
		return nil, fmt.Errorf("item %v: %w", key, errDamaged)
	}
	item.Body = bytes.Clone(d.rest)
	return &item, nil
}

// decoder takes a record apart; broken stays true once the record was too short.
type decoder struct {
	rest   []byte
	broken bool
}

func (d *decoder) text() string {
	length, n := binary.Uvarint(d.rest)
	if n <= 0 || length > uint64(len(d.rest)-n) {
		d.broken = true
		return ""
	}
	text := string(d.rest[n : n+int(length)])
	d.rest = d.rest[n+int(length):]
	return text
}

func (d *decoder) number() int64 {
	number, n := binary.Varint(d.rest)
	if n <= 0 {
		d.broken = true
		return 0
	}
	d.rest = d.rest[n:]
	return number
}

// timed is a key that is ordered by time first.
func timed(seconds int64, rest []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(seconds)), rest...)
}

func untimed(key []byte) (seconds int64, rest []byte) {
	return int64(binary.BigEndian.Uint64(key)), key[8:]
}
