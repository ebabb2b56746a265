package apple_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/vault"
	"github.com/bookplate/bookplate/shared/world"
)

const ourID = "6f6d0c0e-5b7a-4a52-9d53-0a6f5f5f0b11"

var us = apple.MDMInfo{ID: ourID, Name: "Bookplate", Metadata: "test"}

// store is a fake Apple with one location, and our client of it.
type store struct {
	*testing.T
	clock   *world.Virtual
	server  *applefake.Server
	account *applefake.Location
	service *apple.Service
}

func newStore(t *testing.T, options applefake.Options, content applefake.Generated) *store {
	t.Helper()
	s := &store{T: t, clock: world.NewVirtual(1, time.Date(2031, 2, 3, 12, 0, 0, 0, time.UTC))}
	options.Clock, options.Seed = s.clock, 1
	var err error
	if s.server, err = applefake.New(options); err != nil {
		t.Fatal(err)
	}
	s.account, err = s.server.AddLocation(applefake.LocationSpec{
		Name: "Library", Country: "CH", Domains: []string{"school.example"}, Generated: content,
		Stock: []applefake.Stock{
			{AdamID: "900000001", Total: 30, Title: applefake.Title{Name: "A Book"}},
			{AdamID: "900000001", Pricing: "PLUS", Total: 5},
			{AdamID: "900000002", Total: 2, NoMetadata: true},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.service, err = apple.NewService(apple.Options{
		BaseURL: "https://vpp.itunes.apple.com/mdm/v2", HTTP: s.server.Transport(), World: s.clock.World(), Timeout: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// token is a token of the location, as the file that a content manager uploads.
func (s *store) token() vault.Secret {
	s.Helper()
	file, err := s.account.IssueToken(s.clock.Now().AddDate(1, 0, 0))
	if err != nil {
		s.Fatal(err)
	}
	token, err := apple.DecodeToken([]byte(file + "\n"))
	if err != nil {
		s.Fatal(err)
	}
	if err := token.CheckExpiry(s.clock.Now()); err != nil {
		s.Fatal(err)
	}
	return token.Secret
}

// claimed is the location once it is ours, with the readers u-1 … u-n.
func (s *store) claimed(readers int) *apple.Location {
	s.Helper()
	l := s.service.Open(s.token(), apple.Identity{})
	if _, err := l.Claim(context.Background(), us); err != nil {
		s.Fatal(err)
	}
	for i := range readers {
		name := fmt.Sprintf("u-%d", i+1)
		if err := s.account.AddUser(name, name+"@school.example", name+"@school.example"); err != nil {
			s.Fatal(err)
		}
	}
	return l
}

func (s *store) give(l *apple.Location, adamID string, readers ...string) (string, error) {
	return l.Associate(context.Background(), apple.Association{
		Assets:        []apple.AssetKey{{AdamID: adamID, PricingParam: apple.PricingSTDQ}},
		ClientUserIDs: readers, NotAfter: s.clock.Now().Add(time.Minute),
	})
}

// ended waits for an event.
func (s *store) ended(l *apple.Location, id string) apple.Event {
	s.Helper()
	for range 20 {
		e, err := l.Event(context.Background(), id)
		if err != nil {
			s.Fatal(err)
		}
		if e.Status != apple.EventPending {
			return e
		}
		s.clock.Advance(30 * time.Second)
	}
	s.Fatal("the event doesn't end")
	return apple.Event{}
}

func (s *store) users(l *apple.Location) (found []apple.User) {
	s.Helper()
	err := l.UserPages(context.Background(), apple.UserQuery{}, 0, func(_ apple.Page, rows []apple.User) error {
		found = append(found, rows...)
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
	return found
}

// licenses are the licenses that our readers hold by the fake's own books.
func (s *store) licenses() (n int) {
	for _, book := range s.account.Ledger() {
		if strings.HasPrefix(book.ClientUserID, "u-") {
			n++
		}
	}
	return n
}

func TestTheWholeStory(t *testing.T) {
	s := newStore(t, applefake.Options{}, applefake.Generated{})
	ctx := context.Background()
	l := s.service.Open(s.token(), apple.Identity{})
	cfg, err := l.ClientConfig(ctx)
	if err != nil || cfg.UID != s.account.UID() || cfg.Country != "CH" || cfg.Platform != apple.PlatformEducation ||
		cfg.LocationName != "Library" || cfg.MDMInfo != nil ||
		!cfg.TokenExpires.Equal(s.clock.Now().AddDate(1, 0, 0).Truncate(time.Second)) {
		t.Fatalf("%+v %v", cfg, err)
	}
	if cfg, err = l.Claim(ctx, us); err != nil || *cfg.MDMInfo != us {
		t.Fatalf("%+v %v", cfg, err)
	}

	event, err := l.CreateUsers(ctx, []apple.NewUser{
		{ClientUserID: "u-1", Email: "ann@school.example", ManagedAppleID: "ann@school.example"},
		{ClientUserID: "u-2", Email: "bo@home.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if e := s.ended(l, event); e.Status != apple.EventComplete || e.Type != "CREATE" || e.Completed != 2 {
		t.Errorf("%+v", e)
	}
	status := map[string]apple.User{}
	for _, u := range s.users(l) {
		status[u.ClientUserID] = u
	}
	if status["u-1"].Status != apple.UserAssociated || status["u-1"].IDHash == "" || status["u-2"].Status != apple.UserRegistered {
		t.Errorf("%+v", status)
	}
	service, err := s.service.Config(ctx)
	if err != nil {
		t.Fatal(err)
	}
	link, err := apple.InvitationURL(service, status["u-2"].InviteCode)
	if err != nil {
		t.Fatal(err)
	}
	request, _ := http.NewRequest(http.MethodGet, link, nil)
	if answer, err := s.server.Transport().RoundTrip(request); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("the invitation %s: %v %v", link, answer, err)
	}

	event, err = s.give(l, "900000001", "u-1", "u-404")
	if err != nil {
		t.Fatal(err)
	}
	e := s.ended(l, event)
	if e.Status != apple.EventFailed || e.Requested != 2 || e.Completed != 1 || len(e.Failures) != 1 ||
		e.Failures[0].Number != 9609 || e.Failures[0].Info.ClientUserIDs[0] != "u-404" {
		t.Errorf("%+v", e)
	}
	var held []apple.Assignment
	err = l.AssignmentPages(ctx, apple.AssignmentQuery{ClientUserID: "u-1"}, 0, func(_ apple.Page, rows []apple.Assignment) error {
		held = append(held, rows...)
		return nil
	})
	if err != nil || len(held) != 1 || held[0].AdamID != "900000001" || held[0].PricingParam != apple.PricingSTDQ {
		t.Errorf("%+v %v", held, err)
	}
	titles, err := l.Titles(ctx, apple.TitleQuery{Platform: cfg.Platform, Country: cfg.Country}, []string{"900000001", "900000002"})
	if err != nil || len(titles) != 1 || titles["900000001"].Name != "A Book" {
		t.Errorf("%+v %v", titles, err)
	}
	calls, counted := l.Calls(), s.server.Counts()
	for key, n := range calls {
		if key == "clientConfig" { // Apple has one key for reading and writing
			n -= counted[applefake.EndpointConfigure]
		}
		if n != counted[key] {
			t.Errorf("%s: counted %d, the fake %d", key, n, counted[key])
		}
	}
}

func TestEveryFaultOfASpendAgainstTheBooksOfTheFake(t *testing.T) {
	for _, c := range []struct {
		name    string
		fault   applefake.Fault
		unknown bool // else: certain that nothing happened
	}{
		{"busy", applefake.Fault{Answer: applefake.AnswerBusy}, false},
		{"unavailable", applefake.Fault{Answer: applefake.AnswerUnavailable}, true},
		{"unavailable, done", applefake.Fault{Answer: applefake.AnswerUnavailable, Acted: true}, true},
		{"HTML", applefake.Fault{Answer: applefake.AnswerHTML}, true},
		{"HTML, done", applefake.Fault{Answer: applefake.AnswerHTML, Acted: true}, true},
		{"lost", applefake.Fault{Answer: applefake.AnswerConnectionLost}, true},
		{"lost, done", applefake.Fault{Answer: applefake.AnswerConnectionLost, Acted: true}, true},
		{"truncated", applefake.Fault{Answer: applefake.AnswerTruncated}, true},
		{"truncated, done", applefake.Fault{Answer: applefake.AnswerTruncated, Acted: true}, true},
		{"timeout", applefake.Fault{Answer: applefake.AnswerTimeout}, true},
		{"timeout, done", applefake.Fault{Answer: applefake.AnswerTimeout, Acted: true}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t, applefake.Options{}, applefake.Generated{})
			l := s.claimed(1)
			s.server.Script(applefake.Rules(applefake.Rule{Endpoint: applefake.EndpointAssociate, First: 1, Fault: c.fault}))
			_, err := s.give(l, "900000001", "u-1")
			if errors.Is(err, apple.ErrUnknownOutcome) != c.unknown || errors.Is(err, apple.ErrNotSent) == c.unknown {
				t.Error(err)
			}
			s.clock.Advance(time.Hour)
			want := 0
			if c.fault.Acted {
				want = 1
			}
			if n := s.licenses(); n != want || s.server.Counts()[applefake.EndpointAssociate] != 1 {
				t.Errorf("%d licenses after %v requests", n, s.server.Counts())
			}
		})
	}
}

func TestEveryFaultOfAReadIsSurvived(t *testing.T) {
	for answer := applefake.AnswerUnavailable; answer <= applefake.AnswerTimeout; answer++ {
		s := newStore(t, applefake.Options{PageSize: 3}, applefake.Generated{Titles: 5, Readers: 20, Licenses: 50})
		l := s.claimed(0)
		s.server.Script(func(in *applefake.Incoming) applefake.Fault {
			if in.N%3 == 0 {
				return applefake.Fault{}
			}
			return applefake.Fault{Answer: answer}
		})
		if n := len(s.users(l)); n != 20 {
			t.Errorf("answer %d: %d users", answer, n)
		}
	}
}

func TestTheWalkKeepsToTheRateAtAnyPageSize(t *testing.T) {
	for _, size := range []int{1, 2, 7, 1000} {
		s := newStore(t, applefake.Options{PageSize: size, Burst: 1}, applefake.Generated{Titles: 4, Readers: 60, Licenses: 100})
		l := s.claimed(0)
		seen := map[apple.Assignment]bool{}
		err := l.AssignmentPages(context.Background(), apple.AssignmentQuery{}, 0, func(_ apple.Page, rows []apple.Assignment) error {
			for _, row := range rows {
				seen[row] = true
			}
			return nil
		})
		if err != nil || len(seen) != 100 {
			t.Errorf("pages of %d: %d rows, %v", size, len(seen), err)
		}
		if want := (100 + size - 1) / size; l.Calls()["getAssignments"] != want {
			t.Errorf("pages of %d: %v, want %d", size, l.Calls(), want)
		}
	}
}

func TestTokensThatAppleNoLongerAccepts(t *testing.T) {
	for _, as200 := range []bool{false, true} {
		s := newStore(t, applefake.Options{ErrorsAsHTTP200: as200}, applefake.Generated{})
		l := s.claimed(0)
		s.token() // revokes the first
		_, err := l.ClientConfig(context.Background())
		if e, is := errors.AsType[*apple.Error](err); !is || e.Number != 9625 || !e.TokenProblem() || e.Remedy() == "" {
			t.Error(err)
		}
		_, err = s.give(l, "900000001", "u-1")
		if e, is := errors.AsType[*apple.Error](err); !is || e.Number != 9625 || errors.Is(err, apple.ErrUnknownOutcome) {
			t.Error(err)
		}
		inner := s.service.Open(vault.NewSecret("bWFkZS11cA=="), apple.Identity{})
		_, err = inner.ClientConfig(context.Background())
		if e, is := errors.AsType[*apple.Error](err); !is || e.Number != 9622 || !e.TokenProblem() {
			t.Error(err)
		}
	}
}

func TestNothingIsWrittenOnceAnotherManagerHasTakenOver(t *testing.T) {
	s := newStore(t, applefake.Options{}, applefake.Generated{})
	l := s.claimed(1)
	other := applefake.MDMInfo{ID: "ffffffff-0000-4000-8000-000000000001", Name: "Other Desk", Metadata: "x"}
	if err := s.account.TakeOver(&other); err != nil {
		t.Fatal(err)
	}
	_, err := l.ClientConfig(context.Background())
	if e, is := errors.AsType[*apple.OwnerError](err); !is || e.Owner.Name != "Other Desk" {
		t.Fatal(err)
	}
	if _, err = s.give(l, "900000001", "u-1"); !errors.Is(err, apple.ErrNotSent) {
		t.Error(err)
	}
	if n := s.server.Counts()[applefake.EndpointAssociate]; n != 0 || s.licenses() != 0 {
		t.Errorf("%d requests", n)
	}
	taken := s.service.Open(vault.NewSecret(s.account.Token()), apple.Identity{UID: s.account.UID()})
	if _, err := taken.Claim(context.Background(), us); err != nil {
		t.Error("by order:", err)
	}
	if _, err := s.give(taken, "900000001", "u-1"); err != nil {
		t.Error("afterwards:", err)
	}
}
