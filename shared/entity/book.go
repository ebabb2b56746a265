package entity

import (
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/book"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/token"
)

// Types of books.
const (
	bookType = "microsoft.graph.iosVppEBook"
	baseType = "microsoft.graph.managedEBook"
)

// coverSize is the longest side of x_coverUrl's picture, in pixels.
const coverSize = "600"

// BookSchema describes managedEBooks.
func BookSchema() graph.Schema {
	return graph.Schema{
		Type:    baseType,
		Derived: []string{bookType},
		Expand:  []string{"assignments"},
		Properties: map[string]graph.Kind{
			"id": graph.String, "displayName": graph.String, "description": graph.String, "publisher": graph.String,
			"publishedDateTime": graph.Time, "largeCover": graph.Complex, "createdDateTime": graph.Time,
			"lastModifiedDateTime": graph.Time, "informationUrl": graph.String, "privacyInformationUrl": graph.String,
			"vppTokenId": graph.GUID, "appleId": graph.String, "vppOrganizationName": graph.String,
			"genres": graph.Complex, "language": graph.String, "seller": graph.String,
			"totalLicenseCount": graph.Int, "usedLicenseCount": graph.Int, "roleScopeTagIds": graph.Complex,
			"x_adamId": graph.String, "x_pricingParam": graph.String, "x_author": graph.String,
			"x_locationId": graph.String, "x_availableLicenseCount": graph.Int, "x_unlimited": graph.Bool,
			"x_countedDateTime": graph.Time, "x_coverUrl": graph.String, "x_missingSinceDateTime": graph.Time,
		},
	}
}

// Book shows a book. The record is that of its location's token, nil when it was deleted; counted is when all counts of
// the location were last read. Apple's catalog knows an author and no publisher, so the author stands for both.
func Book(b book.Book, record *token.Record, counted time.Time, beta bool) graph.Entity {
	if b.Counted.After(counted) {
		counted = b.Counted
	}
	genres := b.Title.Genres
	if genres == nil {
		genres = []string{}
	}
	var available any = b.Available
	if b.Unlimited() {
		available = nil
	}
	e := graph.Entity{
		"@odata.type": "#" + bookType, "id": b.ID, "displayName": b.Name(), "description": text(b.Title.Description),
		"publisher": text(b.Title.Author), "publishedDateTime": published(b.Title.ReleaseDate), "largeCover": nil,
		"createdDateTime": b.Created, "lastModifiedDateTime": b.Modified, "informationUrl": text(b.Title.URL),
		"privacyInformationUrl": nil, "vppTokenId": nil, "appleId": nil, "vppOrganizationName": nil,
		"genres": genres, "language": nil, "seller": nil,
		"totalLicenseCount": b.Total, "usedLicenseCount": b.Assigned,
		"x_adamId": b.Asset.AdamID, "x_pricingParam": b.Asset.PricingParam, "x_author": text(b.Title.Author),
		"x_locationId": b.Location, "x_availableLicenseCount": available, "x_unlimited": b.Unlimited(),
		"x_countedDateTime": moment(counted), "x_coverUrl": text(cover(b.Title.Artwork)),
		"x_missingSinceDateTime": moment(b.Missing),
	}
	if record != nil {
		e["vppTokenId"], e["appleId"], e["vppOrganizationName"] = record.ID, text(record.AppleID), record.Organization
	}
	if beta {
		e["roleScopeTagIds"] = []string{"0"}
	}
	return e
}

// cover fills the catalog's template. Apple: the format is jpg or png.
func cover(template string) string {
	return strings.NewReplacer("{w}", coverSize, "{h}", coverSize, "{f}", "jpg").Replace(template)
}

// published reads the catalog's date, whose form drifts; the zero time where it can't be read.
func published(date string) time.Time {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, date); err == nil {
			return t
		}
	}
	return time.Time{}
}
