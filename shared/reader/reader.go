package reader

import (
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/bookplate/bookplate/shared/table"
)

// Status is how a reader stands at Apple.
type Status string

// The states of a reader.
const (
	New        Status = "new"        // stored by us; Apple may or may not know it yet
	Invited    Status = "invited"    // Apple: Registered; no account linked
	Associated Status = "associated" // an Apple Account is linked: books can be given
	Retired    Status = "retired"    // Apple: Retired or Deleted
)

// Reader is a person of the directory in a location.
type Reader struct {
	Location     string `json:"location"`
	ClientUserID string `json:"clientUserId"`
	PersonID     string `json:"personId"`
	Generation   int    `json:"generation,omitempty"`
	Status       Status `json:"status"`
	// Account is the Managed Apple Account with which Apple was last asked to link the reader.
	Account    string `json:"account,omitempty"`
	IDHash     string `json:"idHash,omitempty"`
	InviteCode string `json:"inviteCode,omitempty"`
	// Refusal is why Apple didn't create or link the reader; it stands until Apple has linked it.
	Refusal *Refusal  `json:"refusal,omitempty"`
	Created time.Time `json:"created"`
	Changed time.Time `json:"changed"` // when Status last changed
}

// Refusal is Apple's word against a reader.
type Refusal struct {
	Number  int       `json:"number"`
	Account string    `json:"account,omitempty"` // the one that was refused
	At      time.Time `json:"at"`
}

// Doc is a reader with its place in the table.
type Doc = table.Doc[Reader]

// Foreign is a reader that Bookplate didn't make.
type Foreign struct {
	Location     string    `json:"location"`
	ClientUserID string    `json:"clientUserId"`
	Status       Status    `json:"status"`
	IDHash       string    `json:"idHash,omitempty"`
	Found        time.Time `json:"found"`
}

// ClientUserID is the id by which Apple knows a person in a location. It is derived from our mdmInfo.id there, the
// location and the person, so that it can't be made twice; the generation rises only when the reader is retired on
// purpose. It is never an e-mail address (Apple: Managing users).
func ClientUserID(mdmID, location, personID string, generation int) string {
	name := location + "/" + personID + "/" + strconv.Itoa(generation)
	return uuid.NewSHA1(uuid.MustParse(mdmID), []byte(name)).String()
}

// Identity is what clientUserIds are derived from in one location.
type Identity struct{ Location, MDMID string }

// of is the clientUserId of a person's present generation.
func (id Identity) of(personID string, retired map[string]RetirementDoc) string {
	return ClientUserID(id.MDMID, id.Location, personID, retired[personID].Value.Current())
}

// IDs are the clientUserIds of people as they are now, by personId. They stay the same while a batch may send for the
// person: a retirement waits for that.
func IDs(ctx context.Context, store *table.ReadStore, id Identity, people []string) (map[string]string, error) {
	retired, err := Retirements(ctx, store, id.Location)
	if err != nil {
		return nil, err
	}
	ids := make(map[string]string, len(people))
	for _, p := range people {
		ids[p] = id.of(p, retired)
	}
	return ids, nil
}

const shards = 16

func shard(clientUserID string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(clientUserID)) // never fails
	return strconv.FormatUint(uint64(h.Sum32()%shards), 16)
}

// key is where a reader is: spread, because a whole school is created in one go.
func key(location, clientUserID string) table.Key {
	return table.Key{Part: "readers#" + location + "#" + shard(clientUserID), Sort: clientUserID}
}

// mayBeOurs says that an id has the form of ours. Others choose theirs freely, also such as no key can hold, and a
// device's license has none at all.
func mayBeOurs(clientUserID string) bool {
	return len(clientUserID) == len(uuid.Nil.String()) && uuid.Validate(clientUserID) == nil
}

// LoadMany returns those of the readers that are ours, by clientUserId.
func LoadMany(ctx context.Context, store *table.ReadStore, location string, clientUserIDs []string) (
	map[string]Doc, error,
) {
	keys := make([]table.Key, 0, len(clientUserIDs))
	for _, id := range clientUserIDs {
		if mayBeOurs(id) {
			keys = append(keys, key(location, id))
		}
	}
	found, err := table.LoadMany[Reader](ctx, store, keys)
	if err != nil {
		return nil, fmt.Errorf("reading the readers of location %s: %w", location, err)
	}
	docs := make(map[string]Doc, len(found))
	for k, doc := range found {
		docs[k.Sort] = doc
	}
	return docs, nil
}

// OfPeople returns the readers of people who have one in the location, by personId, each as their present generation. Whose
// retirement is ordered counts as retired from then on. Somebody who was restored is new until Apple is asked for them.
func OfPeople(ctx context.Context, store *table.ReadStore, id Identity, people []string) (map[string]Doc, error) {
	retired, err := Retirements(ctx, store, id.Location)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(people))
	for i, p := range people {
		ids[i] = id.of(p, retired)
	}
	found, err := LoadMany(ctx, store, id.Location, ids)
	if err != nil {
		return nil, err
	}
	docs := make(map[string]Doc, len(found))
	for i, p := range people {
		doc, known := found[ids[i]]
		r := retired[p].Value
		switch {
		case known && r.Of(doc.Value):
			doc.Value.Status = Retired
		case !known && r.State == Restored:
			doc = table.NewDoc(key(id.Location, ids[i]), r.again(ids[i]))
		case !known:
			continue
		}
		docs[p] = doc
	}
	return docs, nil
}

// Of walks the readers of a location that are ours.
func Of(ctx context.Context, store *table.ReadStore, location string) iter.Seq2[Doc, error] {
	return func(yield func(Doc, error) bool) {
		for i := range shards {
			part := fmt.Sprintf("readers#%s#%x", location, i)
			for doc, err := range table.Docs[Reader](store.Each(ctx, table.Range{Part: part})) {
				if !yield(doc, err) || err != nil {
					return
				}
			}
		}
	}
}
