package tokens_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/functions/tokens"
	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/token"
)

func TestTheEntityHasGraphsProperties(t *testing.T) {
	r := newRig(t)
	id := r.uploaded(t)
	v1 := []string{
		"id", "organizationName", "vppTokenAccountType", "appleId", "expirationDateTime", "lastSyncDateTime", "token",
		"lastModifiedDateTime", "state", "lastSyncStatus", "automaticallyUpdateApps", "countryOrRegion",
	}
	beta := []string{
		"displayName", "locationName", "dataSharingConsentGranted", "claimTokenManagementFromExternalMdm",
		"roleScopeTagIds",
	}
	for prefix, names := range map[string][]string{"/v1.0": v1, "/beta": append(slices.Clone(v1), beta...)} {
		a := r.Want(t, 200, r, "viewer", "GET", strings.Replace(path, "/v1.0", prefix, 1)+"/"+id, "")
		for _, name := range names {
			if _, ok := a.Body[name]; !ok {
				t.Errorf("%s lacks %s", prefix, name)
			}
		}
		if a.Body["lastSyncDateTime"] != "0001-01-01T00:00:00Z" || a.Body["lastSyncStatus"] != "none" ||
			a.Body["countryOrRegion"] != "us" || a.Body["vppTokenAccountType"] != "education" {
			t.Errorf("%s: %s", prefix, a.Raw)
		}
	}
	r.Work(t, r.Place.UID())
	a := r.Want(t, 200, r, "viewer", "GET", path+"?$filter=lastSyncStatus eq 'completed'&$select=id,state", "")
	if list := a.List(); len(list) != 1 || len(list[0]) != 2 {
		t.Errorf("after the sync: %s", a.Raw)
	}
	if n := r.Want(t, 200, r, "viewer", "GET", path+"/$count", ""); n.Raw != "1" {
		t.Errorf("count %q", n.Raw)
	}
	r.Clock.Advance(366 * 24 * time.Hour)
	if a := r.Want(t, 200, r, "viewer", "GET", path+"/"+id, ""); a.Body["state"] != "expired" ||
		a.Body["x_stateReason"] == nil {
		t.Errorf("after a year: %s", a.Raw)
	}
}

func TestRolesKeepTheirPlaces(t *testing.T) {
	r := newRig(t)
	id := r.uploaded(t)
	for _, test := range []struct{ role, method, path string }{
		{"manager", "POST", ""},
		{"manager", "PATCH", "/" + id},
		{"manager", "DELETE", "/" + id},
		{"viewer", "POST", "/" + id + "/syncLicenses"},
		{"identityProvider", "GET", ""},
	} {
		r.Send(t, r, test.role, test.method, path+test.path, "").Refused(t, 403, "Forbidden", test.role)
	}
	r.Send(t, r, "", "GET", path, "").Refused(t, 401, "InvalidAuthenticationToken")
	r.Send(t, r, "administrator", "PUT", path+"/"+id, "{}").Refused(t, 405, "MethodNotAllowed")
}

func TestUnknownIDsAreToldSo(t *testing.T) {
	r := newRig(t)
	for _, id := range []string{
		"00000000-0000-4000-8000-000000000000", "no-id", strings.Repeat("x", 3000), "%00", "%ff", "installation",
	} {
		for _, method := range []string{"GET", "PATCH", "DELETE"} {
			r.Send(t, r, "administrator", method, path+"/"+id, "{}").Refused(t, 404, "ResourceNotFound", "vppTokens")
		}
		r.Send(t, r, "administrator", "POST", path+"/"+id+"/syncLicenses", "").Refused(t, 404, "ResourceNotFound")
	}
}

func TestPatchChangesWhatPeopleSay(t *testing.T) {
	r := newRig(t)
	id := r.uploaded(t)
	a := r.Want(t, 200, r, "administrator", "PATCH", path+"/"+id,
		body(t, "displayName", "Main library", "appleId", "new@school.example", "automaticallyUpdateApps", true, "token",
			nil, "state", "expired"))
	if a.Body["displayName"] != "Main library" || a.Body["appleId"] != "new@school.example" ||
		a.Body["automaticallyUpdateApps"] != true || a.Body["state"] != "valid" {
		t.Error(a.Raw)
	}
	r.Send(t, r, "administrator", "PATCH", path+"/"+id, body(t, "vppTokenAccountType", "business")).
		Refused(t, 400, "AccountTypeMismatch")
	r.Send(t, r, "administrator", "PATCH", path+"/"+id, body(t, "countryOrRegion", "fr")).Refused(t, 400, "CountryMismatch")
}

