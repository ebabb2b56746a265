package tokens_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/token"
)

func other() *applefake.MDMInfo {
	return &applefake.MDMInfo{ID: "8d1f-other", Name: "Other MDM", Metadata: "-"}
}

// Law 4: a claim over a foreign owner needs an order that names that owner.
func TestLaw4ALocationIsTakenOverByExplicitOrderOnly(t *testing.T) {
	r := newRig(t)
	id := r.uploaded(t)
	r.Work(t, r.Place.UID())
	us := r.Place.MDMInfo().ID
	desk.Must(t, r.Place.TakeOver(other()))
	r.Want(t, 200, r, "manager", "POST", path+"/"+id+"/syncLicenses", "")
	r.stopped(t, token.ExternalOwner)
	claim := func(order string) desk.Answer {
		return r.Send(t, r, "administrator", "POST", path+"/"+id+"/bookplate.claim", order)
	}
	r.Send(t, r, "manager", "POST", path+"/"+id+"/bookplate.claim", "").Refused(t, 403, "Forbidden")
	claim("").Refused(t, 409, "ManagedByAnother", "8d1f-other", "ownerId")
	claim(body(t, "ownerId", "somebody else")).Refused(t, 409, "OtherOwner", "8d1f-other")
	if r.Place.MDMInfo().ID != "8d1f-other" || r.Record(t).State != token.ExternalOwner {
		t.Fatal("a refused claim has taken the location over")
	}
	a := claim(body(t, "ownerId", "8d1f-other"))
	if a.Status != 200 || a.Body["state"] != "valid" || r.Place.MDMInfo().ID != us {
		t.Fatalf("%d %s; Apple names %+v", a.Status, a.Raw, r.Place.MDMInfo())
	}
	if kinds := r.acts(t); kinds[0] != act.LocationClaimed {
		t.Errorf("acts %v", kinds)
	}
	acts, _, err := act.List(t.Context(), r.Store.ReadStore, act.Months(r.Clock.Now(), 1), 10, "")
	desk.Must(t, err)
	if !strings.Contains(acts[0].Text, "8d1f-other") || acts[0].By != "administrator@school.example" {
		t.Errorf("the act doesn't say who was replaced: %+v", acts[0])
	}
	r.Work(t, r.Place.UID())
	if got := r.Want(t, 200, r, "viewer", "GET", path+"/"+id, ""); got.Body["lastSyncStatus"] != "completed" {
		t.Errorf("the location doesn't go on: %s", got.Raw)
	}
	for _, c := range r.Fake.Wire() {
		if slices.Contains([]string{"retireUsers", "disassociateAssets", "revokeAssets"}, c.Endpoint) {
			t.Errorf("the take-over has called %s", c.Endpoint)
		}
	}
}

// What a stopped location tells its administrator to do is what sets it going again.
func TestALocationThatTheOtherProductHasLeftGoesOnByTheStepThatItNames(t *testing.T) {
	r := newRig(t)
	id := r.uploaded(t)
	r.Work(t, r.Place.UID())
	desk.Must(t, r.Place.TakeOver(other()))
	r.Want(t, 200, r, "manager", "POST", path+"/"+id+"/syncLicenses", "")
	r.stopped(t, token.ExternalOwner)
	desk.Must(t, r.Place.TakeOver(nil))
	if why := r.Record(t).Why; !strings.Contains(why, "bookplate.claim") || !strings.Contains(why, `ownerId "8d1f-other"`) {
		t.Errorf("the location says %q", why)
	}
	a := r.Want(t, 200, r, "administrator", "POST", path+"/"+id+"/bookplate.claim", "")
	if a.Body["state"] != "valid" || a.Body["x_stateReason"] != nil {
		t.Error(a.Raw)
	}
}

func TestALocationThatNobodyManagesIsClaimedAgain(t *testing.T) {
	r := newRig(t)
	id := r.uploaded(t)
	us := r.Place.MDMInfo().ID
	desk.Must(t, r.Place.TakeOver(nil))
	r.Want(t, 200, r, "administrator", "POST", path+"/"+id+"/bookplate.claim", "")
	r.Want(t, 200, r, "administrator", "POST", path+"/"+id+"/bookplate.claim", `{}`) // and once more
	if got := r.Place.MDMInfo(); got == nil || got.ID != us {
		t.Errorf("Apple names %+v", got)
	}
}

func TestAnUploadTakesOverWhenItSaysSo(t *testing.T) {
	r := newRig(t)
	desk.Must(t, r.Place.TakeOver(other()))
	r.upload(t, body(t, "token", r.Token, "claimTokenManagementFromExternalMdm", false)).Refused(t, 409, "ManagedByAnother")
	r.empty(t)
	r.Want(t, 201, r, "administrator", "POST", path, body(t, "token", r.Token, "claimTokenManagementFromExternalMdm", true))
	if got := r.Place.MDMInfo(); got.ID == "8d1f-other" {
		t.Errorf("Apple names %+v", got)
	}
	acts, _, err := act.List(t.Context(), r.Store.ReadStore, act.Months(r.Clock.Now(), 1), 10, "")
	desk.Must(t, err)
	if len(acts) != 1 || !strings.Contains(acts[0].Text, "Other MDM") {
		t.Errorf("%+v", acts)
	}
}

func TestRenewalByActionIsRenewalByPatch(t *testing.T) {
	r := newRig(t)
	id := r.uploaded(t)
	before := r.Record(t).SecretVersion
	r.Clock.Advance(time.Second)
	fresh := r.Issue(t, r.Place)
	a := r.Want(t, 200, r, "administrator", "POST", path+"/"+id+"/bookplate.renew", fresh, "Content-Type", "text/plain")
	if a.Body["id"] != id || r.Record(t).SecretVersion == before {
		t.Error(a.Raw)
	}
	r.Clock.Advance(time.Second)
	fresh = r.Issue(t, r.Place)
	r.Want(t, 200, r, "administrator", "POST", path+"/"+id+"/bookplate.renew", body(t, "token", fresh))
	if kinds := r.acts(t); !slices.Equal(kinds, []act.Kind{act.TokenRenewed, act.TokenRenewed, act.TokenUploaded}) {
		t.Errorf("acts %v", kinds)
	}
	r.Send(t, r, "administrator", "POST", path+"/"+id+"/bookplate.renew", "{}").Refused(t, 400, "TokenMissing")
	elsewhere, err := r.Fake.AddLocation(applefake.LocationSpec{Name: "Other library", Country: "US"})
	desk.Must(t, err)
	r.Send(t, r, "administrator", "POST", path+"/"+id+"/bookplate.renew", body(t, "token", r.Issue(t, elsewhere))).
		Refused(t, 409, "OtherLocation")
}
