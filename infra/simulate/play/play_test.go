package play_test

import (
	"slices"
	"testing"

	"github.com/bookplate/bookplate/infra/simulate/play"
)

// Without this a failing seed is worth nothing.
func TestASeedPlayedTwiceGivesTheSameTrace(t *testing.T) {
	for seed := uint64(1); seed <= 6; seed++ {
		o := play.Options{Seed: seed, Steps: 120, Trace: true}
		a, b := play.Run(o).Trace, play.Run(o).Trace
		if len(a) < 200 {
			t.Errorf("seed %d: the trace has %d lines", seed, len(a))
		}
		if slices.Equal(a, b) {
			continue
		}
		for i := range a {
			if i >= len(b) || a[i] != b[i] {
				t.Errorf("seed %d: line %d of %d\n%s", seed, i, len(a), a[i])
				if i < len(b) {
					t.Log(b[i])
				}
				break
			}
		}
	}
}

func TestTwoSeedsAreTwoPlays(t *testing.T) {
	a := play.Run(play.Options{Seed: 1, Steps: 20, Trace: true})
	b := play.Run(play.Options{Seed: 2, Steps: 20, Trace: true})
	if slices.Equal(a.Trace, b.Trace) {
		t.Error("seeds 1 and 2 have the same trace")
	}
}
