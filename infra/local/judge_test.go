package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/world"
)

// account is what Apple's API says of the library: the judge believes nothing else.
type account struct {
	assigned map[asset]int     // counts
	rows     map[holding]int   // how often each is listed
	idHash   map[string]string // by clientUserId
}

type asset struct {
	AdamID  string `json:"adamId"`
	Pricing string `json:"pricingParam"`
}

type holding struct {
	asset
	ClientUserID string `json:"clientUserId"`
}

func accountOf(apple caller) account {
	apple.t.Helper()
	a := account{assigned: map[asset]int{}, rows: map[holding]int{}, idHash: map[string]string{}}
	type page[T any] struct {
		Assets      []T  `json:"assets"`
		Assignments []T  `json:"assignments"`
		Next        *int `json:"nextPageIndex"`
	}
	for next := new(int); next != nil; {
		var p page[struct {
			asset
			Assigned int `json:"assignedCount"`
		}]
		apple.get(fmt.Sprintf("/assets?pageIndex=%d", *next), &p)
		for _, row := range p.Assets {
			a.assigned[row.asset] = row.Assigned
		}
		next = p.Next
	}
	for next := new(int); next != nil; {
		var p page[struct {
			holding
			IDHash string `json:"idHash"`
		}]
		apple.get(fmt.Sprintf("/assignments?includeUserState=true&pageIndex=%d", *next), &p)
		for _, row := range p.Assignments {
			a.rows[row.holding]++
			a.idHash[row.ClientUserID] = row.IDHash
		}
		next = p.Next
	}
	return a
}

type grantRow struct {
	PersonID string    `json:"personId"`
	State    string    `json:"state"`
	Reason   string    `json:"reason"`
	Found    bool      `json:"foundAtSync"`
	Cause    *causeRow `json:"cause"`
}

type batchRow struct {
	State   string `json:"state"`
	EventID string `json:"eventId"` // Apple's; empty when no answer came
}

type causeRow struct{ BookID, GroupID, Intent, Requester string }

type licenseRow struct {
	PersonID     string    `json:"personId"`
	Origin       string    `json:"origin"`
	ClientUserID string    `json:"clientUserId"`
	Cause        *causeRow `json:"cause"`
}

func (c *causeRow) is(bookID, groupID string) bool {
	return c != nil && *c == causeRow{bookID, groupID, "required", "admin-token"}
}

// judgeAnswers holds what the product tells an administrator to Apple's account, after a sync of everything.
func (j *job) judgeAnswers() {
	j.fullSync()
	apple := accountOf(j.apple)
	for _, b := range j.books {
		granted := map[string]bool{}
		for _, g := range all[grantRow](j.admin, "/v1.0/bookplate/grants?book="+b.ID) {
			if g.State != "licensed" || g.Found || !g.Cause.is(b.ID, j.group) || granted[g.PersonID] {
				j.t.Errorf("title %s: the grant %+v of %+v", b.AdamID, g.Cause, g)
			}
			granted[g.PersonID] = true
		}
		theirs, ours := 0, map[string]bool{}
		for _, l := range all[licenseRow](j.admin, "/v1.0/bookplate/licenses?book="+b.ID) {
			if apple.rows[holding{asset{b.AdamID, b.Pricing}, l.ClientUserID}] != 1 {
				j.t.Errorf("title %s: Apple doesn't list %+v", b.AdamID, l)
			}
			if l.Origin == "foreign" {
				theirs++
				continue
			}
			if l.Origin != "assignment" || !l.Cause.is(b.ID, j.group) || ours[l.PersonID] {
				j.t.Errorf("title %s: the license %+v of %+v", b.AdamID, l.Cause, l)
			}
			ours[l.PersonID] = true
		}
		for _, person := range j.people {
			if !granted[person] || !ours[person] {
				j.t.Errorf("title %s: person %s: granted is %v, licensed is %v", b.AdamID, person, granted[person], ours[person])
			}
		}
		if at := apple.assigned[asset{b.AdamID, b.Pricing}]; theirs+len(ours) != at || len(granted) != people {
			j.t.Errorf("title %s: the product lists %d grants, %d licenses and %d foreign ones; Apple has %d", b.AdamID, len(granted),
				len(ours), theirs, at)
		}
	}
}

