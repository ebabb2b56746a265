package dynamo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/bookplate/bookplate/shared/table"
)

// The attributes of an item. Keys, indexes and expiry are in template.yaml too; table.Item.Size counts their names.
const (
	partAttr    = "pk"
	sortAttr    = "sk"
	versionAttr = "v"
	bodyAttr    = "b" // the JSON as it came
	expiresAttr = "x" // seconds since 1970; absent: never
)

// indexAttrs are the indexes by their table.Index. An item without the two attributes isn't in the index.
var indexAttrs = [2]struct{ name, part, sort string }{{"index1", "i1p", "i1s"}, {"index2", "i2p", "i2s"}}

type attributes = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func keyOf(k table.Key) attributes {
	return attributes{partAttr: text(k.Part), sortAttr: text(k.Sort)}
}

// encode is the item as it is stored under the version.
func encode(item table.Item, version string) attributes {
	attrs := keyOf(item.Key)
	attrs[versionAttr] = text(version)
	attrs[bodyAttr] = text(string(item.Body))
	if !item.Expires.IsZero() {
		attrs[expiresAttr] = &types.AttributeValueMemberN{Value: strconv.FormatInt(item.Expires.Unix(), 10)}
	}
	for i, place := range item.Index {
		if place != (table.IndexKey{}) {
			attrs[indexAttrs[i].part], attrs[indexAttrs[i].sort] = text(place.Part), text(place.Sort)
		}
	}
	return attrs
}

// decode reads an item. One that was stored by something else is an error.
func decode(attrs attributes) (table.Item, error) {
	item := table.Item{Key: decodeKey(attrs), Version: textOf(attrs, versionAttr), Body: []byte(textOf(attrs, bodyAttr))}
	if n, ok := attrs[expiresAttr].(*types.AttributeValueMemberN); ok {
		seconds, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			return table.Item{}, fmt.Errorf("decode %v: expiry: %w", item.Key, err)
		}
		item.Expires = time.Unix(seconds, 0).UTC()
	}
	for i, names := range indexAttrs {
		item.Index[i] = table.IndexKey{Part: textOf(attrs, names.part), Sort: textOf(attrs, names.sort)}
	}
	if item.Key.Part == "" || item.Key.Sort == "" || item.Version == "" {
		return table.Item{}, fmt.Errorf("decode %v: not an item of this table", item.Key)
	}
	return item, nil
}

func decodeKey(attrs attributes) table.Key {
	return table.Key{Part: textOf(attrs, partAttr), Sort: textOf(attrs, sortAttr)}
}

// textOf is the attribute's text, empty when there is none.
func textOf(attrs attributes, name string) string {
	if s, ok := attrs[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}
