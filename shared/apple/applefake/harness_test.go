package applefake_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/world"
)

const (
	book  = "900000001" // 3 licenses
	other = "900000002" // 2 licenses, and 2 in high quality
	free  = "900000003" // unlimited
	app   = "900000007" // 5 licenses
)

var start = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)

// rig is a fake with one location, and a caller with its token.
type rig struct {
	t      *testing.T
	clock  *world.Virtual
	server *applefake.Server
	at     *applefake.Location
	token  string
	media  string
}

func spec() applefake.LocationSpec {
	return applefake.LocationSpec{
		Name: "Library", Country: "US", Org: "MADE-UP", Domains: []string{"school.example"},
		Stock: []applefake.Stock{
			{AdamID: book, Total: 3, Title: applefake.Title{Name: "A Book", Author: "A. Author"}},
			{AdamID: other, Total: 2},
			{AdamID: other, Pricing: "PLUS", Total: 2},
			{AdamID: free, Unlimited: true},
			{AdamID: app, Total: 5, App: true},
		},
	}
}

func unpaced() *applefake.Limits {
	limits := applefake.DocumentedLimits()
	limits.MaxRequestPerSecond = -1
	return &limits
}

// build makes a rig without a rate limit unless the options give limits.
func build(t *testing.T, o applefake.Options, s applefake.LocationSpec) *rig {
	t.Helper()
	clock := world.NewVirtual(7, start)
	if o.Clock == nil {
		o.Clock = clock
	}
	if o.Limits == nil {
		o.Limits = unpaced()
	}
	server, err := applefake.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	at, err := server.AddLocation(s)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, clock: clock, server: server, at: at, token: at.Token(), media: "application/json"}
	if r.token == "" {
		if r.token, err = at.IssueToken(start.AddDate(1, 0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// answer is every field that any answer has.
type answer struct {
	code   int
	header http.Header
	raw    string

	ErrorNumber  int
	ErrorMessage string
	ErrorInfo    info

	EventID      string
	EventStatus  string
	EventType    string
	NumRequested int
	NumCompleted int
	Failures     []struct {
		ErrorNumber int
		ErrorInfo   info
	}

	Assets, UnlimitedAssets                            []asset
	Assignments                                        []row
	Users                                              []user
	CurrentPageIndex                                   int
	NextPageIndex                                      *int
	Size, TotalPages                                   int
	VersionID, UID, TokenExpirationDate                string
	MDMInfo                                            *applefake.MDMInfo
	Limits                                             map[string]int
	URLs                                               map[string]string
	NotificationAuthToken, NotificationURL, WebsiteURL string
	SubscribedNotificationTypes                        []string
	CountryISO2ACode, DefaultPlatform, LocationName    string
	ErrorCodes                                         []struct{ ErrorNumber int }
	Results                                            map[string]struct{ Name, ArtistName string }
}

type info struct {
	Assets                       []applefake.AssetKey
	ClientUserIDs, SerialNumbers []string
}

type asset struct {
	AdamID, PricingParam, ProductType        string
	AssignedCount                            int
	AvailableCount, RetiredCount, TotalCount *int
	DeviceAssignable, Revocable              bool
}

type row struct{ AdamID, PricingParam, ClientUserID, SerialNumber, UserStatus, IDHash string }

type user struct{ ClientUserID, Email, Status, IDHash, InviteCode string }

// request makes a request; its path may leave out the API's prefix.
func (r *rig) request(method, path, body string) *http.Request {
	r.t.Helper()
	if !strings.HasPrefix(path, "/WebObjects") && !strings.HasPrefix(path, "/v1") &&
		!strings.HasPrefix(path, "/covers") {
		path = "/mdm/v2" + path
	}
	q, err := http.NewRequestWithContext(r.t.Context(), method, "https://vpp.example"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if r.token != "" {
		q.Header.Set("Authorization", "Bearer "+r.token)
	}
	if method == http.MethodPost {
		q.Header.Set("Content-Type", r.media)
	}
	return q
}

func (r *rig) do(q *http.Request) answer {
	r.t.Helper()
	response, err := r.server.Transport().RoundTrip(q)
	if err != nil {
		r.t.Fatal(err)
	}
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	a := answer{code: response.StatusCode, header: response.Header, raw: string(raw)}
	if bytes.HasPrefix(raw, []byte("{")) {
		if err := json.Unmarshal(raw, &a); err != nil {
			r.t.Fatalf("%s: %v", raw, err)
		}
	}
	return a
}

func (r *rig) get(path string) answer {
	r.t.Helper()
	return r.do(r.request(http.MethodGet, path, ""))
}

func (r *rig) post(path, body string) answer {
	r.t.Helper()
	return r.do(r.request(http.MethodPost, path, body))
}

// finish posts and lets the event end.
func (r *rig) finish(path, body string) answer {
	r.t.Helper()
	a := r.post(path, body)
	if a.EventID == "" {
		r.t.Fatalf("%s was refused: %s", path, a.raw)
	}
	r.clock.Advance(2 * time.Second)
	return r.get("/status?eventId=" + a.EventID)
}

// users makes users linked to managed accounts of their own.
func (r *rig) users(ids ...string) {
	r.t.Helper()
	for _, id := range ids {
		if a := r.finish("/users/create", who(id,
			`,"managedAppleId":"`+id+`@school.example"`)); a.EventStatus != "COMPLETE" {
			r.t.Fatalf("creating %s: %s", id, a.raw)
		}
	}
}

// want is the body that associates one asset with users.
func want(adamID string, ids ...string) string {
	return `{"assets":[{"adamId":"` + adamID + `","pricingParam":"STDQ"}],"clientUserIds":["` + strings.Join(ids,
		`","`) + `"]}`
}

// both is the body that associates the two books with users.
func both(ids ...string) string {
	return strings.Replace(want(book, ids...), `[{`, `[{"adamId":"`+other+`"},{`, 1)
}

func (r *rig) holders(adamID string) string {
	r.t.Helper()
	var ids []string
	for _, row := range r.get("/assignments?adamId=" + adamID).Assignments {
		ids = append(ids, row.ClientUserID+row.SerialNumber)
	}
	return strings.Join(ids, " ")
}

func (r *rig) counts(adamID string) (assigned, available int) {
	r.t.Helper()
	a := r.get("/assets?pricingParam=STDQ&adamId=" + adamID).Assets
	if len(a) != 1 {
		r.t.Fatalf("%d assets %s", len(a), adamID)
	}
	return a[0].AssignedCount, *a[0].AvailableCount
}

func (r *rig) sound() {
	r.t.Helper()
	if err := r.server.Invariants(); err != nil {
		r.t.Fatal(err)
	}
}
