package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bookplate/bookplate/infra/local/demo"
	"github.com/bookplate/bookplate/infra/local/stack"
	"github.com/bookplate/bookplate/shared/assign"
)

type settings struct {
	stack.Options
	reset, logToStderr bool
}

// logFile is the log's name in the data directory.
const logFile = "bookplate.log"

const usage = `Bookplate as one program.

  go run ./infra/local                     play Apple, and show the main job
  go run ./infra/local -apple https://vpp.itunes.apple.com/mdm/v2 -data ./bookplate-data
                                           with your own content token

Every option can also be given as an environment variable: -resend-after is BOOKPLATE_RESEND_AFTER.

Options:
`

// parse reads the options: flags first, then the environment, then defaults, some of which depend on the demo.
func parse(args []string, env func(string) (string, bool), messages io.Writer) (settings, error) {
	var s settings
	var domains string
	f := flag.NewFlagSet("local", flag.ContinueOnError)
	f.SetOutput(messages)
	f.Usage = func() {
		_, _ = io.WriteString(messages, usage)
		f.PrintDefaults()
	}
	f.StringVar(&s.Listen, "listen", "127.0.0.1:3000",
		"`address` to listen on; another free port when this one is taken and none was asked for")
	f.StringVar(&s.Data, "data", "./.bookplate",
		"`directory` for everything that is kept; it belongs to the Apple it was first used with, -apple's or the demo's")
	f.StringVar(&s.Apple, "apple", "", "base `URL` of Apple's service; plain HTTP only to loopback")
	f.BoolVar(&s.Demo, "demo", false, "play Apple, with a school, and show the main job; on when no -apple is given")
	f.BoolVar(&s.reset, "reset", false,
		"remove what the demo has kept in -data, first; the directory of any other Apple is refused")
	f.DurationVar(&s.Hold, "hold", 10*time.Minute, "how long a new required assignment spends nothing (0s in the demo)")
	f.IntVar(&s.ApprovalAbove, "approval-above", assign.DefaultApprovalAbove,
		"over how many `licenses` a new assignment waits for another administrator's approval; 0 means never, but for all users")
	f.BoolVar(&s.SelfApproval, "self-approval", false, "let whoever asked for an assignment approve it too")
	f.DurationVar(&s.ResendAfter, "resend-after", stack.SafeResendAfter,
		"how long an unknown outcome is waited out before a license is sent again (3s in the demo); "+
			"less than 10m only with Apple on loopback")
	f.DurationVar(&s.PollAfter, "poll-after", 10*time.Second,
		"when a request is first looked at after it was sent (1s in the demo); later looks come three times that later")
	f.StringVar(&domains, "federated-domains", "", "`domains`, separated by commas, whose userNames are Managed Apple Accounts")
	f.StringVar(&s.AdminToken, "admin-token", "",
		"opaque `string` that is accepted as an administrator's; made and shown once when not given")
	f.StringVar(&s.SCIMToken, "scim-token", "",
		"opaque `string` that is accepted as the identity provider's; made and shown once when not given")
	f.StringVar(&s.Sync, "sync", "0 5,17 * * *", "`cron` line of the regular syncs, in local time")
	f.Func("restored-at", "when the program was stopped before -data was restored from a copy, as `time` like "+
		"2030-09-02T09:00:00Z; nothing is spent until every location was read whole since; leave it as it is afterwards",
		func(text string) (err error) {
			s.RestoredAt, err = time.Parse(time.RFC3339, text)
			return err
		})
	f.BoolVar(&s.logToStderr, "log", false, "write the log to standard error instead of the data directory")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q; options begin with '-' (see -help)", f.Arg(0))
	}
	given, err := fromEnv(f, env)
	if err != nil {
		return s, err
	}
	if s.Apple == "" {
		s.Demo = true
	} else if s.Demo {
		return s, errors.New("-demo plays Apple itself: leave out -apple, or -demo")
	}
	for _, d := range strings.Split(domains, ",") {
		if d = strings.TrimSpace(d); d != "" {
			s.Federated = append(s.Federated, d)
		}
	}
	s.AnyPort = !given["listen"]
	if s.Demo {
		demoDefaults(&s, given)
	}
	return s, s.Validate() // now, before anything is removed or made
}

// fromEnv sets the flags that weren't given from the environment, and returns the names of all that are set now.
func fromEnv(f *flag.FlagSet, env func(string) (string, bool)) (map[string]bool, error) {
	given := make(map[string]bool)
	f.Visit(func(one *flag.Flag) { given[one.Name] = true })
	var faults []error
	f.VisitAll(func(one *flag.Flag) {
		name := "BOOKPLATE_" + strings.ToUpper(strings.ReplaceAll(one.Name, "-", "_"))
		value, ok := env(name)
		if !ok || value == "" || given[one.Name] {
			return
		}
		if err := f.Set(one.Name, value); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
		given[one.Name] = true
	})
	return given, errors.Join(faults...)
}

func demoDefaults(s *settings, given map[string]bool) {
	s.Apple = "http://127.0.0.1/mdm/v2" // until the fake has its port
	if !given["hold"] {
		s.Hold = 0
	}
	if !given["resend-after"] {
		s.ResendAfter = 3 * time.Second
	}
	if !given["poll-after"] {
		s.PollAfter = time.Second
	}
	if !given["federated-domains"] {
		s.Federated = []string{demo.Domain}
	}
}

// reset removes what the demo keeps in the data directory.
func reset(dir string) error {
	if err := stack.Reset(dir, logFile); err != nil {
		return fmt.Errorf("-reset: %w", err)
	}
	return nil
}

// openLog opens the log. It is kept apart from what people read on the screen.
func openLog(s settings, messages io.Writer) (io.WriteCloser, error) {
	if s.logToStderr {
		return nopCloser{messages}, nil
	}
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	path := filepath.Join(s.Data, logFile)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) // #nosec G304 -- the operator's own choice
	if err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	return file, nil
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
