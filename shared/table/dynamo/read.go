package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/bookplate/bookplate/shared/table"
)

// Get is the port's.
func (r *Reader) Get(ctx context.Context, key table.Key) (table.Item, table.Units, error) {
	if err := table.CheckKey(key); err != nil {
		return table.Item{}, table.Units{}, err
	}
	out, err := r.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: r.name, Key: keyOf(key), ConsistentRead: aws.Bool(true),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return table.Item{}, table.Units{}, err
	}
	used := readUnits(out.ConsumedCapacity)
	if out.Item == nil {
		return table.Item{}, used, table.ErrAbsent
	}
	item, err := decode(out.Item)
	return item, used, err
}

// The pauses while DynamoDB leaves keys unread: doubled each time it read none.
const (
	firstPause = 25 * time.Millisecond
	fruitless  = 8 // times in a row
)

var errUnread = errors.New("the table left keys unread")

// GetMany is the port's. It counts units by the port's rules: one batch may take several requests, and what DynamoDB
// Local says leaves out absent keys.
func (r *Reader) GetMany(ctx context.Context, keys []table.Key) ([]table.Item, table.Units, error) {
	if err := table.CheckGetMany(keys); err != nil {
		return nil, table.Units{}, err
	}
	todo := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	for _, key := range keys {
		todo.Keys = append(todo.Keys, keyOf(key))
	}
	var items []table.Item
	var used table.Units
	for failures := 0; ; {
		out, err := r.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{*r.name: todo},
		})
		if err != nil {
			return nil, used, err
		}
		left := out.UnprocessedKeys[*r.name].Keys
		found, units, err := decodeAll(out.Responses[*r.name])
		if err != nil {
			return nil, used, err
		}
		read := len(todo.Keys) - len(left)
		absent := table.Units{Read: table.ReadUnits(0).Read * float64(read-len(found))}
		items, used = append(items, found...), used.Add(units).Add(absent)
		if len(left) == 0 {
			return items, used, nil
		}
		failures++
		if read > 0 {
			failures = 0
		}
		if failures == fruitless {
			return nil, used, fmt.Errorf("%w: %d of %d", errUnread, len(left), len(keys))
		}
		if err := r.clock.Sleep(ctx, firstPause<<failures); err != nil {
			return nil, used, err
		}
		todo.Keys = left
	}
}

// decodeAll reads the items and adds up what reading each of them costs.
func decodeAll(list []attributes) ([]table.Item, table.Units, error) {
	var used table.Units
	items := make([]table.Item, 0, len(list))
	for _, attrs := range list {
		item, err := decode(attrs)
		if err != nil {
			return nil, used, err
		}
		items, used = append(items, item), used.Add(table.ReadUnits(item.Size()))
	}
	return items, used, nil
}

// Query is the port's.
func (r *Reader) Query(ctx context.Context, what table.Range) (table.Page, error) {
	after, err := table.CheckQuery(what)
	if err != nil || empty(what) {
		return table.Page{}, err
	}
	in := r.query(what, partAttr, sortAttr)
	in.ConsistentRead = aws.Bool(true)
	if after != "" {
		in.ExclusiveStartKey = keyOf(table.Key{Part: what.Part, Sort: after})
	}
	out, err := r.client.Query(ctx, in)
	if err != nil {
		return table.Page{}, refusedOr(err)
	}
	page := table.Page{Units: readUnits(out.ConsumedCapacity)}
	if page.Items, _, err = decodeAll(out.Items); err != nil {
		return table.Page{Units: page.Units}, err
	}
	if last := out.LastEvaluatedKey; last != nil {
		page.Next = table.NewCursor(textOf(last, sortAttr))
	}
	return page, nil
}

// QueryIndex is the port's.
func (r *Reader) QueryIndex(ctx context.Context, index table.Index, what table.Range) (table.IndexPage, error) {
	after, err := table.CheckQueryIndex(index, what)
	if err != nil || empty(what) {
		return table.IndexPage{}, err
	}
	names := indexAttrs[index]
	in := r.query(what, names.part, names.sort)
	in.IndexName = aws.String(names.name)
	if after != nil {
		in.ExclusiveStartKey = keyOf(after.Key)
		in.ExclusiveStartKey[names.part], in.ExclusiveStartKey[names.sort] = text(after.Place.Part), text(after.Place.Sort)
	}
	out, err := r.client.Query(ctx, in)
	if err != nil {
		return table.IndexPage{}, refusedOr(err)
	}
	entryOf := func(attrs attributes) table.Entry {
		return table.Entry{
			Place: table.IndexKey{Part: what.Part, Sort: textOf(attrs, names.sort)}, Key: decodeKey(attrs),
		}
	}
	page := table.IndexPage{Units: readUnits(out.ConsumedCapacity)}
	for _, attrs := range out.Items {
		page.Entries = append(page.Entries, entryOf(attrs))
	}
	if last := out.LastEvaluatedKey; last != nil {
		page.Next = entryOf(last).Cursor()
	}
	return page, nil
}

// empty says that the range selects nothing; DynamoDB would refuse it.
func empty(r table.Range) bool { return r.To != "" && r.From > r.To }

// query is a query of the range over keys of those names.
func (r *Reader) query(what table.Range, part, sort string) *dynamodb.QueryInput {
	condition, values := part+" = :p", attributes{":p": text(what.Part)}
	switch {
	case what.From != "" && what.To != "":
		condition += " AND " + sort + " BETWEEN :from AND :to"
	case what.From != "":
		condition += " AND " + sort + " >= :from"
	case what.To != "":
		condition += " AND " + sort + " <= :to"
	}
	if what.From != "" {
		values[":from"] = text(what.From)
	}
	if what.To != "" {
		values[":to"] = text(what.To)
	}
	in := &dynamodb.QueryInput{
		TableName: r.name, KeyConditionExpression: &condition, ExpressionAttributeValues: values,
		ScanIndexForward: aws.Bool(!what.Reverse), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	if what.Limit > 0 {
		in.Limit = aws.Int32(int32(min(what.Limit, table.MaxPageBytes))) // no page holds as many
	}
	return in
}
