package lambda

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

func TestLinesAreAsLambdaReadsThem(t *testing.T) {
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "made-up-invocation"})
	for level, want := range map[string]int{"": 2, "DEBUG": 3, "INFO": 2, "WARN": 1, "ERROR": 0, "TRACE": 2} {
		var out bytes.Buffer
		log := newLog(&out, level).With("requestId", "made-up-request")
		log.DebugContext(ctx, "a")
		log.InfoContext(ctx, "b")
		log.WarnContext(ctx, "c")
		if n := bytes.Count(out.Bytes(), []byte("\n")); n != want {
			t.Errorf("at level %q there were %d lines, not %d", level, n, want)
		}
		for line := range bytes.Lines(out.Bytes()) {
			var got map[string]any
			if err := json.Unmarshal(line, &got); err != nil {
				t.Fatal(err)
			}
			if got["timestamp"] == nil || got["level"] == nil || got["message"] == nil ||
				got["invocation"] != "made-up-invocation" || got["requestId"] != "made-up-request" {
				t.Errorf("got %s", line)
			}
		}
	}
}
