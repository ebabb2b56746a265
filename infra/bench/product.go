package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/bookplate/bookplate/infra/bench/measure"
	"github.com/bookplate/bookplate/infra/local/stack"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

// productHello is what the product's process says first.
type productHello struct {
	URL         string
	Admin, SCIM string // access tokens
	Cost        string // URL of what it has cost so far
}

// productCost is what it has cost so far.
type productCost struct {
	Calls  measure.Calls
	CPU    time.Duration // user and system; 0 where the system doesn't tell
	Memory int64         // bytes, the most there were
	Open   int           // batches that are under way
	Due    int           // marks of work that is due
}

// runProduct is the one-program stack as a process of its own: what infra/local runs, with a counter before its table.
func runProduct(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("product", flag.ContinueOnError)
	var o stack.Options
	flags.StringVar(&o.Data, "data", "", "directory")
	flags.StringVar(&o.Apple, "apple", "", "base URL of Apple's service")
	flags.DurationVar(&o.PollAfter, "poll-after", 200*time.Millisecond, "when a request is first looked at")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx = untilInputEnds(ctx)
	logs, err := os.Create(filepath.Join(o.Data, "bookplate.log"))
	if err != nil {
		return err
	}
	defer func() { _ = logs.Close() }() // nobody reads it who could do without its end
	var counted *measure.Engine
	var engine table.Engine
	o.Watch = func(e table.Engine) table.Engine {
		engine, counted = e, measure.NewEngine(e)
		return counted
	}
	o.Listen, o.ResendAfter, o.Federated = "127.0.0.1:0", stack.SafeResendAfter, []string{domain}
	o.Sync, o.Log = "0 5,17 * * *", slog.New(slog.NewJSONHandler(logs, nil))
	st, err := stack.Open(o)
	if err != nil {
		return err
	}
	hello := productHello{URL: st.URL()}
	if hello.Admin, err = st.Issue(auth.Administrator, "bench", 12*time.Hour); err != nil {
		return errors.Join(err, st.Close())
	}
	if hello.SCIM, err = st.Issue(auth.IdentityProvider, "bench", 12*time.Hour); err != nil {
		return errors.Join(err, st.Close())
	}
	listener, url, err := listen(ctx)
	if err != nil {
		return errors.Join(err, st.Close())
	}
	hello.Cost = url
	go func() {
		_ = serveUntil(ctx, listener, costs(counted, table.NewReadStore(engine, world.Real()))) // asking then fails
	}()
	if err := sayJSON(out, hello); err != nil {
		return errors.Join(err, st.Close())
	}
	return st.Serve(ctx)
}

// costs answers what the process has cost. It reads past the counter.
func costs(counted *measure.Engine, store *table.ReadStore) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cost := productCost{Calls: counted.Calls()}
		cost.CPU, cost.Memory = usage()
		var err error
		if cost.Open, cost.Due, err = underWay(r.Context(), store); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = sayJSON(w, cost) // who has gone away needs no answer
	})
}

// underWay is how many batches and marks aren't done yet.
func underWay(ctx context.Context, store *table.ReadStore) (open, due int, err error) {
	records, err := token.All(ctx, store)
	if err != nil {
		return 0, 0, err
	}
	now := world.Real().Now()
	for _, r := range records {
		batches, err := license.OpenBatches(ctx, store, r.Value.Location)
		if err != nil {
			return 0, 0, err
		}
		marks, err := mark.Read(ctx, store, r.Value.Location)
		if err != nil {
			return 0, 0, err
		}
		open += len(batches)
		for _, m := range marks {
			if m.Kind != mark.Sync && m.Due.Before(now.Add(time.Second)) {
				due++
			}
		}
	}
	return open, due, nil
}
