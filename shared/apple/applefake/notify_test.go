package applefake_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

// receiver takes notifications; it refuses the next few if told so.
type receiver struct {
	refuse  int // attempts to be refused
	tried   int
	taken   []note
	inquiry func()
}

type note struct {
	NotificationID, NotificationType, UID string
	Notification                          struct {
		EventID, Type, Result string
		AdamID                string
		CountDelta            int
		Assignments           []row
		Users                 []user
		AssociatedUsers       []user
		Error                 *struct{ ErrorNumber int }
	}
	bearer string
}

func (r *receiver) RoundTrip(q *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(q.Body)
	if err != nil {
		return nil, err
	}
	r.tried++
	if r.inquiry != nil {
		r.inquiry()
	}
	if r.refuse > 0 {
		r.refuse--
		if r.refuse%2 == 0 {
			return nil, errors.New("unreachable")
		}
		return &http.Response{StatusCode: 500, Body: http.NoBody, Request: q}, nil
	}
	n := note{bearer: q.Header.Get("Authorization")}
	if err := json.Unmarshal(raw, &n); err != nil {
		return nil, err
	}
	if n.NotificationType != "TEST_NOTIFICATION" {
		r.taken = append(r.taken, n)
	}
	return &http.Response{StatusCode: 204, Body: http.NoBody, Request: q}, nil
}

func subscribed(t *testing.T, o applefake.Options) (*rig, *receiver) {
	t.Helper()
	to := &receiver{}
	o.Client = &http.Client{Transport: to}
	s := spec()
	s.Stock[0].Total = 1000
	r := build(t, o, s)
	if a := r.post("/client/config", hook("https://mdm.example/hook", "made-up-secret")); a.code != 200 {
		t.Fatal(a.raw)
	}
	return r, to
}

func TestAClientConfigIsTestedBeforeItIsTaken(t *testing.T) {
	r, to := subscribed(t, applefake.Options{})
	a := r.get("/client/config")
	if to.tried != 1 || a.NotificationURL != "https://mdm.example/hook" ||
		a.NotificationAuthToken != "made-up-secret" ||
		len(a.SubscribedNotificationTypes) != 4 {
		t.Errorf("%d tests; %s", to.tried, a.raw)
	}
	to.refuse = 1
	down := strings.Replace(mdm("i", "n", "m"), "}}",
		`},"notificationUrl":"https://down.example/x","notificationAuthToken":"x"}`, 1)
	if a := r.post("/client/config", down); a.ErrorNumber != 9728 || a.code != 400 {
		t.Errorf("got %s", a.raw)
	}
	if a := r.get("/client/config"); a.MDMInfo != nil || a.NotificationURL != "https://mdm.example/hook" {
		t.Errorf("a refused config was taken in part: %s", a.raw)
	}
	to.inquiry = func() { r.get("/client/config") } // the receiver may call while it is tested
	if a := r.post("/client/config", hook("https://mdm.example/new",
		"made-up-other")); a.NotificationURL != "https://mdm.example/new" {
		t.Errorf("got %s", a.raw)
	}
}

func TestAConfigKeepsWhatItLeavesOut(t *testing.T) {
	r, _ := subscribed(t, applefake.Options{})
	if a := r.post("/client/config", mdm("i", "n", "m")); a.MDMInfo.ID != "i" || a.NotificationURL == "" {
		t.Errorf("got %s", a.raw)
	}
	if a := r.post("/client/config", `{"notificationTypes":["ASSET_COUNT"]}`); a.MDMInfo == nil ||
		len(a.SubscribedNotificationTypes) != 1 {
		t.Errorf("got %s", a.raw)
	}
	for _, path := range []string{"/client/config", "/assets", "/users", "/assignments"} {
		if a := r.get(path); a.MDMInfo == nil || a.MDMInfo.ID != "i" {
			t.Errorf("%s doesn't echo mdmInfo: %s", path, a.raw)
		}
	}
}

