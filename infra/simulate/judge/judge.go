package judge

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

// Options are what the judge reads.
type Options struct {
	Now   func() time.Time
	Apple *applefake.Server
	Sites []*applefake.Location
	// Public asks the product: a GET of its API with a path below /v1.0; nil when the answer isn't 200.
	Public func(path string) []byte
	// ResendAfter is law 2's wait.
	ResendAfter time.Duration
	// Domain is where userNames are Managed Apple Accounts.
	Domain string
	// Hold is for how long a new required assignment spends nothing.
	Hold time.Duration
	// BookID is a book's id in public answers.
	BookID func(Book) string
	// Groups are all ids of groups.
	Groups []string
}

// Violation is a law that was broken.
type Violation struct {
	Law  string // the name of a zero of the report, e.g. "double spends"
	What string
	Tags []string // titles and people whom it is about
}

// Judge watches one run.
type Judge struct {
	*Facts
	Options
	Violations []Violation
	// Met counts how often the precondition of a law was met: a law that never mattered proves nothing.
	Met map[string]int
	// Joining is how many people are being sent to the directory for the first time.
	Joining int

	sites    map[string]*applefake.Location
	ours     map[string]string          // uId → our mdmInfo.id, as the claim says
	foreign  map[string]map[string]bool // uId → processes that heard of a foreign owner
	heard    map[string]time.Time       // uId → when one first did
	heardBy  map[string]string          // and which
	people   map[string]string          // uId and clientUserId → personId
	accounts map[string][]string        // personId → accounts
	sent     map[pair][]*sending
	events   map[string]*sending
	lists    []listing
	shrunk   map[Book]time.Time   // when others last took from a stock
	retired  map[string]time.Time // uId and clientUserId → when somebody else did it
	out      map[string]time.Time // uId and personId → since when it is ordered that they be no reader there
	left     map[string]bool      // uId and clientUserId, and uId and personId, of whom that was ever ordered
	seen     map[string]bool      // lines of ledgers that were judged
	open     []*sending           // whose answers haven't come

	wasSynced map[string]bool   // locations whose first sync has ended
	named     map[string]string // process and uId → who manages the location, as the process has heard last
	orders    map[string]bool   // processes that may take over a location
}

type pair struct{ adamID, person string }

type sending struct {
	request *Request
	uid     string
	event   string
	told    bool
	refused bool
}

type listing struct {
	at    time.Time
	uid   string
	query struct{ adamID, client string }
	rows  []row
}

// New returns a judge of a run that begins now.
func New(o Options) *Judge {
	j := &Judge{
		Options: o, Facts: newFacts(o.Now), Met: map[string]int{}, sites: map[string]*applefake.Location{},
		ours: map[string]string{}, foreign: map[string]map[string]bool{}, heard: map[string]time.Time{}, heardBy: map[string]string{},
		people: map[string]string{}, accounts: map[string][]string{}, sent: map[pair][]*sending{},
		events: map[string]*sending{}, shrunk: map[Book]time.Time{}, seen: map[string]bool{}, retired: map[string]time.Time{},
		out: map[string]time.Time{}, left: map[string]bool{},
		wasSynced: map[string]bool{}, named: map[string]string{}, orders: map[string]bool{},
	}
	for _, s := range o.Sites {
		j.sites[s.UID()] = s
	}
	return j
}

func (j *Judge) broken(law string, tags []string, format string, args ...any) {
	j.Violations = append(j.Violations, Violation{law, fmt.Sprintf(format, args...), tags})
}

// Wrong says that the script has seen a law broken.
func (j *Judge) Wrong(law, format string, args ...any) { j.broken(law, nil, format, args...) }

// Spent says that an event is of a request that spends.
func (j *Judge) Spent(event string) bool { return j.events[event] != nil }

// Account says that an account is a person's.
func (j *Judge) Account(person, account string) {
	j.accounts[person] = append(j.accounts[person], strings.ToLower(account))
}

// Shrunk says that somebody else took from a stock.
func (j *Judge) Shrunk(b Book) { j.shrunk[b] = j.Now() }

// personOf is whose reader the product says it is.
func (j *Judge) personOf(uid, client string) string {
	if p, ok := j.people[uid+" "+client]; ok {
		return p
	}
	for _, r := range list[struct {
		PersonID     string `json:"personId"`
		ClientUserID string `json:"clientUserId"`
	}](j, "/bookplate/readers?location="+uid) {
		j.people[uid+" "+r.ClientUserID] = r.PersonID
	}
	return j.people[uid+" "+client]
}

// list reads a whole collection.
func list[T any](j *Judge, path string) []T {
	var all []T
	for path != "" {
		var page struct {
			Value []T    `json:"value"`
			Next  string `json:"@odata.nextLink"`
		}
		_ = json.Unmarshal(j.Public(path), &page) // no answer is an empty list
		all = append(all, page.Value...)
		_, path, _ = strings.Cut(page.Next, "/v1.0")
	}
	return all
}

// Step judges what can be judged at any moment.
func (j *Judge) Step() {
	if err := j.Apple.Invariants(); err != nil {
		j.broken("books of Apple", nil, "%v", err)
	}
	for _, site := range j.Sites {
		for _, l := range site.Ledger() {
			line := l.UID + l.AdamID + l.PricingParam + l.ClientUserID + l.EventID + l.At.String()
			if !j.seen[line] && !j.joins(j.PersonOf(l.UID, l.ClientUserID)) {
				j.seen[line] = true
				j.given(l)
			}
		}
	}
}

// given judges a license that has been given, laws 1 and 3.
func (j *Judge) given(l applefake.License) {
	s := j.events[l.EventID]
	if s == nil {
		return // somebody else gave it
	}
	person := j.personOf(l.UID, l.ClientUserID)
	tags := []string{l.AdamID, person}
	user, active := j.sites[l.UID].User(l.ClientUserID)
	_, retired := j.retired[l.UID+" "+l.ClientUserID]
	retired = retired || j.left[l.UID+" "+l.ClientUserID]
	if (active || !retired) && !slices.Contains(j.accounts[person], strings.ToLower(user.Account)) {
		j.broken("to the wrong person", tags, "%s of %s went to the account %q, which isn't one of person %s", l.AdamID, l.UID,
			user.Account, person)
	}
	if !j.gave(s, l.AdamID, l.ClientUserID) {
		return // it was taken back before it was judged: one that is given after that is another story
	}
	for _, site := range j.Sites {
		for other := range site.Licenses() {
			if other.AdamID != l.AdamID || other.EventID == l.EventID && other.UID == l.UID || j.events[other.EventID] == nil {
				continue
			}
			if j.personOf(other.UID, other.ClientUserID) == person {
				j.broken("double spends", tags, "person %s got title %s at %s (%s, by %s) and at %s (%s, by %s)", person, l.AdamID,
					other.UID, other.PricingParam, other.EventID, l.UID, l.PricingParam, l.EventID)
			}
		}
	}
}
