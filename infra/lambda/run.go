package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	runtime "github.com/aws/aws-lambda-go/lambda"

	"github.com/bookplate/bookplate/infra/setting"
	"github.com/bookplate/bookplate/shared/world"
)

// Process is what a bootstrap makes its function of.
type Process struct {
	Env   *setting.Env
	World world.World
	Log   *slog.Logger // JSON lines that Lambda's log filter understands
}

// ServeHTTP runs an HTTP function behind the gateway until Lambda ends the process. Settings that make no sense end it at
// once, before it takes an event.
func ServeHTTP(build func(Process) (http.Handler, error)) {
	handler, ok := begin(build)
	if !ok {
		return
	}
	runtime.StartWithOptions(gateway{handler})
}

// ServeEvents runs a function that takes events and gives answers. What it returns as an error is told to Lambda, which
// repeats the event as template.yaml says.
func ServeEvents[Event, Answer any](build func(Process) (func(context.Context, Event) (Answer, error), error)) {
	handle, ok := begin(build)
	if !ok {
		return
	}
	runtime.StartWithOptions(invoker(func(ctx context.Context, payload []byte) ([]byte, error) {
		var event Event
		if err := json.Unmarshal(payload, &event); err != nil {
			return nil, fmt.Errorf("reading the event: %w", err)
		}
		answer, err := handle(ctx, event)
		if err != nil {
			return nil, err
		}
		return json.Marshal(answer)
	}))
}

// invoker is Lambda's handler as a function; going without reflection starts faster.
type invoker func(ctx context.Context, payload []byte) ([]byte, error)

// Invoke is the runtime's.
func (i invoker) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return i(ctx, payload) }

// begin builds the function. The log says what is wrong when it can't; Lambda then tells whoever called that it failed.
func begin[T any](build func(Process) (T, error)) (made T, ok bool) {
	p := Process{Env: setting.New(os.LookupEnv), World: world.Real(), Log: newLog(os.Stdout, os.Getenv("AWS_LAMBDA_LOG_LEVEL"))}
	made, err := build(p)
	if wrong := p.Env.Err(); wrong != nil {
		err = wrong
	}
	if err != nil {
		p.Log.Error("the function can't start", "error", err)
		return made, false
	}
	return made, true
}

// Version is this build's, as Apple and the log see it.
func Version() string { return "0.1" }
