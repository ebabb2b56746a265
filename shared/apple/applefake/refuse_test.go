package applefake_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

// many lists n quoted, different texts.
func many(n int, format string) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(format, i))
	}
	return strings.Join(all, ",")
}

func TestEveryRefusalHasItsNumberAndStatus(t *testing.T) {
	const key = `{"adamId":"` + book + `","pricingParam":"STDQ"}`
	const anApp = `{"adamId":"` + app + `","pricingParam":"STDQ"}`
	tests := []struct {
		name, path, body string
		number, status   int
	}{
		{"assets missing", "/assets/associate", `{"clientUserIds":["a"]}`, 9718, 400},
		{"targets missing", "/assets/associate", `{"assets":[` + key + `]}`, 9719, 400},
		{"too many assets", "/assets/associate", `{"assets":[` + many(26,
			`{"adamId":"%d"}`) + `],"clientUserIds":["a"]}`, 9700, 400},
		{"too many users", "/assets/associate", `{"assets":[` + key + `],"clientUserIds":[` + many(1001,
			`"u%d"`) + `]}`, 9701, 400},
		{"too many serials", "/assets/associate", `{"assets":[` + anApp + `],"serialNumbers":[` + many(1001,
			`"S%d"`) + `]}`, 9702, 400},
		{
			"duplicate assets", "/assets/associate", `{"assets":[` + key + `,` + key + `],"clientUserIds":["a"]}`,
			9703, 400,
		},
		{
			"duplicate by default quality", "/assets/associate",
			`{"assets":[` + key + `,{"adamId":"` + book + `"}],"clientUserIds":["a"]}`, 9703, 400,
		},
		{"duplicate users", "/assets/associate", `{"assets":[` + key + `],"clientUserIds":["a","a"]}`, 9704, 400},
		{
			"1,000 different users and one twice", "/assets/associate",
			`{"assets":[` + key + `],"clientUserIds":["u1",` + many(1000, `"u%d"`) + `]}`, 9704, 400,
		},
		{"duplicate serials", "/assets/associate", `{"assets":[` + anApp + `],"serialNumbers":["S","S"]}`, 9705, 400},
		{"book taken back", "/assets/disassociate", `{"assets":[` + key + `],"clientUserIds":["a"]}`, 9706, 400},
		{
			"book beside an app taken back", "/assets/disassociate",
			`{"assets":[` + anApp + `,` + key + `],"clientUserIds":["a"]}`, 9706, 400,
		},
		{"book to a device", "/assets/associate", `{"assets":[` + key + `],"serialNumbers":["S"]}`, 9707, 400},
		{
			"book beside an app to a device", "/assets/associate",
			`{"assets":[` + anApp + `,` + key + `],"clientUserIds":["a"],"serialNumbers":["S"]}`, 9707, 400,
		},
		{"unknown quality", "/assets/associate", `{"assets":[{"adamId":"1","pricingParam":"GOLD"}],"clientUserIds":["a"]}`, 9602, 400},
		{
			"number for a text", "/assets/associate", `{"assets":[{"adamId":900000001}],"clientUserIds":["a"]}`,
			9602, 400,
		},
		{"no JSON", "/assets/associate", `assets=1`, 9602, 400},
		{"revoke without targets", "/assets/revoke", `{}`, 9719, 400},
		{"revoke too many users", "/assets/revoke", `{"clientUserIds":[` + many(101, `"u%d"`) + `]}`, 9701, 400},
		{"revoke too many serials", "/assets/revoke", `{"serialNumbers":[` + many(101, `"S%d"`) + `]}`, 9702, 400},
		{"revoke duplicates", "/assets/revoke", `{"clientUserIds":["a","a"]}`, 9704, 400},
		{"users missing", "/users/create", `{}`, 9720, 400},
		{"user without id", "/users/create", `{"users":[{"email":"a@school.example"}]}`, 9602, 400},
		{"too many users made", "/users/create", `{"users":[` + many(101, `{"clientUserId":"u%d"}`) + `]}`, 9714, 400},
		{"duplicate users made", "/users/retire", `{"users":[{"clientUserId":"a"},{"clientUserId":"a"}]}`, 9715, 400},
		{"bad address", "/users/update", `{"users":[{"clientUserId":"a","email":"nonsense"}]}`, 9717, 400},
		{"mdmInfo incomplete", "/client/config", `{"mdmInfo":{"id":"1","name":"n"}}`, 9723, 400},
		{"id too long", "/client/config", mdm(strings.Repeat("i", 101), "n", "m"), 9724, 400},
		{"name too long", "/client/config", mdm("i", strings.Repeat("n", 101), "m"), 9725, 400},
		{"metadata too long", "/client/config", mdm("i", "n", strings.Repeat("m", 256)), 9713, 400},
		{"URL without secret", "/client/config", `{"notificationUrl":"https://a.example/x"}`, 9710, 400},
		{"secret without URL", "/client/config", `{"notificationAuthToken":"made-up"}`, 9710, 400},
		{"URL too long", "/client/config", hook("https://a.example/"+strings.Repeat("x", 512), "made-up"), 9711, 400},
		{"secret too long", "/client/config", hook("https://a.example/x", strings.Repeat("x", 513)), 9711, 400},
		{"URL without TLS", "/client/config", hook("http://a.example/x", "made-up"), 9712, 400},
		{"URL with a query", "/client/config", hook("https://a.example/x?y=1", "made-up"), 9712, 400},
		{"nobody takes the test", "/client/config", hook("https://a.example/x", "made-up"), 9728, 400},
		{"unknown type", "/client/config", `{"notificationTypes":["GOSSIP"]}`, 9602, 400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := build(t, applefake.Options{}, spec())
			a := r.post(test.path, test.body)
			if a.ErrorNumber != test.number || a.code != test.status {
				t.Errorf("got %d (HTTP %d), want %d (HTTP %d)", a.ErrorNumber, a.code, test.number, test.status)
			}
			if _, ok := r.server.NextDue(); ok || r.at.MDMInfo() != nil {
				t.Error("a refused request has done something")
			}
		})
	}
}

