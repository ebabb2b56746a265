package applefake_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

func TestATokenFileIsBase64OfThreeFields(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	raw, err := base64.StdEncoding.DecodeString(r.token)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]string
	if err := json.Unmarshal(raw, &fields); err != nil {
		t.Fatal(err)
	}
	if fields["expDate"] != "2031-09-01T08:00:00+0000" || fields["orgName"] != "MADE-UP" || len(fields) != 3 {
		t.Errorf("got %v", fields)
	}
	if secret, err := base64.StdEncoding.DecodeString(fields["token"]); err != nil ||
		!strings.HasPrefix(string(secret), "made-up-token-") {
		t.Errorf("the secret %q doesn't say that it is made up", secret)
	}
	r.token = fields["token"]
	if a := r.get("/assets"); a.ErrorNumber != 9622 || a.code != 401 {
		t.Errorf("the inner token got %d (HTTP %d), want 9622 (HTTP 401)", a.ErrorNumber, a.code)
	}
}

func TestATokenIsRefusedByCause(t *testing.T) {
	tests := []struct {
		name   string
		number int
		do     func(r *rig) error
	}{
		{"expired", 9621, func(r *rig) error { r.clock.Advance(366 * 24 * time.Hour); return nil }},
		{"replaced", 9625, func(r *rig) error { _, err := r.at.IssueToken(start.AddDate(2, 0, 0)); return err }},
		{"revoked", 9625, func(r *rig) error { return r.at.RevokeTokens() }},
		{"password", 9625, func(r *rig) error { return r.at.ChangePassword() }},
		{"garbage", 9622, func(r *rig) error { r.token += "x"; return nil }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := build(t, applefake.Options{}, spec())
			if err := test.do(r); err != nil {
				t.Fatal(err)
			}
			if a := r.get("/client/config"); a.ErrorNumber != test.number || a.code != 401 {
				t.Errorf("got %d (HTTP %d), want %d (HTTP 401)", a.ErrorNumber, a.code, test.number)
			}
			if a := r.get("/service/config"); a.code != 200 {
				t.Errorf("the service config needs no token, got HTTP %d", a.code)
			}
		})
	}
}

func TestTheHeaderMustBeABearer(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	for _, header := range []string{"", "Bearer", "Bearer ", "Basic " + r.token, r.token, "Bearer " + r.token + " x"} {
		q := r.request(http.MethodGet, "/assets", "")
		q.Header.Set("Authorization", header)
		if a := r.do(q); a.ErrorNumber != 9722 || a.code != 401 {
			t.Errorf("a header of %d letters got %d (HTTP %d), want 9722 (HTTP 401)", len(header), a.ErrorNumber,
				a.code)
		}
	}
}

func TestTheNumbersOfTokensAreASwitch(t *testing.T) {
	r := build(t, applefake.Options{
		KeepOldTokens: true,
		TokenNumbers:  map[applefake.TokenCause]int{applefake.CausePassword: 9601},
	}, spec())
	if _, err := r.at.IssueToken(start.AddDate(2, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if a := r.get("/assets"); a.code != 200 {
		t.Errorf("an older token got %s", a.raw)
	}
	if err := r.at.ChangePassword(); err != nil {
		t.Fatal(err)
	}
	if a := r.get("/assets"); a.ErrorNumber != 9601 {
		t.Errorf("got %d, want 9601", a.ErrorNumber)
	}
}

func TestATokenOpensOneLocation(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	second, err := r.server.AddLocation(applefake.LocationSpec{
		Name: "Second", Platform: applefake.Business,
		Country: "DE",
	})
	if err != nil {
		t.Fatal(err)
	}
	first := r.get("/client/config")
	if r.token, err = second.IssueToken(start.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	a := r.get("/client/config")
	if a.UID == first.UID || a.UID != second.UID() || len(a.UID) != 16 || a.CountryISO2ACode != "DE" ||
		a.DefaultPlatform != "enterprisestore" || a.WebsiteURL != "https://business.apple.com" ||
		a.LocationName != "Second" {
		t.Errorf("got %s", a.raw)
	}
	if _, err := r.server.AddLocation(applefake.LocationSpec{Name: "Second"}); err == nil {
		t.Error("two locations have one uId")
	}
}

func TestTheExpirationDateIsASwitch(t *testing.T) {
	for policy, want := range map[applefake.ExpirationPolicy][2]bool{
		applefake.ExpirationAlways:           {true, true},
		applefake.ExpirationLast15Days:       {false, true},
		applefake.ExpirationClientConfigOnly: {false, false},
	} {
		r := build(t, applefake.Options{ExpirationDate: policy}, spec())
		early := r.get("/assets").TokenExpirationDate != ""
		if r.get("/client/config").TokenExpirationDate != "2031-09-01T08:00:00+0000" {
			t.Errorf("policy %d: the client config lacks the date", policy)
		}
		r.clock.Advance(355 * 24 * time.Hour)
		if late := r.get("/assets").TokenExpirationDate != ""; early != want[0] || late != want[1] {
			t.Errorf("policy %d: early %t, late %t, want %v", policy, early, late, want)
		}
	}
}

func TestTheRateIsALocationsOwn(t *testing.T) {
	limits := applefake.DocumentedLimits()
	r := build(t, applefake.Options{Limits: &limits}, spec())
	second, err := r.server.AddLocation(applefake.LocationSpec{Name: "Second"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 15 {
		if a := r.get("/users"); a.code != 200 {
			t.Fatalf("request %d got %s", i, a.raw)
		}
	}
	if a := r.get("/users"); a.ErrorNumber != 9646 || a.code != 429 || a.header.Get("Retry-After") != "" {
		t.Errorf("request 16 got %s, want 9646", a.raw)
	}
	mine := r.token
	if r.token, err = second.IssueToken(start.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if a := r.get("/users"); a.code != 200 {
		t.Errorf("another location got %s", a.raw)
	}
	r.token = mine
	for range 100 { // one a fifteenth of a second is never too many
		r.clock.Advance(time.Second / 15)
		if a := r.get("/users"); a.code != 200 {
			t.Fatalf("a request at the rate got %s", a.raw)
		}
	}
}

func TestRetryAfterIsASwitch(t *testing.T) {
	for mode, want := range map[applefake.RetryAfterMode]string{
		applefake.RetryAfterNone: "", applefake.RetryAfterSeconds: "1",
		applefake.RetryAfterDate: "Sun, 01 Sep 2030 08:00:02 GMT",
	} {
		limits := applefake.DocumentedLimits()
		r := build(t, applefake.Options{Limits: &limits, Burst: 1, RetryAfter: mode}, spec())
		r.get("/users")
		if a := r.get("/users"); a.code != 429 || a.header.Get("Retry-After") != want {
			t.Errorf("mode %d: got %q, want %q", mode, a.header.Get("Retry-After"), want)
		}
	}
}
