package stack

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// Options of a stack. The program's flags carry the same names.
type Options struct {
	Listen string // host:port
	// AnyPort takes another free port when that of Listen is taken.
	AnyPort bool
	Data    string // directory
	Apple   string // base URL of Apple's service
	Demo    bool   // Apple is the demo's own fake, wherever it listens
	Hold    time.Duration
	// ApprovalAbove is over how many licenses an assignment waits for approval; 0 means never, but for all users.
	ApprovalAbove int
	SelfApproval  bool // whoever asked for an assignment may approve it too
	// ResendAfter is law 2's: less than ten minutes only with Apple on loopback.
	ResendAfter time.Duration
	PollAfter   time.Duration
	Federated   []string // domains whose userNames are Managed Apple Accounts
	AdminToken  string   // opaque; empty: made once
	SCIMToken   string   // opaque; empty: made once
	Sync        string   // cron
	// RestoredAt is when the program was last stopped before its data were restored from a copy; zero: never. Nothing is
	// spent until every location was read whole since.
	RestoredAt time.Time
	Log        *slog.Logger
	// Watch, if set, stands between the program and its table.
	Watch func(table.Engine) table.Engine
}

// SafeResendAfter is how long an unknown outcome is waited out with the real Apple.
const SafeResendAfter = 10 * time.Minute

// opaque are the opaque tokens given, by flag name.
func (o Options) opaque() map[string]string {
	return map[string]string{"admin-token": o.AdminToken, "scim-token": o.SCIMToken}
}

// Validate says all that is wrong with the options. It touches nothing.
func (o Options) Validate() error {
	_, err := o.validate()
	return err
}

// validate returns all that is wrong with the options, and the sync's schedule.
func (o Options) validate() (cron.Schedule, error) {
	var faults []error
	if _, err := apple.NewService(apple.Options{BaseURL: o.Apple, World: world.Real()}); err != nil {
		faults = append(faults, fmt.Errorf("-apple: %w", err))
	} else if base, err := url.Parse(o.Apple); err == nil && o.ResendAfter < SafeResendAfter && !loopback(base.Hostname()) {
		faults = append(faults, fmt.Errorf(
			"-resend-after %s is less than 10m, which is only allowed with Apple on loopback: a license might be spent twice",
			o.ResendAfter))
	}
	faults = append(faults, o.numbers()...)
	for _, d := range o.Federated {
		if strings.ContainsAny(d, "@ /") || d == "" {
			faults = append(faults, fmt.Errorf("-federated-domains: %q is not a domain like school.example", d))
		}
	}
	for name, given := range o.opaque() {
		if given == "" {
			continue
		}
		if _, err := auth.Opaque(auth.Caller{Subject: name}, given); err != nil {
			faults = append(faults, fmt.Errorf("-%s: %w", name, err))
		}
	}
	schedule, err := cron.ParseStandard(o.Sync)
	if err != nil {
		faults = append(faults, fmt.Errorf(`-sync %q is not a cron line of five fields like "0 5,17 * * *": %w`, o.Sync, err))
	}
	return schedule, errors.Join(faults...)
}

// numbers says what is wrong with the times and numbers.
func (o Options) numbers() (faults []error) {
	if o.ResendAfter <= 0 {
		faults = append(faults, fmt.Errorf("-resend-after %s must be more than zero", o.ResendAfter))
	}
	if o.PollAfter <= 0 {
		faults = append(faults, fmt.Errorf("-poll-after %s must be more than zero", o.PollAfter))
	}
	if o.Hold < 0 {
		faults = append(faults, fmt.Errorf("-hold %s must not be negative", o.Hold))
	}
	if o.ApprovalAbove < 0 {
		faults = append(faults, fmt.Errorf("-approval-above %d must not be negative", o.ApprovalAbove))
	}
	if o.RestoredAt.After(world.Real().Now()) {
		faults = append(faults, fmt.Errorf("-restored-at %s is in the future: all work would wait until then",
			o.RestoredAt.Format(time.RFC3339)))
	}
	return faults
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
