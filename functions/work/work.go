package work

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bookplate/bookplate/shared/queue"
)

// Handler does the work of wakes.
type Handler struct {
	// Work is the worker, location.Worker's Work.
	Work queue.Handler
	Log  *slog.Logger
}

// Wake is a message's body.
type Wake struct {
	Location string `json:"location"`
}

var errNoLocation = errors.New("the message names no location")

// Handle works off a batch of messages, one after the other, and answers with those that are to come again. A location
// that several of them name is worked for once. What can't be read comes again too, until the queue puts it with the dead
// letters, where an operator sees it.
func (h Handler) Handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	var answer events.SQSEventResponse
	done := make(map[string]error)
	for _, message := range batch.Records {
		location, err := read(message.Body)
		if err == nil {
			var again bool
			if err, again = done[location]; !again {
				err = h.Work(ctx, location)
				done[location] = err
			}
		}
		if err != nil {
			h.Log.WarnContext(ctx, "wake failed", "message", message.MessageId, "location", location, "error", err)
			answer.BatchItemFailures = append(answer.BatchItemFailures,
				events.SQSBatchItemFailure{ItemIdentifier: message.MessageId})
		}
	}
	return answer, nil
}

func read(body string) (string, error) {
	var wake Wake
	if err := json.Unmarshal([]byte(body), &wake); err != nil {
		return "", err
	}
	if wake.Location == "" {
		return "", errNoLocation
	}
	return wake.Location, nil
}