func mdm(id, name, metadata string) string {
	return fmt.Sprintf(`{"mdmInfo":{"id":%q,"name":%q,"metadata":%q}}`, id, name, metadata)
}

func hook(url, secret string) string {
	const types = `"ASSET_MANAGEMENT","USER_MANAGEMENT","USER_ASSOCIATED","ASSET_COUNT"`
	return fmt.Sprintf(`{"notificationUrl":%q,"notificationAuthToken":%q,"notificationTypes":[%s]}`, url, secret, types)
}

func TestReadsRefuse(t *testing.T) {
	tests := []struct {
		path           string
		number, status int
	}{
		{"/assets?pageIndex=1", 9650, 400},
		{"/assets?pageIndex=-1", 9650, 400},
		{"/assets?pageIndex=first", 9602, 400},
		{"/assets?productType=Song", 9602, 400},
		{"/assets?revocable=perhaps", 9602, 400},
		{"/users?activeOnly=true&retiredOnly=true", 9602, 400},
		{"/users?sinceVersionId=nonsense", 9721, 400},
		{"/assignments?sinceVersionId=00000000-0000-0000-0000-000000000000", 9721, 400},
		{"/status?eventId=nonsense", 9708, 400},
		{"/status", 9708, 400},
		{"/nowhere", 9602, 404},
		{"/assets/associate", 9726, 405},
	}
	r := build(t, applefake.Options{}, spec())
	for _, test := range tests {
		if a := r.get(test.path); a.ErrorNumber != test.number || a.code != test.status {
			t.Errorf("%s: got %d (HTTP %d), want %d (HTTP %d)", test.path, a.ErrorNumber, a.code, test.number,
				test.status)
		}
	}
}

