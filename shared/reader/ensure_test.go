package reader_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/reader"
)

func TestPeopleWhomAppleDoesNotKnowAreCreatedInRequestsOfItsSize(t *testing.T) {
	d := newDesk(t)
	var people []reader.Person
	for i := range 7 {
		people = append(people, reader.Person{ID: fmt.Sprint("p", i), Account: fmt.Sprintf("p%d@school.example", i)})
	}
	if n := d.ensure(people...); n != 7 {
		t.Errorf("asked for %d, want 7", n)
	}
	var sizes []int
	for _, users := range d.apple.created {
		sizes = append(sizes, len(users))
		for _, u := range users {
			if u.Email != "" || u.ClientUserID == "" || u.ManagedAppleID == "" {
				t.Errorf("created %+v, want an id and an account, and no e-mail", u)
			}
		}
	}
	if !slices.Equal(sizes, []int{3, 3, 1}) {
		t.Errorf("requests of %v, want 3, 3 and 1", sizes)
	}
	if r := d.of("p0"); r.Status != reader.New || r.ClientUserID != idOf("p0") || r.Account != "p0@school.example" {
		t.Errorf("stored as %+v", r)
	}
	marks, err := mark.Read(t.Context(), d.Store.ReadStore, location)
	if err != nil || len(marks) != 3 || !marks[0].Due.Equal(start.Add(d.Poll)) || marks[0].Kind != mark.Readers {
		t.Errorf("marks %+v with error %v, want one a request, due after the first poll", marks, err)
	}
}

// Law 4: a process that died may have heard that the location is somebody else's, and this one hasn't.
func TestAppleIsReadBeforeItIsAskedForAnybodyAndNotOtherwise(t *testing.T) {
	d := newDesk(t)
	d.ensure(reader.Person{ID: "anna"})
	if want := []apple.UserQuery{{SinceVersion: "v1"}}; !slices.Equal(d.apple.queries, want) {
		t.Errorf("read %+v before asking, want %+v", d.apple.queries, want)
	}
	d.ensure(reader.Person{ID: "anna"}) // under way
	if len(d.apple.queries) != 1 {
		t.Errorf("read %+v although nobody is to be asked for", d.apple.queries)
	}
}

func TestWhomAppleTurnsOutToKnowIsNotCreated(t *testing.T) {
	d := newDesk(t)
	d.lose(reader.Person{ID: "anna"})
	d.apple.created = nil
	d.apple.rows = []apple.User{{ClientUserID: idOf("anna"), Status: apple.UserAssociated}}
	asked, known, err := d.Ensure(t.Context(), []reader.Person{{ID: "anna"}}, "v1")
	if asked != 0 || known != 1 || err != nil {
		t.Errorf("asked for %d, %d turned out to be known, error %v", asked, known, err)
	}
	if len(d.apple.created) != 0 || d.of("anna").Status != reader.Associated {
		t.Errorf("created %v, stored as %+v", d.apple.created, d.of("anna"))
	}
}

