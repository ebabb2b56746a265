package location

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
)

// failed decides what a failure means: the location stops until an administrator acts, or the work is put off.
func (j *job) failed(ctx context.Context, due []mark.Mark, cause error) error {
	if errors.Is(cause, errLeaseLost) || ctx.Err() != nil {
		return cause
	}
	if state, why := stopped(cause, j.World.Now(), j.record.Value); state != token.Valid {
		j.Log.WarnContext(ctx, "location stopped", "location", j.location, "state", state, "error", cause)
		return j.stop(ctx, state, why)
	}
	retry := 3 * j.Pace.Poll
	var (
		refused *apple.Error
		away    *apple.UnavailableError
	)
	if errors.As(cause, &refused) {
		retry = max(retry, refused.RetryAfter)
		if due[0].Kind == mark.Sync && !refused.Retryable() {
			retry = max(retry, hopeless)
		}
	}
	if errors.As(cause, &away) {
		retry = max(retry, away.RetryAfter)
	}
	j.Log.WarnContext(ctx, "work failed; it is tried again", "location", j.location, "kind", due[0].Kind,
		"after", retry, "error", cause)
	if due, err := j.alike(ctx, due); err != nil {
		return errors.Join(cause, err)
	} else if err := j.putOff(ctx, due, j.World.Now().Add(retry)); err != nil {
		return errors.Join(cause, err)
	}
	return nil
}

// alike are the marks that are put off together with those whose work failed: of grants all that are due by now, also those
// that the work itself has put. Apple would be asked again at once.
func (j *job) alike(ctx context.Context, due []mark.Mark) ([]mark.Mark, error) {
	if workOf(due[0]) != mark.Grants {
		return due, nil
	}
	all, err := mark.Read(ctx, j.Store.ReadStore, j.location)
	now := j.World.Now()
	return slices.DeleteFunc(all, func(m mark.Mark) bool {
		failed := slices.ContainsFunc(due, func(d mark.Mark) bool { return d.Kind == m.Kind && d.Subject == m.Subject })
		return !failed && (m.Kind != mark.Grants || m.Due.After(now))
	}), err
}

// hopeless is how long a sync that Apple refused for good is put off: it is tried again, but not to fill the log.
const hopeless = 15 * time.Minute

// stopped is the state in which a location ends up after an error of Apple's, with what to do about it. Valid means
// that the error doesn't stop it.
func stopped(err error, now time.Time, r token.Record) (token.State, string) {
	var (
		owner    *apple.OwnerError
		none     *apple.UnclaimedError
		location *apple.LocationError
		refused  *apple.Error
	)
	switch {
	case errors.As(err, &owner):
		return token.ExternalOwner, fmt.Sprintf("The location is now managed by %s. Bookplate has stopped all work "+
			"there. Decide which product is to manage it. If it is Bookplate, remove the token from the other one and claim the "+
			"location here (bookplate.claim); to take it over all the same, name the ownerId %q in that.",
			described(owner.Owner), owner.Owner.ID)
	case errors.As(err, &none):
		return token.ExternalOwner, "The location no longer names Bookplate as its manager: another product has let it go " +
			"or cleared the entry. Bookplate has stopped all work there. Claim the location again (bookplate.claim)."
	case errors.As(err, &location):
		return token.Invalid, fmt.Sprintf("The token opens location %s instead of %s. Upload the token of the right "+
			"location.", location.Got, location.Want)
	case errors.As(err, &refused) && refused.TokenProblem():
		if refused.Number == apple.NumberExpired || now.After(r.Expires) {
			return token.Expired, "The token has expired. " + refused.Remedy()
		}
		return token.Invalid, fmt.Sprintf("Apple refuses the token (error %d). %s", refused.Number, refused.Remedy())
	}
	return token.Valid, ""
}

// stop stores that the location must not be worked on, unless somebody has renewed, stopped or deleted the token
// meanwhile: what was heard was about the one that we had. Its marks stay for the day when it goes on.
func (j *job) stop(ctx context.Context, state token.State, why string) error {
	ours := j.record.Value.SecretVersion
	for j.record.Value.State == token.Valid && j.record.Value.SecretVersion == ours {
		j.record.Value.State, j.record.Value.Why, j.record.Value.Modified = state, why, j.World.Now()
		op, err := j.record.Save()
		if err != nil {
			return err
		}
		if _, err = j.Store.Commit(ctx, op); !errors.Is(err, table.ErrCondition) {
			return err
		}
		j.record, err = token.OfLocation(ctx, j.Store.ReadStore, j.location)
		if errors.Is(err, table.ErrAbsent) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// described names an owner as Apple does, with what it says of itself, if anything.
func described(owner apple.MDMInfo) string {
	if owner.Metadata == "" {
		return strconv.Quote(owner.Name)
	}
	return fmt.Sprintf("%q (%s)", owner.Name, owner.Metadata)
}
