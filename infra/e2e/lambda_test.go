//go:build aws && e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/bookplate/bookplate/infra/emulators"
	"github.com/bookplate/bookplate/infra/local/demo"
	"github.com/bookplate/bookplate/infra/local/tour"
	"github.com/bookplate/bookplate/infra/sam"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/world"
)

const (
	tableName = "bookplate-e2e"
	region    = "eu-central-1"
	scimToken = "made-up-scim-token-for-e2e"
	// A worker that was killed keeps its lease for 75 s; three of them in one step, and the work itself.
	patience = 8 * time.Minute
)

func TestTheMainJob(t *testing.T) {
	s := newSite(t)
	s.perform(t)
}

// A process may die anywhere. Whatever was under way is finished by the next one, and no license is given twice.
func TestTheMainJobWithDeaths(t *testing.T) {
	s := newSite(t,
		blow{name: "killed in the middle of a sync", method: "GET", ending: "/assignments", after: 3},
		blow{name: "killed in the middle of a grant, before Apple obeyed", method: "POST", ending: "/assets/associate"},
		blow{name: "killed in the middle of a grant, after Apple obeyed", method: "POST", ending: "/assets/associate", obeyed: true},
	)
	s.perform(t)
	if n := s.fake.left(); n > 0 {
		t.Errorf("%d deaths didn't happen: %+v", n, s.fake.plan)
	}
	for _, what := range s.fake.struck {
		t.Log(what)
	}
}

// site is an installation: the template's functions, table and queues, and the services in front and behind.
type site struct {
	template sam.Template
	schedule *function
	fake     *fake
	journal  *journal
	url      string
	admin    string
}

func newSite(t *testing.T, deaths ...blow) *site {
	s := &site{}
	var err error
	if s.template, err = sam.Load("../.."); err != nil {
		t.Fatal(err)
	}
	functions := map[string]*function{}
	web := httptest.NewUnstartedServer(nil) // it has its address; its handler comes with the functions
	s.url = "http://" + web.Listener.Addr().String()
	s.fake = newFake(t, func() int { return functions["work"].kill() }, deaths...)
	s.journal = newJournal(t, s.fake.token)

	dynamodb, moto := emulators.DynamoDBLocal(t), emulators.Moto(t)
	emulators.Table(t, dynamodb, tableName)
	wakes, _ := emulators.Queues(t, moto, tableName)

	key, err := auth.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	w := world.Real()
	s.admin, err = auth.Issuer{Key: key, Audience: auth.DefaultAudience, Clock: w.Clock, Rand: w.Rand}.Issue(
		auth.Caller{Subject: "anna@school.example", Role: auth.Administrator}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	public, err := auth.EncodePublic(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(public)
	sum := sha256.Sum256([]byte(scimToken))
	given := map[string]string{
		"TableName": tableName, "Wakes": wakes, "Stage": "e2e", "Hold": "0s", "FederatedDomains": demo.Domain,
		"PublicKeys": base64.StdEncoding.EncodeToString(block.Bytes), "ScimTokenHash": hex.EncodeToString(sum[:]),
		// As if it had been restored before: then the worker looks at every location before it gives anything.
		"RestoredAt": w.Now().Add(-time.Hour).UTC().Format(time.RFC3339),
	}
	services := []string{
		"AWS_ENDPOINT_URL_DYNAMODB=" + *dynamodb.BaseEndpoint, "AWS_ENDPOINT_URL_SQS=" + *moto.BaseEndpoint,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + *moto.BaseEndpoint, "AWS_REGION=" + region,
		"AWS_ACCESS_KEY_ID=madeup", "AWS_SECRET_ACCESS_KEY=made-up",
		"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=DEBUG",
		"BOOKPLATE_APPLE=" + s.fake.url, "BOOKPLATE_RESEND_AFTER=3s", "BOOKPLATE_POLL_AFTER=1s",
		"BOOKPLATE_OWN_URL=" + s.url,
	}
	for name, f := range s.template.Functions {
		concurrency := 1
		if name == "work" {
			concurrency = 2
		}
		functions[name] = newFunction(t, name, bootstrap(t, f.ID), runtimeEmulator(t),
			append(environment(t, s.template, f, given), services...), s.journal, concurrency)
	}
	s.schedule = functions["schedule"]
	s.front(t, web, functions, moto, wakes)
	return s
}

// front starts what AWS has in front of the functions.
func (s *site) front(t *testing.T, web *httptest.Server, functions map[string]*function, moto aws.Config, wakes string) {
	web.Config.Handler = gateway(s.template, functions)
	web.Start()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() { trigger(ctx, moto, wakes, functions["work"]) })
	}
	for _, e := range s.template.Functions["schedule"].Events {
		every := 5 * time.Second
		if strings.Contains(e.Properties.Input, "sync") {
			every = time.Minute
		}
		running.Go(func() { timer(ctx, every, e.Properties.Input, functions["schedule"]) })
	}
	t.Cleanup(func() {
		stop()
		running.Wait()
		web.Close()
	})
}