func TestNobodyIsAskedForTwice(t *testing.T) {
	anna := reader.Person{ID: "anna", Account: "anna@school.example"}
	bare := reader.Person{ID: "anna"}
	row := apple.User{ClientUserID: idOf("anna"), Status: apple.UserRegistered}
	tests := []struct {
		name   string
		before func(d *desk)
		person reader.Person
		want   string
	}{
		{"unknown: created", func(*desk) {}, anna, "1 created, 0 updated"},
		{"under way: left alone", func(d *desk) { d.ensure(anna) }, anna, "1 created, 0 updated"},
		{"the answer was lost: created again", func(d *desk) { d.lose(anna) }, anna, "2 created, 0 updated"},
		{"associated: left alone", func(d *desk) { d.become(anna, apple.UserAssociated) }, anna, "1 created, 0 updated"},
		{"retired: left alone", func(d *desk) { d.become(anna, apple.UserRetired) }, anna, "1 created, 0 updated"},
		{"invited, no account: left alone", func(d *desk) { d.become(bare, row.Status) }, bare, "1 created, 0 updated"},
		{"invited, account known now: linked", func(d *desk) { d.become(bare, row.Status) }, anna, "1 created, 1 updated"},
		{"refused: left alone", func(d *desk) { d.refuse(anna, 9635) }, anna, "1 created, 0 updated"},
		{"refused, and ten minutes later, when Apple may think otherwise: created", func(d *desk) {
			d.refuse(anna, 9635)
			d.clock.Advance(10 * time.Minute)
		}, anna, "2 created, 0 updated"},
		{"refused, and then somebody orders a sync: created", func(d *desk) {
			d.refuse(anna, 9635)
			d.clock.Advance(time.Second)
			d.Ordered = d.clock.Now()
		}, anna, "2 created, 0 updated"},
		{"refused since somebody ordered a sync: left alone", func(d *desk) {
			d.Ordered = d.clock.Now()
			d.clock.Advance(time.Second)
			d.refuse(anna, 9635)
		}, anna, "1 created, 0 updated"},
		{
			"refused, then the account changed: created", func(d *desk) { d.refuse(anna, 9635) },
			reader.Person{ID: "anna", Account: "a.smith@school.example"},
			"2 created, 0 updated",
		},
		{"forgotten by Apple: created", func(d *desk) {
			d.become(anna, row.Status)
			d.apple.rows = nil // otherwise its listing is believed
			d.forget("anna", "nobody")
		}, anna, "2 created, 0 updated"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t)
			test.before(d)
			d.ensure(test.person)
			if got := d.asked(); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// lose asks for somebody, and the answer is lost.
func (d *desk) lose(p reader.Person) {
	d.Helper()
	d.apple.fail = errLost
	if _, _, err := d.Ensure(d.Context(), []reader.Person{p}, "v1"); !errors.Is(err, errLost) {
		d.Fatalf("error %v, want Apple's", err)
	}
	d.apple.fail = nil
}

// become creates somebody, who then has that status at Apple.
func (d *desk) become(p reader.Person, status string) {
	d.Helper()
	d.ensure(p)
	d.apple.event = apple.Event{Status: apple.EventComplete, Requested: 1, Completed: 1}
	d.apple.rows = []apple.User{{ClientUserID: idOf(p.ID), Status: status, InviteCode: "code"}}
	if !d.follow("create-1") {
		d.Fatal("the request isn't done")
	}
}

// refuse creates somebody, and Apple refuses.
func (d *desk) refuse(p reader.Person, number int) {
	d.Helper()
	d.ensure(p)
	d.apple.event = apple.Event{Status: apple.EventFailed, Requested: 1, Failures: []apple.Failure{
		{Number: number, Info: apple.ErrorInfo{ClientUserIDs: []string{idOf(p.ID), "somebody else's"}}},
	}}
	if !d.follow("create-1") {
		d.Fatal("the request isn't done")
	}
}

func (d *desk) forget(people ...string) {
	d.Helper()
	var ids []string
	for _, p := range people {
		ids = append(ids, idOf(p))
	}
	if err := d.Forget(d.Context(), ids); err != nil {
		d.Fatal(err)
	}
}

func TestWhatAppleRefusesIsKeptWithTheAccountThatItRefused(t *testing.T) {
	d := newDesk(t)
	d.refuse(reader.Person{ID: "anna", Account: "anna@school.example"}, apple.NumberLinkedUser)
	want := reader.Refusal{Number: apple.NumberLinkedUser, Account: "anna@school.example", At: start}
	if r := d.of("anna"); r.Refusal == nil || *r.Refusal != want || r.Status != reader.New {
		t.Errorf("stored as %+v with %+v, want %+v", r, r.Refusal, want)
	}
	d.apply(apple.User{ClientUserID: idOf("anna"), Status: apple.UserAssociated})
	if r := d.of("anna"); r.Refusal != nil {
		t.Errorf("associated in the end, but the refusal stands: %+v", r.Refusal)
	}
}

func TestAnExistingUserIsLookedUpAndNotRefused(t *testing.T) {
	d := newDesk(t)
	d.ensure(reader.Person{ID: "anna", Account: "anna@school.example"})
	d.apple.event = apple.Event{Status: apple.EventFailed, Requested: 1, Failures: []apple.Failure{
		{Number: apple.NumberUserExists, Info: apple.ErrorInfo{ClientUserIDs: []string{idOf("anna")}}},
	}}
	d.apple.rows = []apple.User{{ClientUserID: idOf("anna"), Status: apple.UserRegistered, InviteCode: "code"}}
	if !d.follow("create-1") {
		t.Fatal("the request isn't done")
	}
	if r := d.of("anna"); r.Status != reader.Invited || r.Refusal != nil || r.InviteCode != "code" {
		t.Errorf("stored as %+v", r)
	}
	last := d.apple.queries[len(d.apple.queries)-1]
	if last != (apple.UserQuery{ClientUserID: idOf("anna")}) {
		t.Errorf("the last look-up was %+v, want one of that user", last)
	}
}

func TestARequestIsFollowedUntilAppleHasEndedItOrTakesTooLong(t *testing.T) {
	pending := apple.Event{Status: apple.EventPending}
	tests := []struct {
		name  string
		event apple.Event
		err   error
		after time.Duration
		done  bool
		fails bool
	}{
		{"pending", pending, nil, time.Minute, false, false},
		{"pending for ten minutes", pending, nil, 10 * time.Minute, false, false},
		{"pending for longer", pending, nil, 10*time.Minute + time.Second, true, false},
		{"complete", apple.Event{Status: apple.EventComplete}, nil, time.Minute, true, false},
		{"failed", apple.Event{Status: apple.EventFailed}, nil, time.Minute, true, false},
		{"forgotten", apple.Event{}, &apple.Error{Number: apple.NumberNoEvent}, time.Minute, true, false},
		{"token refused", apple.Event{}, &apple.Error{Number: apple.NumberExpired}, time.Minute, false, true},
		{"busy", apple.Event{}, &apple.Error{Number: 9646}, time.Minute, false, true},
		{"away", apple.Event{}, apple.ErrUnavailable, time.Minute, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t)
			d.ensure(reader.Person{ID: "anna"})
			d.apple.queries = nil
			d.clock.Advance(test.after)
			d.apple.event, d.apple.eventErr = test.event, test.err
			ended, _, err := d.Follow(t.Context(), []string{"create-1"}, "v1")
			done := ended == 1
			if done != test.done || (err != nil) != test.fails {
				t.Fatalf("done %v with error %v, want done %v, an error: %v", done, err, test.done, test.fails)
			}
			looked := len(d.apple.queries) > 0
			if looked != test.done {
				t.Errorf("the users were read: %v, want %v", looked, test.done)
			}
			marks, err := mark.Read(t.Context(), d.Store.ReadStore, location)
			if err != nil || len(marks) != 1 {
				t.Fatalf("marks %v, %v", marks, err)
			}
			if putOff := marks[0].Due.Equal(d.clock.Now().Add(3 * d.Poll)); putOff != (!test.done && !test.fails) {
				t.Errorf("the mark is due %s, now is %s", marks[0].Due, d.clock.Now())
			}
			d.ensure(reader.Person{ID: "anna"})
			if again := len(d.apple.created) == 2; again != test.done {
				t.Errorf("asked for again: %v, want %v", again, test.done)
			}
		})
	}
}

