package dynamo

import (
	"context"
	"errors"
	"fmt"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/bookplate/bookplate/shared/table"
)

// doubt watches the attempts of one call. The SDK repeats a request whose answer was lost, and then shows the last
// answer only: a refusal, though the first request may have been obeyed.
type doubt struct{ there bool }

// watch is an option of the call.
func (d *doubt) watch(o *dynamodb.Options) {
	look := middleware.FinalizeMiddlewareFunc("Doubt", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		out, about, err := next.HandleFinalize(ctx, in)
		if err != nil && !refused(err) {
			d.there = true
		}
		return out, about, err
	})
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(look, "Retry", middleware.After)
	})
}

// refused says that DynamoDB has answered that it did nothing.
func refused(err error) bool {
	var answer *awshttp.ResponseError
	var running *types.TransactionInProgressException // an earlier request with that token, which may yet succeed
	return errors.As(err, &answer) && answer.HTTPStatusCode()/100 == 4 && !errors.As(err, &running)
}

// busy says that an answer is one of those after which the same request may succeed.
func busy(code string) bool {
	switch code {
	case "TransactionConflictException", "TransactionConflict", "ProvisionedThroughputExceededException",
		"ProvisionedThroughputExceeded", "ThrottlingException", "ThrottlingError", "RequestLimitExceeded":
		return true
	}
	return false
}

// outcome is what an error of a write means to the port; conditions of single writes are told apart by their callers.
func (d *doubt) outcome(token string, err error) error {
	var (
		canceled *types.TransactionCanceledException
		mismatch *types.IdempotentParameterMismatchException
		api      smithy.APIError
	)
	switch {
	case errors.As(err, &canceled):
		return d.canceled(canceled)
	case errors.As(err, &mismatch):
		return table.ErrTokenReused(token)
	case errors.As(err, &api) && busy(api.ErrorCode()):
		return d.conflict(err)
	}
	return refusedOr(err)
}

// refusedOr is an ErrLimit when DynamoDB calls the request invalid, which repeating won't change; else the error.
func refusedOr(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "ValidationException" {
		return fmt.Errorf("%w: %w", table.ErrLimit, err)
	}
	return err
}

// conflict is an ErrConflict, unless an earlier attempt may have happened: then the outcome is unknown.
func (d *doubt) conflict(err error) error {
	if d.there {
		return fmt.Errorf("after an attempt without an answer: %w", err)
	}
	return fmt.Errorf("%w: %w", table.ErrConflict, err)
}

// canceled reads the reasons, one an op. A condition that failed tells more than a key that was busy.
func (d *doubt) canceled(e *types.TransactionCanceledException) error {
	var failed []int
	var isBusy bool
	for i, reason := range e.CancellationReasons {
		switch code := *orEmpty(reason.Code); {
		case code == "ConditionalCheckFailed":
			failed = append(failed, i)
		case code == "ValidationError":
			return fmt.Errorf("%w: op %d: %s", table.ErrLimit, i, *orEmpty(reason.Message))
		case busy(code):
			isBusy = true
		}
	}
	switch {
	case failed != nil:
		return &table.ConditionError{Failed: failed}
	case isBusy:
		return d.conflict(e)
	}
	return e
}

func orEmpty(s *string) *string {
	if s == nil {
		return new(string)
	}
	return s
}
