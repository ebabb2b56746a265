package standing

import (
	"context"
	"errors"
	"fmt"

	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/world"
)

// Source is what standings are read from.
type Source struct {
	Store     *table.ReadStore
	Directory *directory.Reader
	World     world.World
}

// Place is a location, as all who stand with its books have it in common.
type Place struct {
	Source
	Token   *token.Record // nil when it was deleted
	site    assign.Site
	stopped string // why the location spends nothing at all; empty when it may
	remedy  string
}

// At reads a location.
func (s Source) At(ctx context.Context, location string) (*Place, error) {
	p := &Place{Source: s, stopped: "its token was deleted", remedy: "Upload a token of the location to go on."}
	record := token.Record{Location: location}
	doc, err := token.OfLocation(ctx, s.Store, location)
	switch {
	case err == nil:
		record = doc.Value
		p.Token, p.stopped, p.remedy = &record, "", ""
		if state, why := record.Standing(s.World.Now()); state != token.Valid {
			p.stopped, p.remedy = string(state), why
		}
	case !errors.Is(err, table.ErrAbsent):
		return nil, fmt.Errorf("reading the token of location %s: %w", location, err)
	}
	p.site, err = p.surveyor().LoadSite(ctx, record)
	return p, err
}

func (p *Place) surveyor() assign.Surveyor {
	return assign.Surveyor{Store: p.Store, Directory: p.Directory, World: p.World}
}

// Batch is the state of one of the location's open batches; false for any other.
func (p *Place) Batch(id string) (license.BatchState, bool) {
	for _, doc := range p.site.Batches {
		if doc.Value.ID == id {
			return doc.Value.State, true
		}
	}
	return "", false
}

// Of is the view of one of the location's books.
func (p *Place) Of(b book.Book) *View { return &View{Place: p, book: b} }
