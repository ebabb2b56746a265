//go:build aws && e2e

package e2e

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// trigger plays the queue's event source: it hands messages to the function, one a batch, and deletes those that the
// function doesn't name as failed. What stays comes again after the queue's visibility time-out. It ends with ctx.
func trigger(ctx context.Context, cfg aws.Config, queue string, work *function) {
	client := sqs.NewFromConfig(cfg)
	for ctx.Err() == nil {
		got, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &queue, MaxNumberOfMessages: 1, WaitTimeSeconds: 1,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			continue
		}
		for _, m := range got.Messages {
			if !delivered(ctx, m, work) {
				continue
			}
			if _, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{
				QueueUrl: &queue, ReceiptHandle: m.ReceiptHandle,
			}); err != nil {
				continue // it comes again, which does no harm
			}
		}
	}
}

func delivered(ctx context.Context, m types.Message, work *function) bool {
	payload, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: *m.MessageId, ReceiptHandle: *m.ReceiptHandle, Body: *m.Body, Attributes: m.Attributes,
		EventSource: "aws:sqs",
	}}})
	if err != nil {
		return false
	}
	answer, err := work.invoke(ctx, payload)
	if err != nil {
		return false
	}
	var out events.SQSEventResponse
	return json.Unmarshal(answer, &out) == nil && len(out.BatchItemFailures) == 0
}

// timer plays the scheduler, faster than the template has it: the tests can't wait five minutes for a sweep.
func timer(ctx context.Context, every time.Duration, input string, schedule *function) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_, _ = schedule.invoke(ctx, []byte(input)) // the scheduler repeats, and the next one is as good
		case <-ctx.Done():
			return
		}
	}
}
