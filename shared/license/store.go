package license

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/table"
)

// Doc is a license with its place in the table.
type Doc = table.Doc[License]

// Load returns the license of a title for a person; one that isn't stored yet has no Version and only its two ids.
func Load(ctx context.Context, store *table.ReadStore, adamID, personID string) (Doc, error) {
	doc, err := table.LoadOrZero[License](ctx, store, Key(adamID, personID))
	return named(doc, adamID, personID), err
}

// LoadMany returns the licenses of a title for many people, by personId; all are in the answer, stored or not.
func LoadMany(ctx context.Context, store *table.ReadStore, adamID string, people []string) (map[string]Doc, error) {
	keys := make([]table.Key, len(people))
	for i, p := range people {
		keys[i] = Key(adamID, p)
	}
	found, err := table.LoadMany[License](ctx, store, keys)
	if err != nil {
		return nil, fmt.Errorf("reading the licenses of title %s: %w", adamID, err)
	}
	docs := make(map[string]Doc, len(people))
	for i, p := range people {
		doc := found[keys[i]]
		doc.Key = keys[i]
		docs[p] = named(doc, adamID, p)
	}
	return docs, nil
}

func named(doc Doc, adamID, personID string) Doc {
	doc.Value.AdamID, doc.Value.PersonID = adamID, personID
	return doc
}

// Save is the op that stores the license if nobody changed it since it was read.
func Save(doc Doc) (table.Op, error) {
	doc.Index = places(doc.Value)
	return doc.Save()
}

// OfTitle walks all licenses of a title, of all locations.
func OfTitle(ctx context.Context, store *table.ReadStore, adamID string) iter.Seq2[Doc, error] {
	return func(yield func(Doc, error) bool) {
		for i := range Shards {
			part := titlePart(adamID, fmt.Sprintf("%x", i))
			for doc, err := range table.Docs[License](store.Each(ctx, table.Range{Part: part})) {
				if !yield(doc, err) || err != nil {
					return
				}
			}
		}
	}
}

// Of returns all licenses of a person. The index that leads to them lags by moments after a new one.
func Of(ctx context.Context, store *table.ReadStore, personID string) ([]Doc, error) {
	var keys []table.Key
	for entry, err := range store.EachEntry(ctx, table.Index1, table.Range{Part: PersonPart(personID)}) {
		if err != nil {
			return nil, fmt.Errorf("reading the licenses of person %s: %w", personID, err)
		}
		keys = append(keys, entry.Key)
	}
	found, err := table.LoadMany[License](ctx, store, keys)
	if err != nil {
		return nil, fmt.Errorf("reading the licenses of person %s: %w", personID, err)
	}
	var docs []Doc
	for _, k := range keys {
		if doc, ok := found[k]; ok {
			docs = append(docs, doc)
		}
	}
	return docs, nil
}

// Holder is a license at Apple whose holder we can't map to a person: made by another product, or in Apple's portal.
type Holder struct {
	Location     string    `json:"location"`
	AdamID       string    `json:"adamId"`
	Pricing      string    `json:"pricing"`
	ClientUserID string    `json:"clientUserId"`
	Found        time.Time `json:"found"`
}

// HoldersOf walks the foreign holders of a title in a location.
func HoldersOf(ctx context.Context, store *table.ReadStore, location, adamID string) iter.Seq2[Holder, error] {
	return func(yield func(Holder, error) bool) {
		for i := range Shards {
			part := holderPart(location, adamID, fmt.Sprintf("%x", i))
			for doc, err := range table.Docs[Holder](store.Each(ctx, table.Range{Part: part})) {
				if !yield(doc.Value, err) || err != nil {
					return
				}
			}
		}
	}
}

// HolderID is a foreign reader of a location.
type HolderID struct {
	Location     string `json:"location"`
	ClientUserID string `json:"clientUserId"`
}

// HeldBy says which of the foreign readers hold the title, in either quality.
func HeldBy(ctx context.Context, store *table.ReadStore, adamID string, ids []HolderID) (map[HolderID]bool, error) {
	holder := make(map[table.Key]HolderID)
	for _, id := range ids {
		for _, pricing := range []string{apple.PricingSTDQ, apple.PricingPLUS} {
			asset := apple.AssetKey{AdamID: adamID, PricingParam: pricing}
			holder[holderKey(id.Location, apple.Assignment{AssetKey: asset, ClientUserID: id.ClientUserID})] = id
		}
	}
	found, err := store.GetMany(ctx, slices.Collect(maps.Keys(holder)))
	if err != nil {
		return nil, fmt.Errorf("reading the foreign holders of title %s: %w", adamID, err)
	}
	held := make(map[HolderID]bool, len(found))
	for key := range found {
		held[holder[key]] = true
	}
	return held, nil
}

// IsConflict says that a Commit of licenses failed because somebody else changed one of them first.
func IsConflict(err error) bool { return errors.Is(err, table.ErrCondition) }