func TestRenewalKeepsTheIDAndRevivesTheLocation(t *testing.T) {
	r := newRig(t)
	id := r.uploaded(t)
	r.Work(t, r.Place.UID())
	fresh := r.Issue(t, r.Place) // revokes the old one
	r.Want(t, 200, r, "manager", "POST", path+"/"+id+"/syncLicenses", "")
	r.stopped(t, token.Invalid)
	r.Clock.Advance(time.Hour)
	a := r.Want(t, 200, r, "administrator", "PATCH", path+"/"+id, body(t, "token", fresh))
	if a.Body["id"] != id || a.Body["state"] != "valid" || a.Body["x_stateReason"] != nil {
		t.Error(a.Raw)
	}
	record := r.Record(t)
	secret, err := r.Vault.Get(t.Context(), id, record.SecretVersion)
	if err != nil || secret.Reveal() != fresh {
		t.Error("the record doesn't lead to the new token", err)
	}
	r.Work(t, r.Place.UID())
	if got := r.Want(t, 200, r, "viewer", "GET", path+"/"+id, ""); got.Body["lastSyncStatus"] != "completed" ||
		got.Body["state"] != "valid" {
		t.Errorf("the location doesn't go on: %s", got.Raw)
	}
	if kinds := r.acts(t); !slices.Equal(kinds, []act.Kind{act.TokenRenewed, act.TokenUploaded}) {
		t.Errorf("acts %v", kinds)
	}
}

// stopped has the worker find the trouble.
func (r rig) stopped(t *testing.T, want token.State) {
	t.Helper()
	for range 20 {
		r.Wake(t, r.Place.UID())
		if r.Record(t).State == want {
			return
		}
		r.Clock.Advance(time.Minute)
	}
	t.Fatalf("the location isn't %s but %s", want, r.Record(t).State)
}

func (r rig) acts(t *testing.T) []act.Kind {
	t.Helper()
	list, _, err := act.List(t.Context(), r.Store.ReadStore, act.Months(r.Clock.Now(), 2), 10, "")
	desk.Must(t, err)
	var kinds []act.Kind
	for _, a := range list {
		kinds = append(kinds, a.Kind)
	}
	return kinds
}

func TestARenewalThatIsRefusedLeavesTheTokenAsItWas(t *testing.T) {
	for name, test := range map[string]struct {
		token  func(*testing.T, rig) string
		status int
		code   string
	}{
		"of another location": {func(t *testing.T, r rig) string {
			place, err := r.Fake.AddLocation(applefake.LocationSpec{Name: "Annex"})
			desk.Must(t, err)
			return r.Issue(t, place)
		}, 409, "OtherLocation"},
		"of a location that another product has taken": {func(t *testing.T, r rig) string {
			desk.Must(t, r.Place.TakeOver(&applefake.MDMInfo{ID: "other", Name: "Other MDM", Metadata: "-"}))
			return r.Token
		}, 409, "ManagedByAnother"},
		"revoked": {func(t *testing.T, r rig) string {
			desk.Must(t, r.Place.RevokeTokens())
			return r.Token
		}, 400, "TokenRevoked"},
		"not a token": {func(*testing.T, rig) string { return "nothing" }, 400, "TokenNotBase64"},
		"while Apple is away": {func(_ *testing.T, r rig) string {
			r.Fake.Script(func(*applefake.Incoming) applefake.Fault { return applefake.Fault{Answer: applefake.AnswerHTML} })
			return r.Token
		}, 503, "AppleUnavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			id := r.uploaded(t)
			before := r.Record(t)
			r.Send(t, r, "administrator", "PATCH", path+"/"+id, body(t, "token", test.token(t, r))).
				Refused(t, test.status, test.code)
			after := r.Record(t)
			if test.code == "ManagedByAnother" && after.State == token.ExternalOwner && after.Why != "" {
				// What was heard stops the location (design law 4); the token itself stays.
				after.State, after.Why, after.Modified = before.State, before.Why, before.Modified
			} else if test.code == "ManagedByAnother" {
				t.Errorf("the location goes on as %s", after.State)
			}
			if after != before {
				t.Errorf("changed from %v to %v", before, after)
			}
		})
	}
}

