//go:build aws

package sqs_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	service "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/bookplate/bookplate/infra/emulators"
	"github.com/bookplate/bookplate/shared/queue"
	"github.com/bookplate/bookplate/shared/queue/queuetest"
	"github.com/bookplate/bookplate/shared/queue/sqs"
	"github.com/bookplate/bookplate/shared/world"
)

// delivering is the engine with what Lambda does for it: take messages, call the handler, and delete what it has done.
type delivering struct {
	*sqs.Queue
	t      *testing.T
	client *service.Client
	url    string
}

// Run delivers until ctx ends. What a handler failed is to come again at once instead of after the visibility time-out.
func (d delivering) Run(ctx context.Context, handler queue.Handler) {
	var handlers sync.WaitGroup
	defer handlers.Wait()
	for ctx.Err() == nil {
		out, err := d.client.ReceiveMessage(ctx, &service.ReceiveMessageInput{
			QueueUrl: &d.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1,
		})
		if err != nil {
			if ctx.Err() == nil {
				d.t.Error(err)
			}
			return
		}
		for _, m := range out.Messages {
			handlers.Go(func() { d.deliver(ctx, m, handler) })
		}
	}
}

func (d delivering) deliver(ctx context.Context, m types.Message, handler queue.Handler) {
	var wake struct{ Location string }
	err := json.Unmarshal([]byte(*m.Body), &wake)
	if err == nil {
		err = handler(ctx, wake.Location)
	}
	ctx = context.WithoutCancel(ctx)
	if err == nil {
		_, err = d.client.DeleteMessage(ctx, &service.DeleteMessageInput{QueueUrl: &d.url, ReceiptHandle: m.ReceiptHandle})
	} else {
		_, err = d.client.ChangeMessageVisibility(ctx, &service.ChangeMessageVisibilityInput{
			QueueUrl: &d.url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0,
		})
	}
	if err != nil {
		d.t.Error(err)
	}
}

func open(t *testing.T, cfg aws.Config) (engine delivering, dead string) {
	t.Helper()
	url, dead := emulators.Queues(t, cfg, world.NewID(world.Real()))
	return delivering{sqs.New(cfg, url, world.Real()), t, service.NewFromConfig(cfg), url}, dead
}

func TestContract(t *testing.T) {
	cfg := emulators.Moto(t)
	queuetest.Run(t, func(t *testing.T) (queuetest.Engine, world.Clock) {
		engine, _ := open(t, cfg)
		return engine, world.Real()
	})
}

func TestAWakeThatAlwaysFailsBecomesADeadLetter(t *testing.T) {
	cfg := emulators.Moto(t)
	engine, dead := open(t, cfg)
	location := world.NewID(world.Real())
	if err := engine.Wake(t.Context(), location, time.Time{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var calls int
	var delivered sync.WaitGroup
	var mu sync.Mutex
	delivered.Go(func() {
		engine.Run(ctx, func(context.Context, string) error {
			mu.Lock()
			defer mu.Unlock()
			calls++
			return errors.New("made-up trouble")
		})
	})
	var letters []types.Message
	for range 30 {
		out, err := engine.client.ReceiveMessage(t.Context(), &service.ReceiveMessageInput{
			QueueUrl: &dead, WaitTimeSeconds: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		if letters = out.Messages; letters != nil {
			break
		}
	}
	cancel()
	delivered.Wait()
	if want := `{"location":"` + location + `"}`; len(letters) != 1 || *letters[0].Body != want {
		t.Errorf("dead letters %v", letters)
	}
	if calls != 5 {
		t.Errorf("delivered %d times, template.yaml says 5", calls)
	}
}

func TestAWakeIsPutOffByWholeSecondsAndNoMoreThanTheService(t *testing.T) {
	cfg, wire := emulators.Tap(t, emulators.Moto(t))
	now := time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)
	url, _ := emulators.Queues(t, cfg, "wakes")
	q := sqs.New(cfg, url, world.NewVirtual(1, now))
	for ahead, want := range map[time.Duration]int{
		-time.Hour: 0, 0: 0, time.Nanosecond: 1, time.Second: 1, 1500 * time.Millisecond: 2,
		queue.MaxDelay - time.Nanosecond: 900, queue.MaxDelay: 900, 24 * time.Hour: 900,
	} {
		var sent struct{ DelaySeconds int }
		wire.Next(emulators.Fault{Operation: "SendMessage", Change: func(body string) string {
			if err := json.Unmarshal([]byte(body), &sent); err != nil {
				t.Error(err)
			}
			return body
		}})
		if err := q.Wake(t.Context(), "1000", now.Add(ahead)); err != nil {
			t.Errorf("%v: %v", ahead, err)
		}
		if sent.DelaySeconds != want {
			t.Errorf("%v ahead is put off by %d s, want %d", ahead, sent.DelaySeconds, want)
		}
	}
}

// A lost answer is repeated by the SDK: the wake is there once or twice, and that is the same.
func TestAWakeWhoseAnswerWasLostIsSent(t *testing.T) {
	cfg, wire := emulators.Tap(t, emulators.Moto(t))
	for _, obey := range []bool{false, true} {
		engine, _ := open(t, cfg)
		wire.Next(emulators.Fault{Operation: "SendMessage", Obey: obey})
		if err := engine.Wake(t.Context(), "1000", time.Time{}); err != nil {
			t.Fatal(err)
		}
		out, err := engine.client.ReceiveMessage(t.Context(), &service.ReceiveMessageInput{
			QueueUrl: &engine.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1,
		})
		if err != nil || len(out.Messages) == 0 || len(out.Messages) > 2 {
			t.Errorf("obeyed %v: %d messages, %v", obey, len(out.Messages), err)
		}
	}
}
