package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// How often the SDK sends one request at the most, and how long it waits for each answer. Whoever writes repeats by
// itself what is left (table.Store, and it takes care that two who collided part); nobody else repeats reads.
const (
	readAttempts  = 8
	writeAttempts = 3
	attemptTime   = 5 * time.Second
)

// pause is how long is waited before the next attempt: 50 ms before the second, doubled for each further one, up to 1 s.
func pause(attempt int, _ error) (time.Duration, error) {
	return min(firstPause<<attempt, time.Second), nil
}

// Reader is the reading half: a function that is given one can't write, and needs no right to. Safe for concurrent use.
type Reader struct {
	client reads
	name   *string
	clock  world.Clock
}

// Table is the whole engine. Safe for concurrent use.
type Table struct {
	*Reader
	client writes
}

var (
	_ table.Reader = (*Reader)(nil)
	_ table.Engine = (*Table)(nil)
)

// reads are the calls that a Reader makes: what the template's MayReadTable allows.
type reads interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	BatchGetItem(
		context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.BatchGetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// writes are the calls that a Table makes besides: what MayWriteTable allows.
type writes interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	BatchWriteItem(
		context.Context, *dynamodb.BatchWriteItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.BatchWriteItemOutput, error)
	TransactWriteItems(
		context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options),
	) (*dynamodb.TransactWriteItemsOutput, error)
}

// NewReader returns the reading half of the table of that name. The clock is waited on between repetitions.
func NewReader(cfg aws.Config, name string, clock world.Clock) *Reader {
	return &Reader{dynamodb.NewFromConfig(cfg, attempts(readAttempts), impatient), &name, clock}
}

// New returns the engine on the table of that name.
func New(cfg aws.Config, name string, clock world.Clock) *Table {
	writer := dynamodb.NewFromConfig(cfg, attempts(writeAttempts), impatient)
	reader := dynamodb.New(writer.Options(), attempts(readAttempts)) // on the same connections
	return &Table{&Reader{reader, &name, clock}, writer}
}

func attempts(most int) func(*dynamodb.Options) {
	return func(o *dynamodb.Options) {
		o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
			s.MaxAttempts, s.Backoff = most, retry.BackoffDelayerFunc(pause)
		})
	}
}

// impatient limits how long an answer is awaited. A caller's own HTTP client stays as it is.
func impatient(o *dynamodb.Options) {
	if client, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
		o.HTTPClient = client.WithTimeout(attemptTime)
	}
}
