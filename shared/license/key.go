package license

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/table"
)

// Shards is over how many partitions the licenses of one title, and its holders in one location, are spread: a title
// for 10,000 readers is written in one go, and a partition takes about 1,000 writes a second.
const Shards = 16

// shard is where an id belongs.
func shard(id string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return strconv.FormatUint(uint64(h.Sum32()%Shards), 16)
}

// Key is where the license of a title for a person is. Location and quality are not in it: law 1.
func Key(adamID, personID string) table.Key {
	return table.Key{Part: titlePart(adamID, shard(personID)), Sort: personID}
}

func titlePart(adamID, shard string) string { return "title#" + adamID + "#" + shard }

// Index places of a license: Index1 lists a person's, Index2 a waiting line while it waits and a day's gifts after,
// also those that are gone: the ledger forgets nothing.
func places(l License) [2]table.IndexKey {
	at := [2]table.IndexKey{{Part: PersonPart(l.PersonID), Sort: l.AdamID}, {}}
	switch l.State {
	case Waiting:
		asked := l.Asked.UTC().Format(time.RFC3339)
		at[1] = table.IndexKey{Part: linePart(l.Location, l.AdamID), Sort: asked + "#" + l.PersonID}
	case Licensed, Gone:
		at[1] = table.IndexKey{
			Part: DayPart(l.Location, l.Given), Sort: l.Given.UTC().Format(time.RFC3339) + "#" + l.AdamID + "#" + l.PersonID,
		}
	}
	return at
}

// PersonPart is the partition of Index1 that lists a person's licenses, by adamId.
func PersonPart(personID string) string { return "person#" + personID }

// linePart is the partition of Index2 that lists who waits for a title in a location.
func linePart(location, adamID string) string { return "line#" + location + "#" + adamID }

// DayPart is the partition of Index2 that lists what a location was seen to give on a day (UTC).
func DayPart(location string, day time.Time) string {
	return "day#" + location + "#" + day.UTC().Format(time.DateOnly)
}

// holderKey is where the license of somebody whom we can't map to a person is.
func holderKey(location string, row apple.Assignment) table.Key {
	return table.Key{
		Part: holderPart(location, row.AdamID, shard(row.ClientUserID)),
		Sort: foreignID(row.ClientUserID) + "#" + row.PricingParam,
	}
}

// foreignID is a clientUserId as part of a key. Others choose theirs freely, also longer than a key may be.
func foreignID(clientUserID string) string {
	if len(clientUserID) <= table.MaxSort/2 && !strings.ContainsRune(clientUserID, 0) {
		return clientUserID
	}
	sum := sha256.Sum256([]byte(clientUserID))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func holderPart(location, adamID, shard string) string {
	return "holders#" + location + "#" + adamID + "#" + shard
}

// Batches of a location: those that are open come first, so that one short query finds them all.
func batchPart(location string) string { return "batches#" + location }

const openPrefix, endedPrefix = "open#", "past#"

func openKey(location, id string) table.Key {
	return table.Key{Part: batchPart(location), Sort: openPrefix + id}
}

func endedKey(location, id string) table.Key {
	return table.Key{Part: batchPart(location), Sort: endedPrefix + id}
}
