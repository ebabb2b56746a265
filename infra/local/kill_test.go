package main_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	people = 30
	titles = 5

	madeUpAdmin = "made-up-admin-token-of-a-test"
	madeUpSCIM  = "made-up-scim-token-of-a-test"
)

// The fake's library and limits: little content, and so many requests that a kill can come between any two of them.
var appleFlags = []string{
	"-titles=40", "-readers=20", "-licenses=100", "-spare=100", "-max-assets=2", "-max-client-user-ids=10", "-max-users=10",
	"-page-size=50", "-latency=300ms", "-rate=200",
}

// job is the main job, done against a stack that keeps being killed.
type job struct {
	t                  *testing.T
	killer             *killer
	admin, scim, apple caller

	books  []bookRow
	group  string
	people []string // their ids
	before account  // Apple's, when nobody had asked for anything
}

type bookRow struct {
	ID        string `json:"id"`
	AdamID    string `json:"x_adamId"`
	Pricing   string `json:"x_pricingParam"`
	Available *int   `json:"x_availableLicenseCount"`
	Unlimited bool   `json:"x_unlimited"`
}

// Laws 1, 2, 6 and 7, on the real programs: a kill may come between any two instructions, and nobody tidies up after it.
func TestKillNineAtAnyMomentSpendsEachLicenseOnce(t *testing.T) {
	programs := build(t)
	seeds := uint64(1)
	if os.Getenv("BOOKPLATE_LONG") != "" {
		seeds = 5
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed+1), func(t *testing.T) { killNine(t, programs, seed+1) })
	}
}

func killNine(t *testing.T, programs string, seed uint64) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	chance := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	tokenFile, journal := filepath.Join(dir, "made-up.vpptoken"), filepath.Join(dir, "apple.journal")
	appleAt, stackAt := freePort(t, chance), freePort(t, chance)
	fake := newProgram(t, filepath.Join(programs, "apple"), append(slices.Clone(appleFlags),
		"-listen", appleAt, "-journal", journal, "-token-file", tokenFile)...)
	k := &killer{t: t, chance: chance, giveUp: cancel, now: make(chan struct{}, 1), kills: map[string]int{}}
	wire := slowWire(t, "http://"+appleAt, k, rand.New(rand.NewPCG(seed, 1)))
	k.victim = newProgram(t, filepath.Join(programs, "local"),
		"-apple", wire+"/mdm/v2", "-data", filepath.Join(dir, "data"), "-listen", stackAt, "-log",
		"-hold=0s", "-resend-after=2s", "-poll-after=200ms", "-federated-domains=school.example",
		"-admin-token", madeUpAdmin, "-scim-token", madeUpSCIM)
	for _, p := range []*program{fake, k.victim} {
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
	}
	j := &job{
		t:      t,
		killer: k,
		admin:  caller{t, ctx, "http://" + stackAt, madeUpAdmin},
		scim:   caller{t, ctx, "http://" + stackAt, madeUpSCIM},
		apple:  caller{t, ctx, "http://" + appleAt + "/mdm/v2", ""},
	}
	j.apple.get("/service/config", nil) // it writes the token before it listens
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		t.Fatal(err)
	}
	j.apple.bearer = strings.TrimSpace(string(token))
	j.before = accountOf(j.apple)

	killing, mercy := context.WithCancel(ctx)
	quiet := make(chan struct{})
	go func() {
		defer close(quiet)
		k.run(killing)
	}()
	defer func() { mercy(); <-quiet }()
	began := time.Now()
	j.perform(string(token))
	mercy()
	<-quiet
	t.Logf("seed %d: done in %v under kills %v", seed, time.Since(began).Round(time.Millisecond), k.kills)
	j.judgeKills()
	j.judgeAnswers()
	if err := k.victim.stop(); err != nil {
		t.Errorf("stopping the stack: %v", err)
	}
	j.judgeApple()
	if err := fake.stop(); err != nil {
		t.Errorf("stopping the fake: %v", err)
	}
	judgeJournal(t, journal)
}

// perform does the phases in their order, and each of them again until it has had its kills: doing again what may have
// been done is what the product's clients do.
func (j *job) perform(token string) {
	for _, phase := range []struct {
		name  string
		kills int
		do    func()
	}{
		{"upload", 3, func() { j.upload(token) }}, {"sync", 3, j.sync}, {"directory", 3, j.enroll}, {"assign", 3, j.assign},
	} {
		j.killer.enter(phase.name, phase.kills)
		phase.do()
		for j.killer.hungry() {
			phase.do()
		}
	}
	j.killer.enter("grants", 12)
	j.grants()
}

