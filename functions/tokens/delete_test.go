package tokens_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
	"github.com/bookplate/bookplate/shared/vault"
)

func TestDeletionReleasesTheLocationAndSaysWhatStays(t *testing.T) {
	for name, test := range map[string]struct {
		script  func(*applefake.Incoming) applefake.Fault
		release string
		told    string
	}{
		"Apple is told": {nil, "released", "Apple was told"},
		"Apple is away": {func(*applefake.Incoming) applefake.Fault {
			return applefake.Fault{Answer: applefake.AnswerConnectionLost}
		}, "", "could not be told"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			id := r.uploaded(t)
			r.Work(t, r.Place.UID())
			version := r.Record(t).SecretVersion
			r.Fake.Script(test.script)
			r.Want(t, 204, r, "administrator", "DELETE", path+"/"+id, "")
			if test.release != "" && r.Place.MDMInfo().Metadata != test.release {
				t.Errorf("Apple shows %v", r.Place.MDMInfo())
			}
			if _, err := r.Vault.Get(t.Context(), id, version); !errors.Is(err, vault.ErrAbsent) {
				t.Errorf("the secret is still there: %v", err)
			}
			acts, _, err := act.List(t.Context(), r.Store.ReadStore, act.Months(r.Clock.Now(), 2), 1, "")
			desk.Must(t, err)
			if len(acts) != 1 || acts[0].Kind != act.TokenDeleted || !strings.Contains(acts[0].Text, "9 licenses") ||
				!strings.Contains(acts[0].Text, test.told) || acts[0].By != "administrator@school.example" {
				t.Errorf("the act says %+v", acts)
			}
			r.Send(t, r, "administrator", "DELETE", path+"/"+id, "").Refused(t, 404, "ResourceNotFound")
		})
	}
}

func TestDeletionWritesNothingAtALocationThatIsNoLongerOurs(t *testing.T) {
	for name, owner := range map[string]*applefake.MDMInfo{
		"another product's": {ID: "other", Name: "Other MDM", Metadata: "-"}, "nobody's": nil,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			id := r.uploaded(t)
			desk.Must(t, r.Place.TakeOver(owner))
			r.Want(t, 204, r, "administrator", "DELETE", path+"/"+id, "")
			if now := r.Place.MDMInfo(); (now == nil) != (owner == nil) || now != nil && *now != *owner {
				t.Errorf("managed by %v", now)
			}
		})
	}
}

// A deletion that dies anywhere leaves no record that seems fine and has no secret; and repeated, it ends.
func TestADeletionThatDiesCanBeRepeated(t *testing.T) {
	for _, happened := range []bool{false, true} {
		for n := 1; ; n++ {
			r := newRig(t)
			id := r.uploaded(t)
			faults, crashed := mem.Crash(n, happened)
			r.Table.SetFaults(faults)
			r.Send(t, r, "administrator", "DELETE", path+"/"+id, "")
			r.Table.SetFaults(mem.Faults{})
			if !crashed() {
				break
			}
			doc, err := token.OfLocation(t.Context(), r.Store.ReadStore, r.Place.UID())
			if err == nil {
				_, gone := r.Vault.Get(t.Context(), id, doc.Value.SecretVersion)
				if doc.Value.State == token.Valid && gone != nil {
					t.Errorf("n=%d: a valid record without a secret", n)
				}
				r.Want(t, 204, r, "administrator", "DELETE", path+"/"+id, "")
			}
			if _, err := token.OfLocation(t.Context(), r.Store.ReadStore, r.Place.UID()); !errors.Is(err, table.ErrAbsent) {
				t.Errorf("n=%d: still there: %v", n, err)
			}
			r.uploaded(t)
		}
	}
}

// An upload that dies anywhere can be repeated: no crash makes us foreign to ourselves.
func TestAnUploadThatDiesCanBeRepeated(t *testing.T) {
	for _, happened := range []bool{false, true} {
		for n := 1; ; n++ {
			r := newRig(t)
			faults, crashed := mem.Crash(n, happened)
			r.Table.SetFaults(faults)
			r.upload(t, body(t, "token", r.Token))
			r.Table.SetFaults(mem.Faults{})
			if !crashed() {
				break
			}
			a := r.upload(t, body(t, "token", r.Token))
			record := r.Record(t)
			if a.Status != 201 && a.Code() != "LocationKnown" || r.Place.MDMInfo().ID != record.MDMID {
				t.Errorf("n=%d: %d %s", n, a.Status, a.Raw)
			}
			if _, err := r.Vault.Get(t.Context(), record.ID, record.SecretVersion); err != nil {
				t.Errorf("n=%d: a record without its secret: %v", n, err)
			}
		}
	}
}

// broken is a vault that can't be reached.
type broken struct{ vault.Vault }

func (broken) Put(context.Context, string, string, vault.Secret) error {
	return errors.New("the vault is away")
}

func (broken) Delete(context.Context, string) error { return errors.New("the vault is away") }

func TestWithoutTheVaultNothingIsStoredAndNothingSeemsDeleted(t *testing.T) {
	r := newRig(t)
	without := handler(r.Desk, broken{r.Vault})
	r.Want(t, 500, without, "administrator", "POST", path, body(t, "token", r.Token))
	r.empty(t)
	id := r.uploaded(t)
	r.Want(t, 500, without, "administrator", "DELETE", path+"/"+id, "")
	if a := r.Want(t, 200, r, "viewer", "GET", path+"/"+id, ""); a.Body["state"] != "invalid" {
		t.Errorf("%s", a.Raw)
	}
	r.Want(t, 204, r, "administrator", "DELETE", path+"/"+id, "")
}

func TestADeletionBeforeTheFirstSyncClaimsNoNumbers(t *testing.T) {
	r := newRig(t)
	r.Want(t, 204, r, "administrator", "DELETE", path+"/"+r.uploaded(t), "")
	acts, _, err := act.List(t.Context(), r.Store.ReadStore, act.Months(r.Clock.Now(), 2), 1, "")
	desk.Must(t, err)
	if len(acts) != 1 || !strings.Contains(acts[0].Text, "isn't known") {
		t.Errorf("the act says %+v", acts)
	}
}
