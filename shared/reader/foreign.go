package reader

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table"
)

// Foreign readers have keys of their own, so that nothing that walks our readers ever meets one.
func foreignKey(location, clientUserID string) table.Key {
	id := clientUserID
	if len(id) > table.MaxSort/2 || strings.ContainsRune(id, 0) { // others choose their ids freely
		sum := sha256.Sum256([]byte(id))
		id = "sha256:" + hex.EncodeToString(sum[:])
	}
	return table.Key{Part: "foreign#" + location + "#" + shard(clientUserID), Sort: id}
}

// alias lists the foreign readers, of all locations, that are linked to one Apple Account.
type alias struct {
	Readers []license.HolderID `json:"readers"`
}

func aliasKey(idHash string) table.Key { return table.Key{Part: "idHash#" + idHash, Sort: "foreign"} }

// Aliases returns, by idHash, the foreign readers of all locations that are linked to the same Apple Account (same
// account, same hash). What they hold counts as the person's (law 1).
func Aliases(ctx context.Context, store *table.ReadStore, idHashes []string) (map[string][]license.HolderID, error) {
	keys := make([]table.Key, 0, len(idHashes))
	hashOf := make(map[table.Key]string, len(idHashes))
	for _, h := range idHashes {
		if h != "" {
			k := aliasKey(h)
			keys, hashOf[k] = append(keys, k), h
		}
	}
	found, err := table.LoadMany[alias](ctx, store, keys)
	if err != nil {
		return nil, fmt.Errorf("reading who shares an Apple Account: %w", err)
	}
	aliases := make(map[string][]license.HolderID, len(found))
	for k, doc := range found {
		aliases[hashOf[k]] = doc.Value.Readers
	}
	return aliases, nil
}

// storeForeign stores what changed of foreign readers. Under which account each is found is stored first: a reader that
// is known is not looked at again.
func storeForeign(ctx context.Context, store *table.Store, location string, rows []Foreign, now time.Time) (
	changed int, err error,
) {
	keys := make([]table.Key, len(rows))
	for i, row := range rows {
		keys[i] = foreignKey(location, row.ClientUserID)
	}
	known, err := table.LoadMany[Foreign](ctx, store.ReadStore, keys)
	if err != nil {
		return 0, fmt.Errorf("reading the foreign readers of location %s: %w", location, err)
	}
	items := make(map[table.Key]table.Item)
	for i, row := range rows {
		old, ok := known[keys[i]]
		if ok && old.Value.Status == row.Status && old.Value.IDHash == row.IDHash {
			continue
		}
		if ok {
			row.Found = old.Value.Found
		}
		if row.IDHash != "" && row.IDHash != old.Value.IDHash {
			if err := tell(ctx, store, location, now); err != nil {
				return 0, err
			}
			if err := link(ctx, store, row.IDHash, license.HolderID{Location: location, ClientUserID: row.ClientUserID}); err != nil {
				return 0, fmt.Errorf("storing who shares an Apple Account: %w", err)
			}
		}
		if items[keys[i]], err = table.Encode(keys[i], row); err != nil {
			return 0, err
		}
	}
	return len(items), putAll(ctx, store, items)
}

// link notes that a foreign reader is linked to an account, again from the start when another location was faster.
func link(ctx context.Context, store *table.Store, idHash string, id license.HolderID) error {
	for {
		doc, err := table.LoadOrZero[alias](ctx, store, aliasKey(idHash))
		if err != nil || slices.Contains(doc.Value.Readers, id) {
			return err
		}
		doc.Value.Readers = append(doc.Value.Readers, id)
		op, err := doc.Save()
		if err != nil {
			return err
		}
		if _, err = store.Commit(ctx, op); !errors.Is(err, table.ErrCondition) {
			return err
		}
	}
}

// putAll stores items in the order of their keys, so that one run of the same input does the same writes.
func putAll(ctx context.Context, store *table.Store, items map[table.Key]table.Item) error {
	list := make([]table.Item, 0, len(items))
	for _, item := range items {
		list = append(list, item)
	}
	slices.SortFunc(list, func(a, b table.Item) int { return a.Key.Compare(b.Key) })
	return store.PutAll(ctx, list...)
}
