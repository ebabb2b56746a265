package bolt

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/table"
)

func TestARecordCutShortIsDamagedAndNeverPanics(t *testing.T) {
	key := table.Key{Part: "p", Sort: "s"}
	item := table.Item{Key: key, Version: "v1", Expires: time.Unix(1_800_000_000, 0), Body: []byte(`{"a": 1}`)}
	item.Index[1] = table.IndexKey{Part: "x", Sort: "1"}
	record := encode(&item)
	head := len(record) - len(item.Body)
	for n := range len(record) + 1 {
		got, err := decode(key, record[:n])
		if n < head {
			if !errors.Is(err, errDamaged) {
				t.Errorf("%d bytes: %v", n, err)
			}
			continue
		}
		if err != nil || !bytes.Equal(got.Body, record[head:n]) || got.Index != item.Index ||
			!got.Expires.Equal(item.Expires) || got.Version != item.Version {
			t.Errorf("%d bytes: %+v, %v", n, got, err)
		}
	}
}

func TestAKeyOfTheWrongNumberOfPartsIsDamaged(t *testing.T) {
	for _, joined := range []string{"", "a", "a\x00b\x00c"} {
		if _, err := splitKey([]byte(joined)); !errors.Is(err, errDamaged) {
			t.Errorf("key %q: %v", joined, err)
		}
		if _, err := splitEntry([]byte(joined)); !errors.Is(err, errDamaged) {
			t.Errorf("entry %q: %v", joined, err)
		}
	}
}
