package problem_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/bookplate/bookplate/shared/problem"
)

func TestEveryKindHasItsStatus(t *testing.T) {
	statuses := map[problem.Kind]int{
		problem.Internal: 500, problem.Invalid: 400, problem.Unauthenticated: 401, problem.Forbidden: 403,
		problem.NotFound: 404, problem.MethodNotAllowed: 405, problem.Conflict: 409, problem.Gone: 410,
		problem.Precondition: 412, problem.TooLarge: 413, problem.UnsupportedMedia: 415, problem.TooManyRequests: 429,
		problem.Unavailable: 503, problem.Upstream: 502, problem.FailedDependency: 424,
	}
	for kind, want := range statuses {
		if got := kind.Status(); got != want {
			t.Errorf("kind %d has status %d, want %d", kind, got, want)
		}
	}
	if last := problem.FailedDependency; len(statuses) != int(last)+1 {
		t.Errorf("%d kinds are tested, want %d", len(statuses), last+1)
	}
}

func TestAForgottenKindIsOurFault(t *testing.T) {
	for name, err := range map[string]error{
		"a problem without a kind": &problem.Error{Message: "?"},
		"any other error":          errors.New("made up"),
		"no error":                 nil,
	} {
		if kind := problem.KindOf(err); kind != problem.Internal {
			t.Errorf("%s: kind %d, want Internal", name, kind)
		}
	}
}

func TestAProblemIsFoundHoweverDeepItIsWrapped(t *testing.T) {
	p := problem.New(problem.Conflict, "Taken", "The name %q is taken.", "Momo").At("name")
	wrapped := fmt.Errorf("storing: %w", errors.Join(errors.New("made up"), fmt.Errorf("twice: %w", p)))
	found, ok := problem.As(wrapped)
	if !ok || found != p || problem.KindOf(wrapped) != problem.Conflict {
		t.Errorf("found %v, %v in %v", found, ok, wrapped)
	}
	if _, ok := problem.As(errors.New("made up")); ok {
		t.Error("an error that is none was taken for a problem")
	}
}

func TestTheTextNamesFieldMessageAndCauseThatAreThere(t *testing.T) {
	cause := errors.New("the cause")
	for want, p := range map[string]*problem.Error{
		"It is wrong.":                       problem.New(problem.Invalid, "", "It is wrong."),
		"name: It is wrong.":                 problem.New(problem.Invalid, "", "It is wrong.").At("name"),
		"It is wrong.: the cause":            problem.New(problem.Invalid, "", "It is wrong.").Because(cause),
		"name: It is 100% wrong.: the cause": problem.New(problem.Invalid, "", "It is %d%% wrong.", 100).At("name").Because(cause),
	} {
		if got := p.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if p.Cause != nil && !errors.Is(p, cause) {
			t.Errorf("%q hides its cause from errors.Is", want)
		}
	}
}