func TestFollowingWhatWasFollowedBeforeIsDoneAtOnce(t *testing.T) {
	d := newDesk(t)
	if !d.follow("create-1") || len(d.apple.queries) != 0 {
		t.Errorf("not done, or it asked Apple: %v", d.apple.queries)
	}
}

func TestAVersionThatIsTooOldMakesRefreshReadEverybody(t *testing.T) {
	d := newDesk(t)
	d.lose(reader.Person{ID: "anna"})
	d.apple.queries = nil
	d.apple.refuseSince = true
	d.apple.rows = []apple.User{{ClientUserID: idOf("anna"), Status: apple.UserAssociated}}
	if _, err := d.Refresh(t.Context(), "old"); err != nil {
		t.Fatal(err)
	}
	if want := []apple.UserQuery{{SinceVersion: "old"}, {}}; !slices.Equal(d.apple.queries, want) {
		t.Errorf("read %+v, want %+v", d.apple.queries, want)
	}
	if r := d.of("anna"); r.Status != reader.Associated {
		t.Errorf("stored as %+v", r)
	}
}

func TestAReaderIsStoredBeforeAppleIsAsked(t *testing.T) {
	d := newDesk(t)
	d.lose(reader.Person{ID: "anna"})
	if r := d.of("anna"); r.PersonID != "anna" {
		t.Error("Apple may know a user whose rows we would take for a stranger's")
	}
}