func (j *job) judgeKills() {
	kills := 0
	for n := range maps.Values(j.killer.kills) {
		kills += n
	}
	if kills < 15 || j.killer.kills["grants"] < 3 {
		j.t.Errorf("too little happened: kills %v", j.killer.kills)
	}
	lost := 0
	for _, b := range all[batchRow](j.admin, "/v1.0/bookplate/batches") {
		if b.State == "settled" && b.EventID == "" {
			lost++
		}
	}
	if lost == 0 {
		j.t.Error("too little happened: no answer to a request that spends was lost")
	}
}

const (
	tokensPath = "/v1.0/deviceAppManagement/vppTokens"
	booksPath  = "/v1.0/deviceAppManagement/managedEBooks"
)

// upload sends the file. That the location is known means that an earlier attempt succeeded, and died before it said so.
func (j *job) upload(token string) {
	j.admin.must(http.MethodPost, tokensPath, token, nil, http.StatusCreated, http.StatusConflict)
	j.token()
}

type tokenRow struct {
	ID     string    `json:"id"`
	Status string    `json:"lastSyncStatus"`
	Last   time.Time `json:"lastSyncDateTime"`
}

// sync waits for the first sync, or orders another, and chooses the titles.
func (j *job) sync() {
	if j.books != nil {
		j.fullSync()
		return
	}
	j.admin.until("the first sync has ended", func() bool { return j.token().Status == "completed" })
	for _, b := range all[bookRow](j.admin, booksPath+"?$top=1000&$orderby=x_adamId") {
		if len(j.books) < titles && !b.Unlimited && *b.Available > people && b.Pricing == "STDQ" {
			j.books = append(j.books, b)
		}
	}
	if len(j.books) != titles {
		j.t.Fatalf("only %d titles have enough in stock", len(j.books))
	}
}

func (j *job) token() tokenRow {
	tokens := all[tokenRow](j.admin, tokensPath)
	if len(tokens) != 1 {
		j.t.Fatalf("there are %d tokens", len(tokens))
	}
	return tokens[0]
}

type object map[string]any

// enroll sends the people and their group as an identity provider does: what may be there it looks for.
func (j *job) enroll() {
	j.people = nil
	for i := range people {
		name := fmt.Sprintf("pupil%02d@school.example", i)
		id := j.resource("Users", "userName", name, object{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": name, "externalId": name, "active": true,
		})
		j.people = append(j.people, id)
	}
	j.group = j.resource("Groups", "displayName", "Year 7", object{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": "Year 7", "externalId": "year-7",
	})
	for part := range slices.Chunk(j.people, 5) {
		members := make([]object, len(part))
		for i, id := range part {
			members[i] = object{"value": id}
		}
		j.scim.must(http.MethodPatch, "/scim/v2/Groups/"+j.group, object{
			"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
			"Operations": []object{{"op": "add", "path": "members", "value": members}},
		}, nil, http.StatusOK, http.StatusNoContent)
	}
}

// resource makes a SCIM resource, unless it is there, and returns its id.
func (j *job) resource(kind, attribute, value string, body object) string {
	query := url.Values{"filter": {fmt.Sprintf("%s eq %q", attribute, value)}}
	for {
		var found struct {
			Resources []struct{ ID string }
		}
		j.scim.get("/scim/v2/"+kind+"?"+query.Encode(), &found)
		if len(found.Resources) > 1 {
			j.t.Fatalf("%s %q is there %d times", kind, value, len(found.Resources))
		}
		if len(found.Resources) == 1 {
			return found.Resources[0].ID
		}
		j.scim.must(http.MethodPost, "/scim/v2/"+kind, body, nil, http.StatusCreated, http.StatusConflict)
	}
}

func (j *job) assign() {
	for _, b := range j.books {
		j.admin.must(http.MethodPost, booksPath+"/"+b.ID+"/assign", object{"managedEBookAssignments": []object{{
			"installIntent": "required",
			"target":        object{"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": j.group},
		}}}, nil, http.StatusNoContent)
	}
}

// grants waits until everybody has everything.
func (j *job) grants() {
	for _, b := range j.books {
		stand := ""
		j.admin.until("everybody has "+b.AdamID, func() bool {
			states := map[string]int{}
			for _, g := range all[grantRow](j.admin, "/v1.0/bookplate/grants?book="+b.ID) {
				states[g.State+" "+g.Reason]++
			}
			if now := fmt.Sprint(states); now != stand {
				stand = now
				j.t.Logf("%s: %s", b.AdamID, stand)
			}
			return states["licensed "] == people
		})
	}
}
