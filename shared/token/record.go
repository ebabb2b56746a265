package token

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
)

// State is how a token stands, as Graph names it (vppTokenState).
type State string

// The states.
const (
	Valid         State = "valid"
	Expired       State = "expired"
	Invalid       State = "invalid"               // revoked, or replaced by a newer one, or the account changed
	ExternalOwner State = "assignedToExternalMDM" // another product has claimed the location
)

// AccountType is whose purchases they are, as Graph names it (vppTokenAccountType).
type AccountType string

// The account types.
const (
	Business  AccountType = "business"
	Education AccountType = "education"
)

// Record is one location's token as administrators know it.
type Record struct {
	ID       string `json:"id"`
	Location string `json:"location"` // Apple's uId
	// MDMID is the mdmInfo.id by which Apple knows us at this location.
	MDMID string `json:"mdmId"`
	// SecretVersion is the version of the secret in the vault; the secret's name is ID.
	SecretVersion string `json:"secretVersion"`

	DisplayName  string      `json:"displayName"`
	AppleID      string      `json:"appleId,omitempty"`
	Organization string      `json:"organization"`
	AccountType  AccountType `json:"accountType"`
	Country      string      `json:"country"` // ISO 3166 alpha-2, lower case
	LocationName string      `json:"locationName"`
	UpdateApps   bool        `json:"updateApps,omitempty"` // kept for Graph's clients; books know no updates
	DataSharing  bool        `json:"dataSharing,omitempty"`

	Expires  time.Time `json:"expires"`
	State    State     `json:"state"`
	Why      string    `json:"why,omitempty"` // why it isn't valid, and what to do
	Created  time.Time `json:"created"`
	Modified time.Time `json:"modified"`
	By       string    `json:"by"` // who uploaded it
}

// Doc is a record with its place in the table.
type Doc = table.Doc[Record]

// Ids of an installation are derived, so that no crash makes us foreign to ourselves: a repeated upload of the same
// location finds the same ids.

// ID is the id of the token of a location.
func ID(installation, location string) string { return derived(installation, "token", location) }

// MDMID is our mdmInfo.id at a location (design section 5, Upload).
func MDMID(installation, location string) string { return derived(installation, "mdm", location) }

func derived(installation, what, location string) string {
	return uuid.NewSHA1(uuid.MustParse(installation), []byte(what+":"+location)).String()
}

const (
	recordsPart   = "tokens"
	locationsPart = "locations"
)

// Key is where a token's record is. All are in one partition: there are few, and they rarely change.
func Key(id string) table.Key { return table.Key{Part: recordsPart, Sort: id} }

// guardKey is the item that lets a location have one token only.
func guardKey(location string) table.Key {
	return table.Key{Part: "location#" + location, Sort: "token"}
}

type guard struct {
	TokenID string `json:"tokenId"`
}

// Standing is the record's state now, and why it isn't valid: a token also expires while nobody works with it.
func (r Record) Standing(now time.Time) (State, string) {
	if r.State == Valid && !r.Expires.IsZero() && !now.Before(r.Expires) {
		return Expired, "The token has expired. Download a new one from Apple and renew the token with it."
	}
	return r.State, r.Why
}

// Locations are the uIds of all locations that ever had a token: what was given there stays in the ledger.
func Locations(ctx context.Context, store *table.ReadStore) ([]string, error) {
	var locations []string
	for item, err := range store.Each(ctx, table.Range{Part: locationsPart}) {
		if err != nil {
			return nil, fmt.Errorf("reading the locations: %w", err)
		}
		locations = append(locations, item.Key.Sort)
	}
	return locations, nil
}

// Create is the ops that store a new record, if its location has none yet.
func Create(r Record) ([]table.Op, error) {
	place, err := table.Encode(table.Key{Part: locationsPart, Sort: r.Location}, struct{}{})
	if err != nil {
		return nil, err
	}
	record, err := table.NewDoc(Key(r.ID), r).Save()
	if err != nil {
		return nil, err
	}
	one, err := table.NewDoc(guardKey(r.Location), guard{r.ID}).Save()
	return []table.Op{record, one, table.Put(place, table.Any())}, err
}

// Delete is the ops that remove a record which is still what was read. What the location has and had, stays.
func Delete(doc Doc) []table.Op {
	return []table.Op{doc.Remove(), table.Delete(guardKey(doc.Value.Location), table.Present())}
}

// Load returns a record, or a problem that names the id.
func Load(ctx context.Context, store *table.ReadStore, id string) (Doc, error) {
	doc, err := table.Load[Record](ctx, store, Key(id))
	if errors.Is(err, table.ErrAbsent) {
		return Doc{}, problem.New(problem.NotFound, "ResourceNotFound",
			"There is no token with the id %q. GET /v1.0/deviceAppManagement/vppTokens lists those that there are.", id)
	}
	return doc, err
}

// OfLocation returns the record of a location; its error is table.ErrAbsent when the location has no token.
func OfLocation(ctx context.Context, store *table.ReadStore, location string) (Doc, error) {
	g, err := table.Load[guard](ctx, store, guardKey(location))
	if err != nil {
		return Doc{}, err
	}
	return table.Load[Record](ctx, store, Key(g.Value.TokenID))
}

// All returns all records, in the order of their ids.
func All(ctx context.Context, store *table.ReadStore) ([]Doc, error) {
	var docs []Doc
	for doc, err := range table.Docs[Record](store.Each(ctx, table.Range{Part: recordsPart})) {
		if err != nil {
			return nil, fmt.Errorf("reading the tokens: %w", err)
		}
		docs = append(docs, doc)
	}
	return docs, nil
}
