package sqs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/bookplate/bookplate/shared/queue"
	"github.com/bookplate/bookplate/shared/world"
)

// Queue is a queue.Queue on a standard queue: each wake is a message of its own, kept back for as long as it is early.
// Safe for concurrent use.
type Queue struct {
	client *sqs.Client
	url    string
	clock  world.Clock
}

var _ queue.Queue = (*Queue)(nil)

// New returns the queue of that URL.
func New(cfg aws.Config, url string, clock world.Clock) *Queue {
	return &Queue{sqs.NewFromConfig(cfg), url, clock}
}

// Wake is the port's. The message is {"location": "…"}, which functions/work reads. After an error it may have been
// sent: two wakes are as good as one.
func (q *Queue) Wake(ctx context.Context, location string, notBefore time.Time) error {
	body, err := json.Marshal(struct {
		Location string `json:"location"`
	}{location})
	if err != nil {
		return fmt.Errorf("wake location %s: %w", location, err)
	}
	_, err = q.client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &q.url, MessageBody: aws.String(string(body)), DelaySeconds: delay(notBefore.Sub(q.clock.Now())),
	})
	if err != nil {
		return fmt.Errorf("wake location %s: %w", location, err)
	}
	return nil
}

// delay is the whole seconds that a wake is put off: rounded up, so that it isn't early.
func delay(ahead time.Duration) int32 {
	ahead = min(max(ahead, 0), queue.MaxDelay)
	return int32((ahead + time.Second - 1) / time.Second)
}