func TestNotificationsTellEveryOutcome(t *testing.T) {
	r, to := subscribed(t, applefake.Options{})
	var users []string
	for i := range 150 {
		users = append(users, fmt.Sprintf(`{"clientUserId":"u%d"}`, i))
	}
	r.finish("/users/create", `{"users":[`+strings.Join(users[:100], ",")+`]}`)
	r.finish("/users/create", `{"users":[`+strings.Join(users[50:], ",")+`]}`)
	a := r.finish("/assets/associate", `{"assets":[{"adamId":"`+book+`"}],"clientUserIds":["nobody",`+many(150,
		`"u%d"`)+`]}`)
	event := r.server.Wire()[4].EventID
	if got := r.server.Deliver(t.Context()); got != len(to.taken) {
		t.Errorf("%d arrived of %d", got, len(to.taken))
	}
	seen := map[string]int{}
	for _, n := range to.taken {
		p := n.Notification
		number := 0
		if p.Error != nil {
			number = p.Error.ErrorNumber
		}
		if rows := len(p.Assignments) + len(p.Users); rows > 100 || n.bearer != "Bearer made-up-secret" ||
			n.UID != r.at.UID() {
			t.Errorf("%d rows, bearer %q", rows, n.bearer)
		}
		if p.Type == "ASSOCIATE" && p.EventID == "" {
			t.Errorf("no event: %+v (%s)", n, event)
		}
		seen[fmt.Sprintln(n.NotificationType, p.Type, p.Result, number)] += len(p.Assignments) + len(p.Users)
	}
	want := map[string]int{
		"USER_MANAGEMENT CREATE SUCCESS 0\n": 150, "USER_MANAGEMENT CREATE FAILURE 9716\n": 50,
		"ASSET_MANAGEMENT ASSOCIATE SUCCESS 0\n": 150, "ASSET_MANAGEMENT ASSOCIATE FAILURE 9609\n": 1,
	}
	if fmt.Sprint(seen) != fmt.Sprint(want) || len(to.taken) != 6 {
		t.Errorf("%d notifications: %v, want 6: %v; %s", len(to.taken), seen, want, a.raw)
	}
}

func TestPurchasesAndAcceptancesAreTold(t *testing.T) {
	r, to := subscribed(t, applefake.Options{})
	r.finish("/users/create", who("u", ""))
	r.accept("u", "u@school.example")
	for _, err := range []error{r.at.Purchase(book, "STDQ", 25), r.at.Refund(book, "STDQ", 5)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r.server.Deliver(t.Context())
	var got []string
	for _, n := range to.taken {
		got = append(got, fmt.Sprint(n.NotificationType, n.Notification.CountDelta,
			len(n.Notification.AssociatedUsers)))
	}
	if want := "[USER_MANAGEMENT0 0 USER_ASSOCIATED0 1 ASSET_COUNT25 0 ASSET_COUNT-5 0]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOnlySubscribedTypesAreSent(t *testing.T) {
	r, to := subscribed(t, applefake.Options{})
	r.post("/client/config", `{"notificationTypes":["ASSET_COUNT"]}`)
	r.users("u")
	if r.server.Deliver(t.Context()) != 0 || len(to.taken) != 0 {
		t.Errorf("got %v", to.taken)
	}
}

func TestADeliveryIsTriedThreeTimes(t *testing.T) {
	for refused, arrives := range map[int]int{0: 1, 2: 1, 3: 0} {
		r, to := subscribed(t, applefake.Options{})
		to.tried = 0
		r.users("u")
		to.refuse = refused
		var arrived int
		for range 10 {
			arrived += r.server.Deliver(t.Context())
			r.clock.Advance(time.Minute)
		}
		if arrived != arrives || to.tried != min(refused+1, 3) {
			t.Errorf("%d refused: %d arrived in %d attempts", refused, arrived, to.tried)
		}
	}
}

func TestNotificationsGetLostDoubledAndLate(t *testing.T) {
	send := func(n applefake.Notify) (*receiver, *rig) {
		r, to := subscribed(t, applefake.Options{Notify: n})
		for range 200 {
			if err := r.at.Purchase(book, "STDQ", 1); err != nil {
				t.Fatal(err)
			}
		}
		return to, r
	}
	to, r := send(applefake.Notify{Drop: 25})
	r.server.Deliver(t.Context())
	if n := len(to.taken); n < 100 || n > 190 {
		t.Errorf("a quarter is lost: %d of 200 arrived", n)
	}
	to, r = send(applefake.Notify{Duplicate: 25})
	r.server.Deliver(t.Context())
	different := map[string]bool{}
	for _, n := range to.taken {
		different[n.NotificationID] = true
	}
	if n := len(to.taken); n < 210 || n > 300 || len(different) != 200 {
		t.Errorf("a quarter is doubled: %d arrived, %d different", n, len(different))
	}
	to, r = send(applefake.Notify{Delay: time.Hour})
	r.server.Deliver(t.Context())
	early := len(to.taken)
	r.clock.Advance(time.Hour)
	r.server.Deliver(t.Context())
	if early > 20 || len(to.taken) != 200 {
		t.Errorf("late: %d at once, %d after an hour", early, len(to.taken))
	}
}

func TestNotificationsAreGroupedByAssetUnlessMixed(t *testing.T) {
	for mixed, want := range map[bool]int{false: 2, true: 1} {
		r, to := subscribed(t, applefake.Options{Notify: applefake.Notify{Mixed: mixed}})
		r.users("u")
		r.server.Deliver(t.Context())
		to.taken = nil
		r.finish("/assets/associate", both("u"))
		r.server.Deliver(t.Context())
		if len(to.taken) != want {
			t.Errorf("mixed %t: %d notifications, want %d", mixed, len(to.taken), want)
		}
	}
}