func TestSyncLicensesOrdersASyncAndAnswersTheTokenItself(t *testing.T) {
	r := newRig(t)
	id := r.uploaded(t)
	r.Work(t, r.Place.UID())
	for query, subject := range map[string]string{"": mark.SyncOrder, "?full=true": mark.SyncFull} {
		a := r.Want(t, 200, r, "manager", "POST", path+"/"+id+"/syncLicenses"+query, "")
		marks, err := mark.Read(t.Context(), r.Store.ReadStore, r.Place.UID())
		desk.Must(t, err)
		if a.Body["id"] != id || a.Body["lastSyncStatus"] != "inProgress" || len(marks) != 1 || marks[0].Subject != subject {
			t.Errorf("%s: %v %s", query, marks, a.Raw)
		}
		r.Work(t, r.Place.UID())
	}
	r.Send(t, r, "manager", "POST", path+"/"+id+"/syncLicenses?full=perhaps", "").
		Refused(t, 400, "BadRequest", "true or false")
}

func TestAStoppedLocationGoesOnOnlyWhenAppleNamesUsAgain(t *testing.T) {
	r := newRig(t)
	id := r.uploaded(t)
	r.Work(t, r.Place.UID())
	us := r.Place.MDMInfo()
	desk.Must(t, r.Place.TakeOver(&applefake.MDMInfo{ID: "other", Name: "Other MDM", Metadata: "-"}))
	r.Want(t, 200, r, "manager", "POST", path+"/"+id+"/syncLicenses", "")
	r.stopped(t, token.ExternalOwner)

	sync := func() desk.Answer { return r.Send(t, r, "manager", "POST", path+"/"+id+"/syncLicenses", "") }
	sync().Refused(t, 409, "ManagedByAnother", "Other MDM", "stays stopped")
	desk.Must(t, r.Place.TakeOver(nil))
	sync().Refused(t, 409, "NotClaimed", "bookplate.claim")
	if r.Place.MDMInfo() != nil {
		t.Error("a sync has claimed the location")
	}
	desk.Must(t, r.Place.TakeOver(us))
	if a := sync(); a.Status != 200 || a.Body["state"] != "valid" {
		t.Fatal(a.Raw)
	}
	r.Work(t, r.Place.UID())
	if kinds := r.acts(t); kinds[0] != act.TokenRevived {
		t.Errorf("acts %v", kinds)
	}
}

func TestTheNotificationSecretThatAppleEchoesShowsNowhere(t *testing.T) {
	r := newRig(t)
	secret := r.Secret("made-up-notification-secret")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		"https://apple.example/mdm/v2/client/config", strings.NewReader(
			`{"notificationUrl":"https://books.school.example/n","notificationAuthToken":"`+
				secret+`","notificationTypes":["ASSET_COUNT"]}`))
	desk.Must(t, err)
	request.Header.Set("Authorization", "Bearer "+r.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := r.Fake.Transport().RoundTrip(request)
	desk.Must(t, err)
	desk.Must(t, response.Body.Close())
	if response.StatusCode != http.StatusOK {
		t.Fatal(response.Status)
	}
	id := r.uploaded(t)
	r.Work(t, r.Place.UID())
	r.Want(t, 200, r, "viewer", "GET", path+"/"+id, "")
	r.Want(t, 204, r, "administrator", "DELETE", path+"/"+id, "") // the desk looks at answers, log and table
}

func TestRoutesAreTheMuxPatterns(t *testing.T) {
	if routes := tokens.Routes(); len(routes) != 18 ||
		!slices.Contains(routes, "POST /beta/deviceAppManagement/vppTokens/{id}/syncLicenses") {
		t.Errorf("%q", routes)
	}
}