// One request that is wrong in every way: each refusal shows only after what comes before it was set right.
func TestTheChecksHaveAFixedOrder(t *testing.T) {
	limits := applefake.DocumentedLimits()
	limits.MaxAssets, limits.MaxClientUserIDs, limits.MaxSerialNumbers, limits.MaxRequestPerSecond = 1, 1, 1, 1
	r := build(t, applefake.Options{Limits: &limits, UnknownUser: applefake.UnknownUserSync}, spec())
	token := r.token
	const k1, k2 = `{"adamId":"` + book + `"}`, `{"adamId":"` + other + `"}`
	r.token, r.media = "", "text/plain"
	if a := r.get("/client/config"); a.ErrorNumber != 9722 { // takes nothing from the bucket
		t.Fatal(a.raw)
	}
	steps := []struct {
		number int
		before func()
		body   string
	}{
		{9727, func() {}, `nonsense`},
		{9722, func() { r.media = "application/json; charset=utf-8" }, `nonsense`},
		{9622, func() { r.token = "garbage" }, `nonsense`},
		{9646, func() { r.token = token; r.get("/client/config") }, `nonsense`},
		{9602, func() {}, `nonsense`},
		{9718, func() {}, `{}`},
		{9719, func() {}, `{"assets":[` + k1 + `,` + k2 + `,` + k1 + `]}`},
		{9700, func() {}, `{"assets":[` + k1 + `,` + k2 + `,` + k1 +
			`],"clientUserIds":["a","b","a"],"serialNumbers":["S","T","S"]}`},
		{9701, func() {}, `{"assets":[` + k1 + `,` + k1 +
			`],"clientUserIds":["a","b","a"],"serialNumbers":["S","T","S"]}`},
		{9702, func() {}, `{"assets":[` + k1 + `,` + k1 + `],"clientUserIds":["a","a"],"serialNumbers":["S","T","S"]}`},
		{9703, func() {}, `{"assets":[` + k1 + `,` + k1 + `],"clientUserIds":["a","a"],"serialNumbers":["S","S"]}`},
		{9704, func() {}, `{"assets":[` + k1 + `],"clientUserIds":["a","a"],"serialNumbers":["S","S"]}`},
		{9705, func() {}, `{"assets":[` + k1 + `],"clientUserIds":["a"],"serialNumbers":["S","S"]}`},
		{9707, func() {}, `{"assets":[` + k1 + `],"clientUserIds":["a"],"serialNumbers":["S"]}`},
		{9609, func() {}, `{"assets":[` + k1 + `],"clientUserIds":["a"]}`},
	}
	if a := r.do(r.request(http.MethodPut, "/assets/associate", "nonsense")); a.ErrorNumber != 9726 {
		t.Fatalf("got %d, want 9726 before all others", a.ErrorNumber)
	}
	for i, step := range steps {
		step.before()
		if i >= 4 {
			r.clock.Advance(1e9) // one request a second
		}
		if a := r.post("/assets/associate", step.body); a.ErrorNumber != step.number {
			t.Errorf("step %d: got %d, want %d", i, a.ErrorNumber, step.number)
		}
	}
}

func TestRefusalsNameTheirCulprits(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	a := r.post("/assets/associate", `{"assets":[{"adamId":"`+app+`"},{"adamId":"`+book+`"}],"serialNumbers":["S"]}`)
	if want := []applefake.AssetKey{{AdamID: book, PricingParam: "STDQ"}}; !slices.Equal(a.ErrorInfo.Assets, want) {
		t.Errorf("errorInfo.assets = %v, want %v", a.ErrorInfo.Assets, want)
	}
	a = r.post("/assets/associate", want(book, "a", "b", "a"))
	if !slices.Equal(a.ErrorInfo.ClientUserIDs, []string{"a"}) {
		t.Errorf("errorInfo.clientUserIds = %v, want a", a.ErrorInfo.ClientUserIDs)
	}
}

func TestErrorsCanComeAs200(t *testing.T) {
	r := build(t, applefake.Options{ErrorsAsHTTP200: true}, spec())
	r.token = "garbage"
	if a := r.get("/assets"); a.code != 200 || a.ErrorNumber != 9622 {
		t.Errorf("got %d (HTTP %d), want 9622 (HTTP 200)", a.ErrorNumber, a.code)
	}
}

func TestLimitsChangeWhileTheFakeRuns(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	limits := *unpaced()
	limits.MaxClientUserIDs = 2
	r.server.SetLimits(limits)
	if a := r.post("/assets/associate", want(book, "a", "b", "c")); a.ErrorNumber != 9701 {
		t.Errorf("got %s, want 9701", a.raw)
	}
	if got := r.get("/service/config").Limits["maxClientUserIds"]; got != 2 {
		t.Errorf("the service config says %d, want 2", got)
	}
}
