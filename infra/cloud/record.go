package cloud

import (
	"context"
	"log/slog"
	"reflect"
	"slices"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// Call is the message of the log's line about a call to AWS, at debug level. Its attributes say what the call needs of the
// function's role: action ("dynamodb:PutItem") and resource (the name of a table, of an index behind its table's, of a
// secret, or a queue's URL).
const Call = "call to AWS"

// recorded logs every call. What is sent isn't logged: it holds people's names, and secrets.
func recorded(log *slog.Logger) []func(*middleware.Stack) error {
	record := middleware.InitializeMiddlewareFunc("Recorded", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		if log.Enabled(ctx, slog.LevelDebug) {
			service := strings.ToLower(strings.ReplaceAll(awsmiddleware.GetServiceID(ctx), " ", ""))
			for _, n := range needs(awsmiddleware.GetOperationName(ctx), in.Parameters) {
				log.DebugContext(ctx, Call, "action", service+":"+n.action, "resource", n.resource)
			}
		}
		return next.HandleInitialize(ctx, in)
	})
	return []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
		return stack.Initialize.Add(record, middleware.After)
	}}
}

type need struct{ action, resource string }

// needs reads off a call's input what it is about. It goes by the names of the input's fields, so that a function isn't
// linked with services that it doesn't call.
func needs(operation string, input any) []need {
	in := reflect.Indirect(reflect.ValueOf(input))
	switch operation {
	case "TransactWriteItems": // no action of its own: it needs those of its parts
		return parts(in.FieldByName("TransactItems"))
	case "BatchGetItem", "BatchWriteItem":
		var list []need
		for _, table := range in.FieldByName("RequestItems").MapKeys() {
			list = append(list, need{operation, table.String()})
		}
		return list
	}
	resource := text(in, "TableName", "QueueUrl", "SecretId", "Name")
	if index := text(in, "IndexName"); index != "" {
		resource += "/index/" + index
	}
	return []need{{operation, resource}}
}

// parts are the needs of a transaction, each once.
func parts(items reflect.Value) []need {
	var list []need
	for i := range items.Len() {
		for _, kind := range []string{"Put", "Delete", "ConditionCheck", "Update"} {
			part := items.Index(i).FieldByName(kind)
			if part.IsNil() {
				continue
			}
			if n := (need{kind + "Item", text(part.Elem(), "TableName")}); !slices.Contains(list, n) {
				list = append(list, n)
			}
		}
	}
	return list
}

// text is the first of those fields that the struct has and that is set.
func text(in reflect.Value, fields ...string) string {
	for _, name := range fields {
		if f := in.FieldByName(name); f.IsValid() && !f.IsNil() {
			return f.Elem().String()
		}
	}
	return ""
}
