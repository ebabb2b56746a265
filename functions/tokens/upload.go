package tokens

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

const nothingStored = "Nothing was stored."

// upload takes the token of a location that has none yet (design section 5).
func (s server) upload(w http.ResponseWriter, r *http.Request) error {
	a, err := readUpload(w, r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	record, err := s.take(ctx, a, auth.From(r.Context()).Subject)
	if err != nil {
		return explain(err, nothingStored)
	}
	w.Header().Set("Location", graph.Origin(r)+r.URL.EscapedPath()+"/"+record.ID)
	return s.answer(w, r, http.StatusCreated, record)
}

func (s server) take(ctx context.Context, a ask, by string) (token.Record, error) {
	p, err := s.look(ctx, *a.Token, "")
	if err != nil {
		return token.Record{}, err
	}
	if err := a.check(accountType(p.config.Platform), p.config.Country); err != nil {
		return token.Record{}, err
	}
	if err := s.unknown(ctx, p.config.UID); err != nil {
		return token.Record{}, err
	}
	if err := p.claim(ctx, a.order()); err != nil {
		return token.Record{}, err
	}
	installation, err := token.Installation(ctx, s.Store, s.World)
	if err != nil {
		return token.Record{}, fmt.Errorf("reading the installation's id: %w", err)
	}
	now := s.World.Now()
	record := token.Record{
		ID: token.ID(installation, p.config.UID), Location: p.config.UID, MDMID: p.ours.ID,
		SecretVersion: world.NewID(s.World), DisplayName: p.config.LocationName, Organization: p.token.Org,
		AccountType: accountType(p.config.Platform), Country: strings.ToLower(p.config.Country),
		LocationName: p.config.LocationName, Expires: p.token.Expires, State: token.Valid,
		Created: now, Modified: now, By: by,
	}
	a.into(&record)
	// Secret first: a record without its secret would be a location that fails.
	if err := s.store(ctx, record.ID, p.token.Secret, record.SecretVersion); err != nil {
		return token.Record{}, err
	}
	return record, s.create(ctx, record, p.over())
}

// create stores the record; over says whose place we took.
func (s server) create(ctx context.Context, record token.Record, over string) error {
	ops, err := token.Create(record)
	if err != nil {
		return err
	}
	told, err := act.New(s.World, record.By, act.TokenUploaded, record.ID, fmt.Sprintf(
		"The token of location %s (%s) was uploaded, and the location claimed%s", record.Location, record.LocationName, over))
	if err != nil {
		return err
	}
	ops = append(ops, told, mark.New(record.Location, mark.Sync, mark.SyncUpload, s.World.Now()))
	_, err = s.Store.Commit(ctx, ops...)
	if errors.Is(err, table.ErrCondition) { // somebody uploads the same at once
		return errors.Join(s.unknown(ctx, record.Location), err)
	}
	if err != nil {
		return fmt.Errorf("storing the token of location %s: %w", record.Location, err)
	}
	s.wake(ctx, record.Location)
	return nil
}

// unknown returns a problem when the location has a token already.
func (s server) unknown(ctx context.Context, location string) error {
	doc, err := token.OfLocation(ctx, s.Store.ReadStore, location)
	if errors.Is(err, table.ErrAbsent) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the token of location %s: %w", location, err)
	}
	return problem.New(problem.Conflict, "LocationKnown", "The location %q already has the token %s here. To renew it, send "+
		"PATCH /v1.0/deviceAppManagement/vppTokens/%s with {\"token\": \"…\"}: its id and its assignments stay.",
		clip(doc.Value.LocationName), doc.Value.ID, doc.Value.ID)
}

// wake has the location's worker look. It is a hint: a wake that fails is made good by the sweep.
func (s server) wake(ctx context.Context, location string) {
	if err := s.Queue.Wake(ctx, location, s.World.Now()); err != nil {
		s.Log.WarnContext(ctx, "location not woken; the sweep will", "location", location, "error", err)
	}
}
