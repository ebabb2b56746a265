package main

import (
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/local/demo"
	"github.com/bookplate/bookplate/infra/local/stack"
)

const (
	realApple    = "https://vpp.itunes.apple.com/mdm/v2"
	loopbackFake = "http://127.0.0.1:9000/mdm/v2"
)

// variables is an environment.
func variables(of map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := of[name]
		return value, ok
	}
}

func TestFlagsGoBeforeTheEnvironmentAndThatBeforeDefaults(t *testing.T) {
	defaults := settings{Options: stack.Options{
		Listen: "127.0.0.1:3000", AnyPort: true, Data: "./.bookplate", Apple: realApple, Hold: 10 * time.Minute,
		ApprovalAbove: 100, ResendAfter: 10 * time.Minute, PollAfter: 10 * time.Second, Sync: "0 5,17 * * *",
	}}
	for name, c := range map[string]struct {
		args string
		env  map[string]string
		want func(s *settings)
	}{
		"defaults": {"-apple " + realApple, nil, func(*settings) {}},
		"environment": {"", map[string]string{
			"BOOKPLATE_APPLE": realApple, "BOOKPLATE_APPROVAL_ABOVE": "7", "BOOKPLATE_SELF_APPROVAL": "true",
			"BOOKPLATE_HOLD": "1m", "BOOKPLATE_RESEND_AFTER": "11m", "BOOKPLATE_LISTEN": "127.0.0.1:4000",
			"BOOKPLATE_FEDERATED_DOMAINS": "a.example, b.example,", "BOOKPLATE_LOG": "true", "HOLD": "9m",
		}, func(s *settings) {
			s.Hold, s.ResendAfter, s.Listen, s.AnyPort = time.Minute, 11*time.Minute, "127.0.0.1:4000", false
			s.Federated, s.logToStderr, s.ApprovalAbove, s.SelfApproval = []string{"a.example", "b.example"}, true, 7, true
		}},
		"flag over environment": {"-apple " + realApple + " -hold 2m -data d", map[string]string{
			"BOOKPLATE_HOLD": "1m", "BOOKPLATE_DATA": "e", "BOOKPLATE_APPLE": "https://other.example/mdm/v2",
		}, func(s *settings) { s.Hold, s.Data = 2*time.Minute, "d" }},
		"an empty variable is none": {"-apple " + realApple, map[string]string{"BOOKPLATE_HOLD": ""}, func(*settings) {}},
		"a restored copy": {
			"-apple " + realApple,
			map[string]string{"BOOKPLATE_RESTORED_AT": "2020-09-02T09:00:00Z"},
			func(s *settings) { s.RestoredAt = time.Date(2020, 9, 2, 9, 0, 0, 0, time.UTC) },
		},
		"a port asked for is the only one": {"-apple " + realApple + " -listen 127.0.0.1:3000", nil, func(s *settings) {
			s.AnyPort = false
		}},
		"demo": {"", nil, func(s *settings) {
			s.Demo, s.Hold, s.ResendAfter, s.PollAfter = true, 0, 3*time.Second, time.Second
			s.Federated, s.Apple = []string{demo.Domain}, "http://127.0.0.1/mdm/v2"
		}},
		"demo with some of its own": {"-demo -hold 5s", map[string]string{
			"BOOKPLATE_RESEND_AFTER": "7s", "BOOKPLATE_FEDERATED_DOMAINS": "c.example",
		}, func(s *settings) {
			s.Demo, s.Hold, s.ResendAfter, s.PollAfter = true, 5*time.Second, 7*time.Second, time.Second
			s.Federated, s.Apple = []string{"c.example"}, "http://127.0.0.1/mdm/v2"
		}},
	} {
		want := defaults
		c.want(&want)
		got, err := parse(strings.Fields(c.args), variables(c.env), io.Discard)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v\nwant %+v", name, got, err, want)
		}
	}
}

func TestWhatIsWrongIsRefusedWithWordsAndNothingIsTouched(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for name, c := range map[string]struct {
		args string
		env  map[string]string
		want string
	}{
		"short wait with the real Apple": {
			"-resend-after 9m59s -apple " + realApple, nil,
			"-resend-after 9m59s is less than 10m, which is only allowed with Apple on loopback: a license might be spent twice",
		},
		"short wait from the environment": {
			"-apple " + realApple, map[string]string{"BOOKPLATE_RESEND_AFTER": "1s"}, "a license might be spent twice",
		},
		"no wait": {"-resend-after 0s -apple " + loopbackFake, nil, "must be more than zero"},
		"restored in the future": {
			"-restored-at 2999-01-01T00:00:00Z", nil, "-restored-at 2999-01-01T00:00:00Z is in the future",
		},
		"restored at no time": {"-restored-at yesterday", nil, "restored-at"},
		"negative hold":       {"-hold -1s", nil, "-hold -1s must not be negative"},
		"no poll":             {"-poll-after 0s", nil, "-poll-after 0s must be more than zero"},
		"cron":                {"-sync nonsense", nil, `-sync "nonsense" is not a cron line of five fields`},
		"domain":              {"-federated-domains a@school.example", nil, `"a@school.example" is not a domain like school.example`},
		"demo and Apple":      {"-demo -apple " + realApple, nil, "leave out -apple, or -demo"},
		"plain HTTP":          {"-apple http://vpp.itunes.apple.com/mdm/v2", nil, "must begin with https://"},
		"no URL":              {"-apple nonsense", nil, "must look like https://vpp.itunes.apple.com/mdm/v2"},
		"short admin":         {"-admin-token made-up", nil, "-admin-token: bearer secret 1 of 1 for admin-token is shorter than 22"},
		"short SCIM":          {"-scim-token made-up", nil, "-scim-token: bearer secret 1 of 1 for scim-token is shorter than 22"},
		"argument":            {"serve", nil, `unexpected argument "serve"`},
		"unknown flag":        {"-nonsense", nil, "-nonsense"},
		"variable":            {"", map[string]string{"BOOKPLATE_HOLD": "soon"}, "BOOKPLATE_HOLD"},
		"several at once":     {"-hold -1s -sync nonsense", nil, "nonsense"},
	} {
		args := append([]string{"-reset", "-data", dir}, strings.Fields(c.args)...)
		err := run(t.Context(), args, variables(c.env), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "made-up") {
			t.Errorf("%s: the message shows a secret: %v", name, err)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the data directory was made: %v", err)
	}
}

func TestAShortWaitIsForLoopbackOnly(t *testing.T) {
	for _, apple := range []string{loopbackFake, "http://localhost:9000/mdm/v2", "http://[::1]:9000/mdm/v2"} {
		if _, err := parse([]string{"-apple", apple, "-resend-after", "2s"}, variables(nil), io.Discard); err != nil {
			t.Errorf("%s: %v", apple, err)
		}
	}
}