func (j *job) fullSync() {
	before := j.token()
	j.admin.must(http.MethodPost, tokensPath+"/"+before.ID+"/syncLicenses?full=true", nil, nil, http.StatusOK)
	j.admin.until("the full sync has ended", func() bool {
		now := j.token()
		return now.Status == "completed" && now.Last.After(before.Last)
	})
}

// judgeApple compares Apple's account with that of before: each title once more for each of the same 30 people, and
// nothing else.
func (j *job) judgeApple() {
	after := accountOf(j.apple)
	wanted := map[asset]bool{}
	for _, b := range j.books {
		wanted[asset{b.AdamID, b.Pricing}] = true
	}
	for key, assigned := range after.assigned {
		grown := assigned - j.before.assigned[key]
		if wanted[key] && grown != people || !wanted[key] && grown != 0 {
			j.t.Errorf("the assigned count of %v has grown by %d", key, grown)
		}
	}
	holders, persons, given := map[string]int{}, map[string]bool{}, 0
	for row, n := range after.rows {
		if n != 1 {
			j.t.Errorf("%+v is listed %d times", row, n)
		}
		if j.before.rows[row] > 0 {
			continue
		}
		if !wanted[row.asset] {
			j.t.Errorf("%+v was given, and nobody wished it", row)
		}
		given++
		holders[row.ClientUserID]++
		persons[after.idHash[row.ClientUserID]] = true
	}
	if given != people*titles || len(holders) != people || len(persons) != people {
		j.t.Errorf("%d licenses were given to %d users who are %d people; wanted were %d titles for %d people",
			given, len(holders), len(persons), titles, people)
	}
	for row := range j.before.rows {
		if after.rows[row] == 0 {
			j.t.Errorf("%+v is gone", row)
		}
	}
}

// judgeJournal reads the fake's own books. It never gives anybody an asset twice, however often it is asked; so that nobody was
// asked for twice is seen in the requests that it has accepted.
func judgeJournal(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	asked, requests := map[holding]time.Time{}, 0
	for line := range bytes.Lines(data) {
		var o struct {
			At     time.Time `json:"at"`
			Op     string    `json:"op"`
			Assets struct {
				Assets        []asset  `json:"assets"`
				ClientUserIDs []string `json:"clientUserIds"`
			} `json:"assets"`
		}
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatal(err)
		}
		if o.Op != "ASSOCIATE" {
			continue
		}
		requests++
		for _, a := range o.Assets.Assets {
			for _, id := range o.Assets.ClientUserIDs {
				if first, again := asked[holding{a, id}]; again {
					t.Errorf("%v for %s was asked for at %v and, although Apple had taken it, again at %v", a, id, first, o.At)
				}
				asked[holding{a, id}] = o.At
			}
		}
	}
	if len(asked) != people*titles {
		t.Errorf("%d licenses were asked for, in %d requests", len(asked), requests)
	}
	judgeLedger(t, path)
}

func judgeLedger(t *testing.T, path string) {
	t.Helper()
	server, err := applefake.New(applefake.Options{Clock: world.Real().Clock, Seed: 1, Journal: path})
	if err != nil {
		t.Fatal(err)
	}
	location, err := server.AddLocation(applefake.Library("school.example", applefake.Generated{
		Titles: 40, Readers: 20, Licenses: 100, Spare: 100,
	}))
	if err != nil {
		t.Fatal(err)
	}
	ledger := location.Ledger()
	for _, l := range ledger {
		if l.EventID == "" || l.By != ledger[0].By || l.Gone != "" {
			t.Errorf("a license of another kind: %+v", l)
		}
	}
	if len(ledger) != people*titles {
		t.Errorf("the fake's own books have %d licenses given", len(ledger))
	}
	for _, d := range server.DoubleSpends() {
		t.Errorf("spent twice: %+v", d)
	}
	if err := server.Invariants(); err != nil {
		t.Error(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}
