package entity

import (
	"time"

	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/token"
)

// TokenSchema describes vppTokens.
func TokenSchema() graph.Schema {
	return graph.Schema{
		Type: "microsoft.graph.vppToken",
		Properties: map[string]graph.Kind{
			"id": graph.String, "organizationName": graph.String, "vppTokenAccountType": graph.String,
			"appleId": graph.String, "expirationDateTime": graph.Time, "lastSyncDateTime": graph.Time,
			"token": graph.String, "lastModifiedDateTime": graph.Time, "state": graph.String,
			"lastSyncStatus": graph.String, "automaticallyUpdateApps": graph.Bool, "countryOrRegion": graph.String,
			"displayName": graph.String, "locationName": graph.String, "dataSharingConsentGranted": graph.Bool,
			"claimTokenManagementFromExternalMdm": graph.Bool, "roleScopeTagIds": graph.Complex,
			"tokenActionResults": graph.Complex,
			"x_locationId":       graph.String, "x_stateReason": graph.String, "x_lastSyncError": graph.String,
			"x_lastFullSyncDateTime": graph.Time,
		},
	}
}

// Token shows a token and how its location's syncs stand. The secret isn't there: Graph's property is always null.
func Token(r token.Record, s token.Sync, now time.Time, beta bool) graph.Entity {
	state, why := r.Standing(now)
	status := s.Status
	if status == "" {
		status = token.SyncNone
	}
	e := graph.Entity{
		"id": r.ID, "organizationName": r.Organization, "vppTokenAccountType": string(r.AccountType),
		"appleId": text(r.AppleID), "expirationDateTime": r.Expires, "lastSyncDateTime": s.LastDone, "token": nil,
		"lastModifiedDateTime": r.Modified, "state": string(state), "lastSyncStatus": string(status),
		"automaticallyUpdateApps": r.UpdateApps, "countryOrRegion": text(r.Country),
		"displayName": r.DisplayName, "locationName": text(r.LocationName),
		"x_locationId": r.Location, "x_stateReason": text(why), "x_lastSyncError": text(s.LastError),
		"x_lastFullSyncDateTime": moment(s.LastFull),
	}
	if beta {
		e["dataSharingConsentGranted"] = r.DataSharing
		e["claimTokenManagementFromExternalMdm"] = false
		e["roleScopeTagIds"] = []string{"0"}
		e["tokenActionResults"] = []any{}
	}
	return e
}

// text is null instead of empty.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// moment is null instead of never. Graph's own non-nullable times are the zero time instead.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}
