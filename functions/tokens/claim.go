package tokens

import (
	"context"
	"fmt"
	"net/http"

	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/token"
)

// order says over whom a claim may go. Without one, over nobody (design law 4).
type order struct {
	anybody bool   // Graph's claimTokenManagementFromExternalMdm
	owner   string // the mdmInfo.id of the owner whom the caller has seen
}

func (o order) allows(owner apple.MDMInfo) bool {
	return o.anybody || o.owner != "" && o.owner == owner.ID
}

// claimIt makes Bookplate the manager of a token's location again: of one that names nobody, or, when the call names the
// owner whom it replaces, over that one. Readers and licenses at Apple stay as they are.
func (s server) claimIt(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		OwnerID string `json:"ownerId"`
	}
	if err := graph.ReadOptionalBody(w, r, maxBody, &body); err != nil {
		return err
	}
	doc, err := s.load(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	record, err := s.takeOver(ctx, doc, order{owner: body.OwnerID}, auth.From(r.Context()).Subject)
	if err != nil {
		return stopped(err)
	}
	return s.answer(w, r, http.StatusOK, record)
}

func (s server) takeOver(ctx context.Context, doc token.Doc, o order, by string) (token.Record, error) {
	record := doc.Value
	secret, err := s.Vault.Get(ctx, record.ID, record.SecretVersion)
	if err != nil {
		return token.Record{}, fmt.Errorf("reading the secret of token %s: %w", record.ID, err)
	}
	p, err := s.open(ctx, apple.ContentToken{Secret: secret, Org: record.Organization, Expires: record.Expires}, record.Location)
	if err != nil {
		return token.Record{}, err
	}
	if owner := p.foreignOwner(); o.owner != "" && owner != nil && owner.ID != o.owner {
		return token.Record{}, problem.New(problem.Conflict, "OtherOwner", "The order is to replace the owner with the id %q, but "+
			"Apple names %q (id %q). Look who that is, and name that id if they are to be replaced.",
			clip(o.owner), clip(owner.Name), clip(owner.ID)).At("ownerId")
	}
	if err := p.claim(ctx, o); err != nil {
		return token.Record{}, err
	}
	told, err := act.New(s.World, by, act.LocationClaimed, record.ID, fmt.Sprintf(
		"Location %s (%s) was claimed%s", record.Location, record.LocationName, p.over()))
	if err != nil {
		return token.Record{}, err
	}
	return s.goOn(ctx, doc, mark.SyncFull, told, func(r *token.Record) { r.MDMID = p.ours.ID })
}

// foreignOwner is who manages the location instead of us; nil if nobody does.
func (p *place) foreignOwner() *apple.MDMInfo {
	if owner := p.config.MDMInfo; owner != nil && owner.ID != p.ours.ID {
		return owner
	}
	return nil
}

// over tells the log of acts who managed the location before.
func (p *place) over() string {
	if owner := p.foreignOwner(); owner != nil {
		return fmt.Sprintf(" by order over %q (id %q), who managed it until then. Readers and licenses there stay as they are.",
			clip(owner.Name), clip(owner.ID))
	}
	return "."
}

// renewIt puts a new token in the place of the old one, as PATCH does: Graph's JSON, or the token file as it is.
func (s server) renewIt(w http.ResponseWriter, r *http.Request) error {
	a, err := readUpload(w, r)
	if err != nil {
		return err
	}
	return s.apply(w, r, a)
}
