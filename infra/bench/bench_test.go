package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/infra/bench/measure"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/world"
)

// The test's program is also the processes that the benchmark starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if r, ok := roles[os.Args[1]]; ok {
			if err := r(context.Background(), os.Args[2:], os.Stdout); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		}
	}
	os.Exit(m.Run())
}

// checkRequests holds the requests to what they ought to be. Where most is above the least, why says what is asked in
// addition, a job and not a license.
func checkRequests(t *testing.T, c counted, more map[measure.Kind]int) {
	t.Helper()
	for kind, count := range c.counts {
		least, ok := c.job.Least(kind)
		if kind == measure.Others {
			continue
		}
		if !ok || count < least.Count || count > least.Count+more[kind] {
			t.Errorf("%s: %d, want %d (%s) and at most %d more", kind, count, least.Count, least.Why, more[kind])
		}
	}
	for _, kind := range []measure.Kind{measure.Associates, measure.Creates, measure.DeltaPages} {
		if c.counts[kind] == 0 {
			t.Errorf("%s: none was counted, which can't be", kind)
		}
	}
	if rows := c.rows[measure.DeltaPages]; rows != c.job.Licenses() {
		t.Errorf("%d rows of licenses were read, want each of the %d once", rows, c.job.Licenses())
	}
}

func TestTheProgramAsksAppleNoMoreThanItMust(t *testing.T) {
	show := newProgress(io.Discard, world.Real().Clock)
	// Several processes write messages at once: a buffer wouldn't do.
	l := live{titles: 3, readers: 40, pollAfter: 1, show: show, messages: t.Output()}
	result, err := l.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// How often is polled depends on how busy the machine is; what a sync reads, on whether one is due meanwhile.
	const some = 1000
	checkRequests(t, result.counted, map[measure.Kind]int{
		measure.AssociatePolls: some, measure.CreatePolls: some, measure.CountReads: 3, measure.DeltaPages: 3,
		measure.UserDeltaPages: 6,
	})
	if shown := result.String(); !strings.Contains(shown, "bare client") {
		t.Errorf("shown is\n%s", shown)
	}
}

func TestInVirtualTimeAppleIsAskedNoMoreThanItMust(t *testing.T) {
	small := applefake.DocumentedLimits()
	small.MaxAssets, small.MaxClientUserIDs, small.MaxUsers = 2, 10, 3
	for _, test := range []struct {
		of   size
		more map[measure.Kind]int
	}{
		{
			size{3, 40, applefake.DocumentedLimits(), pageSize},
			// A minute after licenses were given, a sync reads what has changed since: counts, and two empty pages.
			map[measure.Kind]int{measure.CountReads: 1, measure.DeltaPages: 1, measure.UserDeltaPages: 3},
		},
		{
			size{5, 41, small, 20}, // 15 batches of 12 user creates
			// Of five batches under way together the first reads what all were given, and each other one an empty page.
			map[measure.Kind]int{measure.CountReads: 3, measure.DeltaPages: 15, measure.UserDeltaPages: 12},
		},
	} {
		c, err := inVirtualTime(t.Context(), test.of, newProgress(io.Discard, world.Real().Clock))
		if err != nil {
			t.Fatal(err)
		}
		t.Log(c)
		checkRequests(t, c, test.more)
		// Beside the two of each license: why somebody waits until Apple knows them, and what a batch, a reader, a mark is.
		if c.calls.Written < measure.LeastWritten*c.job.Licenses() || c.calls.Written > 6*c.job.Licenses() {
			t.Errorf("%d items were written for %d licenses", c.calls.Written, c.job.Licenses())
		}
	}
}

func TestBadArgumentsAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-titles", "0"}, {"-readers", "-1"}, {"-virtual", "-1"}, {"nonsense"}, {"-nonsense"}} {
		if err := play(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
