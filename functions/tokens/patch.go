package tokens

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

const asItWas = "The token here is as it was."

// patch changes what administrators say of a token, and renews it when a new one comes along.
func (s server) patch(w http.ResponseWriter, r *http.Request) error {
	a, err := readAsk(w, r)
	if err != nil {
		return err
	}
	return s.apply(w, r, a)
}

func (s server) apply(w http.ResponseWriter, r *http.Request, a ask) error {
	doc, err := s.load(r)
	if err != nil {
		return err
	}
	if err := a.check(doc.Value.AccountType, doc.Value.Country); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	var record token.Record
	if a.Token == nil {
		record, err = s.change(ctx, doc, a.into, nil)
	} else {
		record, err = s.renew(ctx, doc, a, auth.From(r.Context()).Subject)
	}
	if err != nil {
		return explain(err, asItWas)
	}
	return s.answer(w, r, http.StatusOK, record)
}

// renew puts a new token in the place of the old one. It must open the same location. A location that had stopped goes
// on with it; its marks have waited.
func (s server) renew(ctx context.Context, doc token.Doc, a ask, by string) (token.Record, error) {
	p, err := s.look(ctx, *a.Token, doc.Value.Location)
	if err != nil {
		return token.Record{}, err
	}
	if err := p.claim(ctx, a.order()); err != nil {
		return token.Record{}, errors.Join(err, s.isolate(ctx, doc, err))
	}
	version := world.NewID(s.World)
	if err := s.store(ctx, doc.Value.ID, p.token.Secret, version); err != nil {
		return token.Record{}, err
	}
	told, err := act.New(s.World, by, act.TokenRenewed, doc.Value.ID, fmt.Sprintf(
		"The token of location %s (%s) was renewed, and the location claimed%s", doc.Value.Location, doc.Value.LocationName,
		p.over()))
	if err != nil {
		return token.Record{}, err
	}
	return s.goOn(ctx, doc, mark.SyncUpload, told, func(r *token.Record) {
		a.into(r)
		r.SecretVersion, r.Expires, r.Organization = version, p.token.Expires, p.token.Org
		r.LocationName, r.MDMID = p.config.LocationName, p.ours.ID
	})
}

// isolate stops a location of which Apple has just said here that another product manages it: no write may start there any
// more (design law 4), and its worker, which might begin with one, hasn't heard it.
func (s server) isolate(ctx context.Context, doc token.Doc, heard error) error {
	owner, foreign := errors.AsType[*apple.OwnerError](heard)
	if !foreign || doc.Value.State != token.Valid {
		return nil
	}
	_, err := s.change(ctx, doc, func(r *token.Record) {
		r.State = token.ExternalOwner
		r.Why = fmt.Sprintf("The location is now managed by %q. Bookplate has stopped all work there. Decide which product is to "+
			"manage it. If it is Bookplate, remove the token from the other one and claim the location here (bookplate.claim); to "+
			"take it over all the same, name the ownerId %q in that.", clip(owner.Owner.Name), clip(owner.Owner.ID))
	}, nil)
	return err
}

// goOn changes a record, makes it valid, and has the location synced.
func (s server) goOn(
	ctx context.Context, doc token.Doc, why string, told table.Op, edit func(*token.Record),
) (token.Record, error) {
	record, err := s.change(ctx, doc, func(r *token.Record) {
		edit(r)
		r.State, r.Why = token.Valid, ""
	}, func() []table.Op {
		return []table.Op{told, mark.New(doc.Value.Location, mark.Sync, why, s.World.Now())}
	})
	if err == nil {
		s.wake(ctx, record.Location)
	}
	return record, err
}

// change saves what edit makes of a record, with the ops of more, again from the start when somebody else was faster.
func (s server) change(
	ctx context.Context, doc token.Doc, edit func(*token.Record), more func() []table.Op,
) (token.Record, error) {
	id := doc.Value.ID
	for {
		edit(&doc.Value)
		doc.Value.Modified = s.World.Now()
		save, err := doc.Save()
		if err != nil {
			return token.Record{}, err
		}
		ops := []table.Op{save}
		if more != nil {
			ops = append(ops, more()...)
		}
		_, err = s.Store.Commit(ctx, ops...)
		if err == nil {
			return doc.Value, nil
		}
		if !errors.Is(err, table.ErrCondition) {
			return token.Record{}, fmt.Errorf("storing token %s: %w", id, err)
		}
		if doc, err = token.Load(ctx, s.Store.ReadStore, id); err != nil {
			return token.Record{}, err
		}
	}
}
