package grant

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table/mem"
)

// pairsOf are all titles for all people.
func pairsOf(titles, people int) (pairs []pair) {
	for t := range titles {
		for p := range people {
			asset := apple.AssetKey{AdamID: fmt.Sprintf("%05d", t), PricingParam: apple.PricingSTDQ}
			pairs = append(pairs, pair{asset: asset, to: fmt.Sprint("p", p)})
		}
	}
	return pairs
}

func TestRequestsAreAsFewAsApplesLimitsAllow(t *testing.T) {
	for _, test := range []struct{ titles, people, maxTitles, maxPeople, want int }{
		{1, 1, 25, 1000, 1},
		{25, 1000, 25, 1000, 1},
		{26, 1000, 25, 1000, 2},
		{25, 1001, 25, 1000, 2},
		{60, 250, 25, 100, 9},
		{5, 5, 1, 1, 25},
		{3, 4, 0, 0, 12}, // a limit that makes no sense is one
		{60, 100, 10, 7, 90},
	} {
		g := Granter{Limits: apple.Limits{MaxAssets: test.maxTitles, MaxClientUserIDs: test.maxPeople}}
		drafts := g.group(pairsOf(test.titles, test.people))
		if len(drafts) != test.want {
			t.Errorf("%+v: %d requests", test, len(drafts))
		}
		n := 0
		for _, d := range drafts {
			if len(d.titles) > max(test.maxTitles, 1) || len(d.people) > max(test.maxPeople, 1) {
				t.Errorf("%+v: a request of %d × %d", test, len(d.titles), len(d.people))
			}
			if len(d.pairs) != len(d.titles)*len(d.people) {
				t.Errorf("%+v: a request would give more or less than was decided", test)
			}
			n += len(d.pairs)
		}
		if n != test.titles*test.people {
			t.Errorf("%+v: %d pairs, want each once", test, n)
		}
	}
}

func TestOnlyPeopleWhoLackTheSameTitlesShareARequest(t *testing.T) {
	g := Granter{Limits: apple.Limits{MaxAssets: 25, MaxClientUserIDs: 1000}}
	pairs := pairsOf(2, 3)
	pairs = append(pairs[:2:2], pairs[3:]...) // p2 has title 0 already
	drafts := g.group(pairs)
	if len(drafts) != 2 || len(drafts[0].pairs) != 4 || len(drafts[1].pairs) != 1 || drafts[1].people[0] != "p2" {
		t.Errorf("requests: %+v", drafts)
	}
}

func TestWhatIsWantedIsSentOnceAndExplained(t *testing.T) {
	s := newSchool(t, 3, 2)
	s.spend()
	s.spend() // a wake too many
	if len(s.apple.sent) != 1 || len(s.apple.sent[0].Assets) != 2 || len(s.apple.sent[0].ClientUserIDs) != 3 {
		t.Fatalf("sent %+v, want one request for all", s.apple.sent)
	}
	b := s.open()[0].Value
	if b.State != license.Sent || b.Event != "event-1" || b.SentAt.IsZero() || !b.NotAfter.Equal(s.apple.sent[0].NotAfter) {
		t.Errorf("the batch is %+v", b)
	}
	if most := b.SendingAt.Add(60 * time.Second); b.NotAfter.After(most) {
		t.Errorf("the request may start until %s, later than %s (law 2)", b.NotAfter, most)
	}
	s.apple.event = finished(6, 6)
	s.apple.list(0, nil)
	s.settle()
	for i := range s.books {
		l := s.license(i, 0)
		if l.State != license.Licensed || l.Found || l.Event != "event-1" || l.Batch != b.ID || l.Cause.Requester != "rita" {
			t.Errorf("the license is %+v", l)
		}
	}
	past, err := license.PastBatch(t.Context(), s.store.ReadStore, uid, b.ID)
	if err != nil || past.Value.State != license.Settled {
		t.Errorf("the batch is %+v, %v", past.Value, err)
	}
	s.spend()
	if len(s.apple.sent) != 1 {
		t.Error("what was given was sent again")
	}
}

func TestTheDeadlineOfARequestIsHalfOfTheWaitIfThatIsLess(t *testing.T) {
	for resend, want := range map[time.Duration]time.Duration{
		10 * time.Minute: time.Minute, 2 * time.Minute: time.Minute, 30 * time.Second: 15 * time.Second,
	} {
		if got := (Pace{ResendAfter: resend}).notAfter(); got != want {
			t.Errorf("sent again after %s: the deadline is %s, want %s", resend, got, want)
		}
	}
}

func TestAPlanIsWhatGrantsThenDo(t *testing.T) {
	s := newSchool(t, 10, 1)
	s.apple.stock[s.books[0].Asset] = 6
	s.books[0].Available = 6
	doc, err := assign.Load(t.Context(), s.store.ReadStore, s.books[0])
	s.must(err)
	plan, err := s.granter.surveyor().PlanFor(t.Context(), s.granter.Record, s.books[0], doc.Value)
	s.must(err)
	s.spend()
	s.spend() // with the counts that the first pass has read
	if plan.Give != 6 || plan.Wait != 4 || len(s.apple.sent) != 1 || len(s.apple.sent[0].ClientUserIDs) != plan.Give {
		t.Fatalf("planned %d, sent %+v", plan.Give, s.apple.sent)
	}
	sent := map[string]bool{}
	for _, id := range s.apple.sent[0].ClientUserIDs {
		sent[id] = true
	}
	for _, line := range plan.Lines {
		if sent[s.idOf(line.PersonID)] != (line.Decision.Verdict == assign.Give) {
			t.Errorf("%s was planned as %+v, and sent: %v", line.UserName, line.Decision, sent[s.idOf(line.PersonID)])
		}
	}
	if got := s.states(); got["reserved"] != 6 || got["waiting noStock"] != 4 {
		t.Errorf("states %v, want 6 reserved and 4 waiting", got)
	}
}

