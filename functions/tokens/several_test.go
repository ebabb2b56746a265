package tokens

import "testing"

func TestNumbersHaveTheWordThatFits(t *testing.T) {
	for n, want := range map[int]string{0: "0 licenses", 1: "1 license", 2: "2 licenses"} {
		if got := several(n, "license"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