// environment is what the template sets for a function.
func environment(t *testing.T, template sam.Template, f sam.Function, given map[string]string) []string {
	var env []string
	for name, value := range f.Environment {
		text := value.Text // of a !Sub too: the one there is names AWS's domain, which nobody asks here
		if value.Function == "!Ref" {
			of, known := given[value.Text]
			if p, is := template.Parameters[value.Text]; !known && !is {
				t.Fatalf("%s: %s is neither a parameter nor a resource known here", f.ID, value.Text)
			} else if !known {
				of = p.Default
			}
			text = of
		}
		env = append(env, name+"="+text)
	}
	return append(env, "AWS_LAMBDA_FUNCTION_TIMEOUT="+itoa(f.Timeout), "AWS_LAMBDA_FUNCTION_NAME="+f.ID)
}

// perform does the main job, over HTTP, and looks at Apple's own books and at the rights that were used.
func (s *site) perform(t *testing.T) {
	var shown bytes.Buffer
	one := tour.Tour{
		Base: s.url, AdminToken: s.admin, SCIMToken: scimToken, ContentToken: s.fake.token, Out: &shown, Now: time.Now,
		Patience: patience,
	}
	err := one.Run(t.Context())
	t.Logf("\n%s", shown.String())
	if err != nil {
		t.Fatal(err)
	}
	s.judge(t)
	s.after(t)
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	for _, wrong := range s.journal.wrong {
		t.Error(wrong)
	}
	holdRights(t, s.template, s.journal.calls)
}

// judge holds Apple's own books to what was wished for: everybody of the groups who has a Managed Apple Account has each
// title once, as far as there was stock.
func (s *site) judge(t *testing.T) {
	if err := s.fake.server.Invariants(); err != nil {
		t.Error(err)
	}
	for _, d := range s.fake.server.DoubleSpends() {
		t.Errorf("title %s was given twice to %s: %+v", d.AdamID, d.Holder, d.Licenses)
	}
	given := map[string]int{}
	for _, l := range s.fake.location.Ledger() {
		given[l.AdamID]++
	}
	t.Logf("Apple's books: given by title: %v", given)
	_, groups := demo.School()
	readers := map[string]bool{}
	for _, g := range groups {
		if g.Name == demo.Group7A || g.Name == demo.Group7B {
			for _, name := range g.Members {
				readers[name] = strings.HasSuffix(name, "@"+demo.Domain)
			}
		}
	}
	entitled := 0
	for _, linked := range readers {
		if linked {
			entitled++
		}
	}
	for _, title := range demo.ClassSet {
		if want := min(entitled, title.Licenses); given[title.AdamID] != want {
			t.Errorf("%s was given %d times, not %d", title.Name, given[title.AdamID], want)
		}
	}
	if n := given[demo.ScarceTitle.AdamID]; n != demo.ScarceTitle.Licenses {
		t.Errorf("%s was given %d times, not %d", demo.ScarceTitle.Name, n, demo.ScarceTitle.Licenses)
	}
}

func newJournal(t *testing.T, taboo string) *journal {
	name := filepath.Join("..", "..", ".cache", "e2e", t.Name()+".log")
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return &journal{calls: map[string]map[call]int{}, file: file, taboo: taboo}
}

// bootstrap is where `make e2e-lambda` has built a function.
func bootstrap(t *testing.T, id string) string {
	return there(t, filepath.Join("..", "..", ".cache", "e2e", id, "bootstrap"))
}

// runtimeEmulator is Lambda's Runtime Interface Emulator, which the SAM CLI brings along.
func runtimeEmulator(t *testing.T) string {
	arch := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	return there(t, filepath.Join("..", "..", ".cache", "e2e", "aws-lambda-rie-"+arch))
}

func there(t *testing.T, name string) string {
	t.Helper()
	full, err := filepath.Abs(name)
	if err == nil {
		_, err = os.Stat(full)
	}
	if err != nil {
		t.Fatalf("run this as `make e2e-lambda`: %v", err)
	}
	return full
}