// Who waits is shown under the wish by which they wait now: their place in the line is that wish's.
func TestWhoWaitsIsNotedUnderTheWishThatCoversThemNow(t *testing.T) {
	s := newSchool(t, 1, 0)
	s.stock("900000001", 0)
	s.spend()
	before := s.license(0, 0)
	_, err := s.assigner.Replace(t.Context(), s.books[0], nil, "rita")
	s.must(err)
	_, err = s.assigner.Replace(t.Context(), s.books[0], []assign.Ask{{GroupID: s.group, Intent: assign.Required}}, "otto")
	s.must(err)
	s.spend()
	after := s.license(0, 0)
	if before.Reason != assign.NoStock || after.Reason != assign.NoStock || after.Since != before.Since ||
		after.Cause.AssignmentID == before.Cause.AssignmentID || after.Cause.Requester != "otto" {
		t.Errorf("first %+v by %+v, then %+v by %+v", before, before.Cause, after, after.Cause)
	}
}

func TestNoMoreIsSentThanApplesCountsOfThatMomentAllow(t *testing.T) {
	s := newSchool(t, 10, 2)
	s.apple.stock[s.books[0].Asset] = 4 // our own count says 1000
	s.apple.stock[s.books[1].Asset] = 7
	for range 4 {
		s.spend()
	}
	given := map[apple.AssetKey]int{}
	for _, a := range s.apple.sent {
		for _, asset := range a.Assets {
			given[asset] += len(a.ClientUserIDs)
		}
	}
	if !maps.Equal(given, map[apple.AssetKey]int{s.books[0].Asset: 4, s.books[1].Asset: 7}) {
		t.Errorf("sent %v, want 4 and 7", given)
	}
}

func TestOnlySoManyBatchesAreUnderWay(t *testing.T) {
	s := newSchool(t, 9, 1)
	s.granter.Limits.MaxClientUserIDs = 1
	s.granter.Pace.MaxOpen = 3
	s.spend()
	s.spend()
	if n := len(s.open()); n != 3 || len(s.apple.sent) != 3 {
		t.Errorf("%d are open and %d were sent, want 3", n, len(s.apple.sent))
	}
}

func TestWhatDoesNotFitIntoTheWakeIsMarkedForTheNext(t *testing.T) {
	s := newSchool(t, 2, 1)
	s.granter.Until = start
	s.spend()
	marks, err := mark.Read(t.Context(), s.store.ReadStore, uid)
	s.must(err)
	found := slices.ContainsFunc(marks, func(m mark.Mark) bool { return m.Kind == mark.Grants && m.Subject == mark.SubjectNext })
	if len(s.apple.sent) != 0 || !found {
		t.Errorf("sent %d, marks %+v; want nothing sent, and that marked", len(s.apple.sent), marks)
	}
	s.granter.Until = start.Add(time.Hour)
	s.next()
	s.sentOnce("in the next wake")
}

func TestAnUnknownOutcomeKeepsThePairs(t *testing.T) {
	s := newSchool(t, 3, 1)
	s.apple.associate = func(apple.Association) (string, error) { return "", apple.ErrUnknownOutcome }
	s.spend()
	s.clock.Advance(5 * time.Minute)
	s.settle()
	s.spend()
	if got := s.states(); got["reserved"] != 3 || len(s.apple.sent) != 1 {
		t.Errorf("states %v after %d requests, want all reserved by the first", got, len(s.apple.sent))
	}
}

func TestARequestThatWasNotSentFreesThePairsAtOnce(t *testing.T) {
	s := newSchool(t, 3, 1)
	s.apple.associate = func(apple.Association) (string, error) { return "", apple.ErrNotSent }
	if err := s.granter.Spend(t.Context(), []string{mark.SubjectAll}); !errors.Is(err, apple.ErrNotSent) {
		t.Fatalf("error %v, want that it wasn't sent", err)
	}
	if got := s.states(); got["wanted"] != 3 || len(s.open()) != 0 {
		t.Errorf("states %v, %d batches open; want all wanted and unbound", got, len(s.open()))
	}
}

func TestOneSeedSpendsInOneTrace(t *testing.T) {
	trace := func() string {
		s := newSchool(t, 20, 3)
		s.granter.Limits = apple.Limits{MaxAssets: 2, MaxClientUserIDs: 7}
		s.spend()
		s.apple.list(0, nil)
		s.apple.event = finished(14, 14)
		s.settle()
		return fmt.Sprint(s.apple.sent) + string(s.engine.Dump())
	}
	if a, b := trace(), trace(); a != b {
		t.Error("the same work left two different traces")
	}
}

// slow lets somebody else act ahead of the first Commit that stores a batch in a state.
func (s *school) slow(state license.BatchState, act func()) {
	s.engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
		for _, op := range c.Ops {
			if c.Kind == mem.Commit && contains(op.Item.Body, `"state":"`+string(state)+`"`) {
				s.engine.SetFaults(mem.Faults{})
				act()
			}
		}
		return nil
	}})
}
