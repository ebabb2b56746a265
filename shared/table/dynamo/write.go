package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/bookplate/bookplate/shared/table"
)

// Commit is the port's.
func (t *Table) Commit(ctx context.Context, token string, ops ...table.Op) (table.Units, error) {
	if err := table.CheckCommit(token, ops); err != nil {
		return table.Units{}, err
	}
	if !table.Alone(ops) {
		return t.transact(ctx, token, ops)
	}
	switch op := ops[0]; op.Kind {
	case table.OpPut:
		return t.put(ctx, token, op)
	case table.OpDelete:
		return t.delete(ctx, token, op)
	default:
		return t.check(ctx, token, op)
	}
}

// transact is a transaction. DynamoDB remembers its token for ten minutes ("Idempotency", TransactWriteItems).
func (t *Table) transact(ctx context.Context, token string, ops []table.Op) (table.Units, error) {
	in := &dynamodb.TransactWriteItemsInput{
		ClientRequestToken: &token, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	for _, op := range ops {
		in.TransactItems = append(in.TransactItems, t.part(token, op))
	}
	var d doubt
	out, err := t.client.TransactWriteItems(ctx, in, d.watch)
	if err == nil {
		return writeUnits(out.ConsumedCapacity...), nil
	}
	err = d.outcome(token, err)
	if errors.Is(err, table.ErrCondition) {
		// A canceled transaction doesn't say what it cost, nor what it found: this is the least.
		return table.CommitUnits(ops, make([]table.Change, len(ops))), err
	}
	return table.Units{}, err
}

// part is one op of a transaction.
func (t *Table) part(token string, op table.Op) types.TransactWriteItem {
	condition, values := expression(op.If)
	switch op.Kind {
	case table.OpPut:
		return types.TransactWriteItem{Put: &types.Put{
			TableName: t.name, Item: encode(op.Item, token),
			ConditionExpression: condition, ExpressionAttributeValues: values,
		}}
	case table.OpDelete:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: t.name, Key: keyOf(op.Item.Key),
			ConditionExpression: condition, ExpressionAttributeValues: values,
		}}
	}
	if condition == nil { // a check of nothing: true of any item that has a key, and of none
		condition = aws.String("attribute_exists(" + partAttr + ") OR attribute_not_exists(" + partAttr + ")")
	}
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: t.name, Key: keyOf(op.Item.Key),
		ConditionExpression: condition, ExpressionAttributeValues: values,
	}}
}

// expression is the condition in DynamoDB's words; nil when it always holds.
func expression(c table.Condition) (*string, attributes) {
	switch c.Want {
	case table.WantAbsent:
		return aws.String("attribute_not_exists(" + partAttr + ")"), nil
	case table.WantPresent:
		return aws.String("attribute_exists(" + partAttr + ")"), nil
	case table.WantVersion:
		return aws.String(versionAttr + " = :v"), attributes{":v": text(c.Version)}
	}
	return nil, nil
}

// put is a single conditional put.
func (t *Table) put(ctx context.Context, token string, op table.Op) (table.Units, error) {
	condition, values := expression(op.If)
	var d doubt
	out, err := t.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: t.name, Item: encode(op.Item, token),
		ConditionExpression: condition, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ReturnConsumedCapacity:              types.ReturnConsumedCapacityTotal,
	}, d.watch)
	if err != nil {
		return d.single(token, op, err)
	}
	return singleUnits(out.ConsumedCapacity), nil
}

// delete is a single conditional delete.
func (t *Table) delete(ctx context.Context, token string, op table.Op) (table.Units, error) {
	condition, values := expression(op.If)
	var d doubt
	out, err := t.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: t.name, Key: keyOf(op.Item.Key),
		ConditionExpression: condition, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ReturnConsumedCapacity:              types.ReturnConsumedCapacityTotal,
	}, d.watch)
	if err != nil {
		return d.single(token, op, err)
	}
	return singleUnits(out.ConsumedCapacity), nil
}

// single is what the error of a single write means. When its condition failed, the item that was found decides, by the
// rule of all engines: it may be what an earlier attempt has put.
func (d *doubt) single(token string, op table.Op, err error) (table.Units, error) {
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return table.Units{}, d.outcome(token, err)
	}
	return decide(token, op, failed.Item)
}

// check is a single check: a strong read, which costs less than a transaction of one.
func (t *Table) check(ctx context.Context, token string, op table.Op) (table.Units, error) {
	out, err := t.Reader.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: t.name, Key: keyOf(op.Item.Key), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return table.Units{}, refusedOr(err)
	}
	return decide(token, op, out.Item)
}

// decide is what becomes of a single op that changes nothing of what is stored; nil is no item.
func decide(token string, op table.Op, stored attributes) (table.Units, error) {
	var found *table.Item
	if stored != nil {
		item, err := decode(stored)
		if err != nil {
			return table.Units{}, err
		}
		found = &item
	}
	ops := []table.Op{op}
	changes, err := table.Decide(token, ops, func(table.Key) *table.Item { return found })
	return table.CommitUnits(ops, changes), err
}
