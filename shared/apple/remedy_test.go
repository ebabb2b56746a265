package apple

import (
	"strings"
	"testing"
)

func TestEveryNumberOfApplesTableHasARemedy(t *testing.T) {
	numbers := []int{
		9601, 9602, 9603, 9609, 9621, 9622, 9625, 9634, 9635, 9637, 9641, 9644, 9646, 9647, 9650, 9700, 9701, 9702, 9703, 9704,
		9705, 9706, 9707, 9708, 9709, 9710, 9711, 9712, 9713, 9714, 9715, 9716, 9717, 9718, 9719, 9720, 9721, 9722, 9723, 9724,
		9725, 9726, 9727, 9728, 9729,
	}
	generic := (&Error{Number: 9999, Status: 400}).Remedy()
	for _, n := range numbers {
		if text := (&Error{Number: n, Status: 400}).Remedy(); text == "" || text == generic || !strings.HasSuffix(text, ".") {
			t.Errorf("%d: %q", n, text)
		}
	}
}

func TestUnknownNumbersAreJudgedByTheirStatus(t *testing.T) {
	for _, c := range []struct {
		number, status   int
		retryable, token bool
		says             string
	}{
		{9999, 400, false, false, "doesn't know this error"},
		{9999, 200, false, false, "doesn't know this error"},
		{9999, 401, false, true, "Download a new content token"},
		{9999, 429, true, false, "tries again by itself"},
		{9999, 503, true, false, "tries again by itself"},
		{9603, 200, true, false, "tries again by itself"},
		{9646, 200, true, false, "another system"},
		{9625, 200, false, true, "revoked"},
		{9622, 200, false, true, "Download a new content token"},
		{9709, 200, false, false, "Buy more"},
	} {
		e := &Error{Number: c.number, Status: c.status}
		if e.Retryable() != c.retryable || e.TokenProblem() != c.token || !strings.Contains(e.Remedy(), c.says) {
			t.Errorf("%d with status %d: %v %v %q", c.number, c.status, e.Retryable(), e.TokenProblem(), e.Remedy())
		}
	}
}
