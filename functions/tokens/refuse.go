package tokens

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/problem"
)

// explain makes an error of Apple's a problem that says what to do; other errors stay what they are. unchanged says, in a
// sentence, what hasn't happened.
func explain(err error, unchanged string) error {
	var (
		owner    *apple.OwnerError
		location *apple.LocationError
		none     *apple.UnclaimedError
		refused  *apple.Error
		away     *apple.UnavailableError
	)
	if _, known := problem.As(err); known {
		return err
	}
	switch {
	case errors.As(err, &owner):
		return foreign(owner.Owner, unchanged)
	case errors.As(err, &location):
		return problem.New(problem.Conflict, "OtherLocation",
			"The token opens location %s, and this is location %s. %s Choose the "+
				"token of the right location; a token of another one is uploaded by itself.", location.Got, location.Want,
			unchanged).At("token")
	case errors.As(err, &none):
		return problem.New(problem.Conflict, "NotClaimed",
			"Apple names no manager for the location although Bookplate had claimed "+
				"it: somebody else has cleared the entry. %s Find out who, and claim the location again (bookplate.claim).", unchanged)
	case errors.As(err, &refused) && refused.TokenProblem():
		return problem.New(problem.Invalid, tokenCode(refused.Number), "Apple refuses the token (error %d). %s %s",
			refused.Number, refused.Remedy(), unchanged).At("token").Because(err)
	case errors.As(err, &refused) && !refused.Retryable() && !errors.As(err, &away):
		return problem.New(problem.Upstream, "AppleRefused", "Apple refuses the request (error %d). %s %s",
			refused.Number, refused.Remedy(), unchanged).Because(err)
	case errors.Is(err, apple.ErrUnavailable), errors.Is(err, apple.ErrNotSent), errors.Is(err, apple.ErrUnknownOutcome),
		errors.As(err, &refused), errors.Is(err, context.DeadlineExceeded):
		p := problem.New(problem.Unavailable, "AppleUnavailable",
			"Apple's service can't be reached, or gives no answer that makes sense. %s Repeat the request after a while.", unchanged)
		p.RetryAfter = retryAfter
		if errors.As(err, &away) {
			p.RetryAfter = max(p.RetryAfter, away.RetryAfter)
		}
		return p.Because(err)
	}
	return err
}

// retryAfter is how long a caller is told to wait for Apple, unless Apple says more.
const retryAfter = 30 * time.Second

func tokenCode(number int) string {
	switch number {
	case apple.NumberExpired:
		return "TokenExpired"
	case 9625: // Apple: Handling error responses
		return "TokenRevoked"
	default:
		return "TokenNotRecognized"
	}
}

// foreign refuses a location that another product manages, and says which.
func foreign(owner apple.MDMInfo, unchanged string) error {
	return problem.New(problem.Conflict, "ManagedByAnother",
		"Apple says that the location is managed by another product: name %q, "+
			"id %q, description %q. %s Two products on one location spend each other's licenses. Remove the token from that product "+
			"first, so that it releases the location, and then send this request again. To take the location over all the same, "+
			"send the token with claimTokenManagementFromExternalMdm true, or order bookplate.claim with that id as ownerId.",
		clip(owner.Name), clip(owner.ID), clip(owner.Metadata), unchanged)
}

// clip keeps what others wrote short, and in one line.
func clip(text string) string {
	const most = 255
	runes := []rune(strings.ToValidUTF8(text, "?"))
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(runes)
}
