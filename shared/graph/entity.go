package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Entity is one object of a collection as JSON has it. Values are nil, bool, string, json.Number, any Go integer or
// float, time.Time, []any, []string and map[string]any.
type Entity = map[string]any

// ToEntity turns a struct with JSON tags into an Entity.
func ToEntity(v any) (Entity, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("entity to JSON: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var e Entity
	if err := d.Decode(&e); err != nil {
		return nil, fmt.Errorf("entity from JSON: %w", err)
	}
	return e, nil
}

// ToEntities turns each item into an Entity.
func ToEntities[T any](items []T) ([]Entity, error) {
	entities := make([]Entity, len(items))
	for i := range items {
		e, err := ToEntity(items[i])
		if err != nil {
			return nil, err
		}
		entities[i] = e
	}
	return entities, nil
}
