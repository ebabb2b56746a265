package lambda

import (
	"context"
	"io"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// newLog writes JSON lines as Lambda's log filter reads them, from the level on that template.yaml sets. Each has the
// invocation by which Lambda's own lines name the same event; requestId is the request's own, which its caller knows.
func newLog(out io.Writer, level string) *slog.Logger {
	least := slog.LevelInfo
	if level != "" {
		_ = least.UnmarshalText([]byte(level)) // a level that slog doesn't know (TRACE, FATAL) leaves it at info
	}
	return slog.New(invoked{slog.NewJSONHandler(out, &slog.HandlerOptions{
		Level: least, ReplaceAttr: lambdacontext.ReplaceAttr,
	})})
}

// invoked adds the invocation to every line.
type invoked struct{ slog.Handler }

// Handle is slog's.
func (h invoked) Handle(ctx context.Context, r slog.Record) error {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("invocation", lc.AwsRequestID))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs is slog's.
func (h invoked) WithAttrs(attrs []slog.Attr) slog.Handler {
	return invoked{h.Handler.WithAttrs(attrs)}
}

// WithGroup is slog's.
func (h invoked) WithGroup(name string) slog.Handler { return invoked{h.Handler.WithGroup(name)} }
