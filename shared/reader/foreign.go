package reader

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

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

// alias lists the foreign readers of a location that are linked to one Apple Account.
type alias struct {
	ClientUserIDs []string `json:"clientUserIds"`
}

func aliasKey(location, idHash string) table.Key {
	return table.Key{Part: "idHash#" + location + "#" + idHash, Sort: "foreign"}
}

// Aliases returns, by idHash, the foreign readers that are linked to the same Apple Account (same account, same hash).
// What they hold counts as the person's (law 1).
func Aliases(ctx context.Context, store *table.ReadStore, location string, idHashes []string) (
	map[string][]string, error,
) {
	keys := make([]table.Key, 0, len(idHashes))
	hashOf := make(map[table.Key]string, len(idHashes))
	for _, h := range idHashes {
		if h != "" {
			k := aliasKey(location, h)
			keys, hashOf[k] = append(keys, k), h
		}
	}
	found, err := table.LoadMany[alias](ctx, store, keys)
	if err != nil {
		return nil, fmt.Errorf("reading who shares an Apple Account in location %s: %w", location, err)
	}
	aliases := make(map[string][]string, len(found))
	for k, doc := range found {
		aliases[hashOf[k]] = doc.Value.ClientUserIDs
	}
	return aliases, nil
}

// storeForeign stores what changed of foreign readers, and under which account each is found.
func storeForeign(ctx context.Context, store *table.Store, location string, rows []Foreign) (changed int, err error) {
	keys := make([]table.Key, len(rows))
	hashes := make([]table.Key, 0, len(rows))
	for i, row := range rows {
		keys[i] = foreignKey(location, row.ClientUserID)
		if row.IDHash != "" {
			hashes = append(hashes, aliasKey(location, row.IDHash))
		}
	}
	known, err := table.LoadMany[Foreign](ctx, store.ReadStore, keys)
	if err != nil {
		return 0, fmt.Errorf("reading the foreign readers of location %s: %w", location, err)
	}
	linked, err := table.LoadMany[alias](ctx, store.ReadStore, hashes)
	if err != nil {
		return 0, fmt.Errorf("reading who shares an Apple Account in location %s: %w", location, err)
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
		if items[keys[i]], err = table.Encode(keys[i], row); err != nil {
			return 0, err
		}
		if row.IDHash == "" {
			continue
		}
		k := aliasKey(location, row.IDHash)
		doc := linked[k]
		doc.Key = k
		if !slices.Contains(doc.Value.ClientUserIDs, row.ClientUserID) {
			doc.Value.ClientUserIDs = append(doc.Value.ClientUserIDs, row.ClientUserID)
			linked[k] = doc
			if items[k], err = doc.Encode(); err != nil {
				return 0, err
			}
		}
	}
	return len(items), putAll(ctx, store, items)
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
