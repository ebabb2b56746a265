package work_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bookplate/bookplate/functions/work"
)

func TestOnlyTheMessagesThatFailedComeAgain(t *testing.T) {
	var worked []string
	h := work.Handler{
		Log: slog.New(slog.DiscardHandler),
		Work: func(_ context.Context, location string) error {
			worked = append(worked, location)
			if location == "2" {
				return errors.New("the table is away")
			}
			return nil
		},
	}
	var batch events.SQSEvent
	for id, body := range []string{
		`{"location":"1"}`, `{"location":"2"}`, `{"location":"1"}`, `{"location":"2"}`, `not JSON`, `{}`, `{"location":"3"}`,
	} {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: string(rune('a' + id)), Body: body})
	}
	answer, err := h.Handle(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	var again []string
	for _, f := range answer.BatchItemFailures {
		again = append(again, f.ItemIdentifier)
	}
	if !slices.Equal(again, []string{"b", "d", "e", "f"}) {
		t.Errorf("coming again: %v", again)
	}
	if !slices.Equal(worked, []string{"1", "2", "3"}) {
		t.Errorf("worked for %v: each location once", worked)
	}
}
