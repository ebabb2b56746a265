package tokens

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/entity"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/token"
)

const stillStopped = "The location stays stopped."

// syncLicenses orders a sync: of everything with ?full=true. At a location that has stopped it looks first whether the
// reason is gone.
func (s server) syncLicenses(w http.ResponseWriter, r *http.Request) error {
	if err := graph.ReadOptionalBody(w, r, maxBody, &struct{}{}); err != nil {
		return err
	}
	why, err := syncKind(r)
	if err != nil {
		return err
	}
	doc, err := s.load(r)
	if err != nil {
		return err
	}
	record := doc.Value
	if record.State == token.Valid && s.World.Now().Before(record.Expires) {
		if _, err := s.Store.Commit(r.Context(), mark.New(record.Location, mark.Sync, why, s.World.Now())); err != nil {
			return fmt.Errorf("ordering a sync of location %s: %w", record.Location, err)
		}
		s.wake(r.Context(), record.Location)
	} else if record, err = s.revive(r.Context(), doc, why); err != nil {
		return err
	}
	state, err := token.LoadLocation(r.Context(), s.Store.ReadStore, record.Location)
	if err != nil {
		return err
	}
	e := entity.Token(record, state.Value.Sync, s.World.Now(), graph.Beta(r))
	e["lastSyncStatus"] = string(token.SyncInProgress) // ordered; whoever waits for its end must not see the last one's
	graph.WriteEntity(w, r, http.StatusOK, entityContext, e)
	return nil
}

func syncKind(r *http.Request) (string, error) {
	text := r.URL.Query().Get("full")
	full, err := strconv.ParseBool(text)
	switch {
	case text != "" && err != nil:
		return "", problem.New(problem.Invalid, "", "full is true or false; with true everything is read anew.").At("full")
	case full:
		return mark.SyncFull, nil
	}
	return mark.SyncOrder, nil
}

// revive lets a stopped location go on if Apple names us as its manager and takes the token again. It claims nothing:
// that needs an administrator, who renews the token.
func (s server) revive(ctx context.Context, doc token.Doc, why string) (token.Record, error) {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.ours(within, doc.Value); err != nil {
		return token.Record{}, stopped(err)
	}
	told, err := act.New(s.World, auth.From(ctx).Subject, act.TokenRevived, doc.Value.ID, fmt.Sprintf(
		"Work at location %s (%s) goes on; it had stopped: %s", doc.Value.Location, doc.Value.LocationName, doc.Value.Why))
	if err != nil {
		return token.Record{}, err
	}
	return s.goOn(ctx, doc, why, told, func(*token.Record) {})
}

// ours returns nil if the stored token opens the location and Apple names us as its manager.
func (s server) ours(ctx context.Context, r token.Record) error {
	secret, err := s.Vault.Get(ctx, r.ID, r.SecretVersion)
	if err != nil {
		return fmt.Errorf("reading the secret of token %s: %w", r.ID, err)
	}
	location := s.Apple.Open(secret, apple.Identity{UID: r.Location, MDMID: r.MDMID})
	config, err := location.ClientConfig(ctx)
	if err != nil {
		return err
	}
	if config.MDMInfo == nil {
		return &apple.UnclaimedError{}
	}
	return nil
}

// stopped is why a location stays stopped: a conflict, except where Apple couldn't be asked.
func stopped(err error) error {
	err = explain(err, stillStopped)
	var p *problem.Error
	if !errors.As(err, &p) {
		return err
	}
	p.Target = "" // there is no token in the request
	if p.Kind == problem.Invalid {
		p.Kind = problem.Conflict
	}
	return err
}
