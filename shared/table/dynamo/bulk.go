package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/bookplate/bookplate/shared/table"
)

// PutMany is the port's.
func (t *Table) PutMany(
	ctx context.Context, token string, items ...table.Item,
) (left []table.Item, u table.Units, err error) {
	if err := table.CheckPutMany(token, items); err != nil {
		return nil, table.Units{}, err
	}
	return writeMany(ctx, t, items, func(i table.Item) table.Key { return i.Key }, func(i table.Item) types.WriteRequest {
		return types.WriteRequest{PutRequest: &types.PutRequest{Item: encode(i, token)}}
	})
}

// DeleteMany is the port's.
func (t *Table) DeleteMany(ctx context.Context, keys ...table.Key) (left []table.Key, u table.Units, err error) {
	if err := table.CheckDeleteMany(keys); err != nil {
		return nil, table.Units{}, err
	}
	return writeMany(ctx, t, keys, func(k table.Key) table.Key { return k }, func(k table.Key) types.WriteRequest {
		return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: keyOf(k)}}
	})
}

// writeMany sends one batch and returns what DynamoDB left of it: all, when it throttles.
func writeMany[T any](
	ctx context.Context, t *Table, list []T, key func(T) table.Key, request func(T) types.WriteRequest,
) (left []T, u table.Units, err error) {
	requests := make([]types.WriteRequest, len(list))
	for i, one := range list {
		requests[i] = request(one)
	}
	var d doubt
	out, err := t.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
		RequestItems:           map[string][]types.WriteRequest{*t.name: requests},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}, d.watch)
	if err != nil {
		if err = d.outcome("", err); errors.Is(err, table.ErrConflict) {
			return list, table.Units{}, nil
		}
		return nil, table.Units{}, err
	}
	unwritten := map[table.Key]bool{}
	for _, r := range out.UnprocessedItems[*t.name] {
		if r.PutRequest != nil {
			unwritten[decodeKey(r.PutRequest.Item)] = true
		} else if r.DeleteRequest != nil {
			unwritten[decodeKey(r.DeleteRequest.Key)] = true
		}
	}
	for _, one := range list {
		if unwritten[key(one)] {
			left = append(left, one)
		}
	}
	return left, writeUnits(out.ConsumedCapacity...), nil
}
