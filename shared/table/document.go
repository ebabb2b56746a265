package table

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
)

// Doc is an item with its body decoded: what domain code reads, changes and saves.
//
//	doc, err := table.LoadOrZero[Book](ctx, store, key)
//	doc.Value.Title = "Momo"
//	op, err := doc.Save()
//	_, err = store.Commit(ctx, op) // a *ConditionError when somebody else was faster
type Doc[T any] struct {
	Item
	Value T
}

// NewDoc is a document that isn't stored yet: its Save demands that the key be absent.
func NewDoc[T any](key Key, value T) Doc[T] { return Doc[T]{Item: Item{Key: key}, Value: value} }

// Save is the op that stores the document if nobody changed, made or removed it since it was read.
func (d Doc[T]) Save() (Op, error) { return d.SaveIf(At(d.Version)) }

// SaveIf is the op that stores the document under another condition.
func (d Doc[T]) SaveIf(c Condition) (Op, error) {
	item, err := d.Encode()
	return Put(item, c), err
}

// Remove is the op that deletes the document if nobody changed it since it was read.
func (d Doc[T]) Remove() Op { return Delete(d.Key, At(d.Version)) }

// Unchanged is the op that lets a Commit happen only if the document is still what was read, be that absent.
func (d Doc[T]) Unchanged() Op { return Check(d.Key, At(d.Version)) }

// Encode is the item with the value as its body.
func (d Doc[T]) Encode() (Item, error) {
	item, err := Encode(d.Key, d.Value)
	if err != nil {
		return Item{}, err
	}
	body := item.Body
	item = d.Item
	item.Body = body
	return item, nil
}

// Encode makes an item of a value; expiry and places in indexes are the caller's to set.
func Encode(key Key, value any) (Item, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return Item{}, fmt.Errorf("encode %v: %w", key, err)
	}
	return Item{Key: key, Body: body}, nil
}

// Decode reads an item's body.
func Decode[T any](item Item) (Doc[T], error) {
	doc := Doc[T]{Item: item}
	if err := json.Unmarshal(item.Body, &doc.Value); err != nil {
		return Doc[T]{}, fmt.Errorf("decode %v: %w", item.Key, err)
	}
	return doc, nil
}

// Getter is what Load reads from: a Store or a ReadStore.
type Getter interface {
	Get(ctx context.Context, key Key) (Item, error)
}

// Load returns the document, or ErrAbsent.
func Load[T any](ctx context.Context, from Getter, key Key) (Doc[T], error) {
	item, err := from.Get(ctx, key)
	if err != nil {
		return Doc[T]{}, err
	}
	return Decode[T](item)
}

// LoadOrZero returns the document, or one that isn't stored yet: its Version is empty, which At takes for Absent, so
// that it can be filled and saved either way.
func LoadOrZero[T any](ctx context.Context, from Getter, key Key) (Doc[T], error) {
	doc, err := Load[T](ctx, from, key)
	if errors.Is(err, ErrAbsent) {
		return Doc[T]{Item: Item{Key: key}}, nil
	}
	return doc, err
}

// LoadMany returns those documents of the keys that exist; any number of keys, in any order.
func LoadMany[T any](ctx context.Context, from *ReadStore, keys []Key) (map[Key]Doc[T], error) {
	items, err := from.GetMany(ctx, keys)
	if err != nil {
		return nil, err
	}
	docs := make(map[Key]Doc[T], len(items))
	for key, item := range items {
		if docs[key], err = Decode[T](item); err != nil {
			return nil, err
		}
	}
	return docs, nil
}

// Docs decodes what a walk yields: for doc, err := range table.Docs[Book](store.Each(ctx, r)).
func Docs[T any](items iter.Seq2[Item, error]) iter.Seq2[Doc[T], error] {
	return func(yield func(Doc[T], error) bool) {
		for item, err := range items {
			var doc Doc[T]
			if err == nil {
				doc, err = Decode[T](item)
			}
			if !yield(doc, err) || err != nil {
				return
			}
		}
	}
}
