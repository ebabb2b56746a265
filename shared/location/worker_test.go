package location_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/token"
)

func TestWhoFindsTheLeaseHeldDoesNothing(t *testing.T) {
	for name, test := range map[string]struct {
		lease token.Lease
		works bool
	}{
		"free":                     {token.Lease{Fence: 7}, true},
		"held":                     {token.Lease{Owner: "x", Fence: 7, Until: start.Add(time.Second)}, false},
		"held until this moment":   {token.Lease{Owner: "x", Fence: 7, Until: start}, true},
		"its holder died long ago": {token.Lease{Owner: "x", Fence: 7, Until: start.Add(-time.Hour)}, true},
		"let go, with time left":   {token.Lease{Fence: 7, Until: start.Add(time.Hour)}, true},
	} {
		b := newBench(t)
		b.setLease(test.lease)
		b.mark(mark.Sync, mark.SyncOrder, start)
		b.work()
		_, left := b.marks()["sync#order"]
		if left == test.works {
			t.Errorf("%s: the mark is left: %v, want work done: %v", name, left, test.works)
		}
		if l := b.lease(); test.works && (l.Owner != "" || l.Fence != 8) || !test.works && l != test.lease {
			t.Errorf("%s: the lease is %+v afterwards", name, l)
		}
		if !test.works && len(b.wakes) != 0 {
			t.Errorf("%s: it woke somebody, though the holder will", name)
		}
	}
}

func TestADeadProgramsLeaseCanBeBroken(t *testing.T) {
	b := newBench(t)
	b.setLease(token.Lease{Owner: "x", Fence: 7, Until: start.Add(time.Hour)})
	b.must(b.worker.Break(t.Context(), uid))
	if l := b.lease(); l.Owner != "" || l.Fence != 7 {
		t.Errorf("the lease is %+v", l)
	}
	b.must(b.worker.Break(t.Context(), uid))
	b.must(b.worker.Break(t.Context(), "unknown"))
}

func TestWhoLosesTheLeaseEndsAndLeavesItToTheOther(t *testing.T) {
	b := newBench(t)
	b.mark(mark.Sync, mark.SyncOrder, start)
	stolen := token.Lease{Owner: "the other", Fence: 99, Until: start.Add(time.Hour)}
	b.wire = func(string) {
		b.wire = nil
		b.clock.Advance(2 * time.Minute)
		b.setLease(stolen)
	}
	b.work()
	if l := b.lease(); l != stolen {
		t.Errorf("the lease is %+v, want the other's", l)
	}
	if len(b.wakes) != 0 {
		t.Errorf("it asked for wakes at %v; the other will", b.wakes)
	}
}

func TestNothingIsDoneWithoutATokenThatMayBeUsed(t *testing.T) {
	b := newBench(t)
	b.mark(mark.Sync, mark.SyncOrder, start)
	doc, err := token.OfLocation(t.Context(), b.store.ReadStore, uid)
	b.must(err)
	doc.Value.State = token.ExternalOwner
	op, err := doc.Save()
	b.must(err)
	b.commit(op)
	asked := 0
	b.wire = func(string) { asked++ }
	b.work()
	b.must(b.worker.Work(t.Context(), "unknown"))
	if asked != 0 || b.lease().Fence != 0 {
		t.Errorf("Apple was asked %d times, the lease is %+v", asked, b.lease())
	}
}

func TestWorkIsDoneInTheOrderOfItsKindsAndOnlyWhatIsDue(t *testing.T) {
	b := newBench(t)
	b.mark(mark.Sync, mark.SyncOrder, start.Add(-time.Hour))
	b.mark(mark.Readers, "event-of-readers", start)
	b.mark(mark.Settle, "batch-1", start)
	b.mark(mark.Grants, mark.SubjectAll, start.Add(time.Minute))
	var done []string
	b.engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
		if len(c.Ops) == 1 && c.Ops[0].Kind == table.OpDelete && c.Keys[0].Part == "marks#"+uid {
			done = append(done, c.Keys[0].Sort)
		}
		return nil
	}})
	b.work()
	// A sync that has ended has every wish and every reader looked at.
	want := []string{
		"settle#batch-1", "readers#event-of-readers", "grants#all", "readers#all", "sync#order", "grants#all", "readers#all",
	}
	if !slices.Equal(done, want) {
		t.Errorf("done in the order %v, want %v", done, want)
	}
}

func TestWorkThatComesWhileItIsDoneIsDoneAgain(t *testing.T) {
	b := newBench(t)
	b.mark(mark.Sync, mark.SyncOrder, start)
	times := 0
	b.wire = func(string) {
		if times == 0 {
			times++
			b.mark(mark.Sync, mark.SyncOrder, start)
		}
	}
	b.work()
	if n := b.fake.Counts()[applefake.EndpointAssets]; n != 2 || len(b.marks()) != 0 {
		t.Errorf("%d syncs were done, marks left: %v; want 2 and none", n, b.marks())
	}
}

func TestTheNextWakeIsOneAndForWhatIsDueNext(t *testing.T) {
	b := newBench(t)
	b.mark(mark.Later, mark.SubjectAll, start.Add(time.Hour))
	b.mark(mark.Settle, "batch-1", start.Add(20*time.Minute))
	b.work()
	if !slices.Equal(b.wakes, []time.Time{start.Add(20 * time.Minute)}) {
		t.Errorf("wakes at %v, want one in 20 minutes", b.wakes)
	}
	b = newBench(t)
	b.work()
	if len(b.wakes) != 0 {
		t.Errorf("nothing is to be done, but wakes at %v", b.wakes)
	}
}

func TestAWakeEndsWithItsBudgetAndAsksForAnother(t *testing.T) {
	b := newBench(t)
	b.mark(mark.Sync, mark.SyncOrder, start)
	b.wire = func(string) { b.clock.Advance(b.worker.Budget) }
	b.work()
	if len(b.wakes) != 1 || b.lease().Owner != "" {
		t.Errorf("wakes at %v, lease %+v; want one wake and the lease let go", b.wakes, b.lease())
	}
}

func TestAFailureThatPassesPutsTheWorkOff(t *testing.T) {
	b := newBench(t)
	b.mark(mark.Sync, mark.SyncOrder, start)
	b.fake.Script(applefake.Rules(applefake.Rule{
		Endpoint: applefake.EndpointAssets, First: 1, Last: 1000, Fault: applefake.Fault{Answer: applefake.AnswerHTML},
	}))
	b.work()
	now := b.clock.Now()
	due := b.marks()["sync#order"]
	if wait := due.Sub(now); wait <= 0 || wait > time.Minute {
		t.Errorf("due %s from now, want it put off for a while", wait)
	}
	if r := b.record(); r.State != token.Valid || !slices.Equal(b.wakes, []time.Time{due}) {
		t.Errorf("the token is %s, wakes at %v; want it valid, and a wake for the mark", r.State, b.wakes)
	}
	b.fake.Script(nil)
	b.clock.Advance(due.Sub(now))
	b.work()
	if _, left := b.marks()["sync#order"]; left {
		t.Error("it isn't done when Apple is back")
	}
}

func TestWhatStopsALocationSaysWhyAndKeepsItsMarks(t *testing.T) {
	tests := []struct {
		name string
		act  func(b *bench) error
		want token.State
	}{
		{"another owner", func(b *bench) error {
			return b.site.TakeOver(&applefake.MDMInfo{ID: "other", Name: "Other"})
		}, token.ExternalOwner},
		{"the token was revoked", func(b *bench) error { return b.site.RevokeTokens() }, token.Invalid},
		{"the password was changed", func(b *bench) error { return b.site.ChangePassword() }, token.Invalid},
		{"the token has expired", func(b *bench) error {
			b.clock.Advance(366 * 24 * time.Hour)
			return nil
		}, token.Expired},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.mark(mark.Sync, mark.SyncOrder, start)
			b.must(test.act(b))
			b.work()
			if r := b.record(); r.State != test.want || r.Why == "" || r.Modified != b.clock.Now() {
				t.Errorf("the token is %s because of %q, want %s", r.State, r.Why, test.want)
			}
			if _, left := b.marks()["sync#order"]; !left || len(b.wakes) != 0 || b.lease().Owner != "" {
				t.Errorf("marks %v, wakes %v, lease %+v; want the mark kept, nobody woken", b.marks(), b.wakes, b.lease())
			}
			asked := len(b.fake.Wire())
			b.work()
			if len(b.fake.Wire()) != asked {
				t.Error("Apple was asked again")
			}
		})
	}
}

func TestAStopThatWasOvertakenByARenewalIsNotStored(t *testing.T) {
	b := newBench(t)
	b.mark(mark.Sync, mark.SyncOrder, start)
	b.must(b.site.RevokeTokens())
	b.wire = func(string) {
		b.wire = nil
		doc, err := token.OfLocation(t.Context(), b.store.ReadStore, uid)
		b.must(err)
		doc.Value.SecretVersion = "v2"
		op, err := doc.Save()
		b.must(err)
		b.commit(op)
	}
	b.work()
	if r := b.record(); r.State != token.Valid {
		t.Errorf("the renewed token is called %s because of what was heard about the old one", r.State)
	}
}

func TestATableThatFailsIsTheWakesFailure(t *testing.T) {
	b := newBench(t)
	b.mark(mark.Sync, mark.SyncOrder, start)
	b.wire = func(string) {
		b.engine.SetFaults(mem.Faults{Before: func(mem.Call) error { return mem.ErrCrashed }})
	}
	if err := b.worker.Work(t.Context(), uid); !errors.Is(err, mem.ErrCrashed) {
		t.Errorf("error %v, want the table's: the wake must come again", err)
	}
}

func TestASyncThatEndsHasEveryWishLookedAtAndEveryReader(t *testing.T) {
	b := newBench(t)
	b.mark(mark.Sync, mark.SyncOrder, start)
	b.worker.Budget = time.Nanosecond // one kind a wake
	b.wire = func(string) { b.clock.Advance(time.Millisecond) }
	b.work()
	marks := b.marks()
	_, grants := marks["grants#all"]
	_, readers := marks["readers#all"]
	if !grants || !readers || len(marks) != 2 {
		t.Errorf("marks %v, want all grants and all readers", marks)
	}
	if open, err := license.OpenBatches(t.Context(), b.store.ReadStore, uid); err != nil || len(open) != 0 {
		t.Errorf("%d batches, %v", len(open), err)
	}
}

func TestOneSeedWorksInOneTrace(t *testing.T) {
	trace := func() string {
		b := newBench(t)
		b.mark(mark.Sync, mark.SyncUpload, start)
		b.work()
		return string(b.engine.Dump())
	}
	if a, b := trace(), trace(); a != b {
		t.Error("the same work left two different tables")
	}
}

func TestALookAtEverythingServesTheOneThatIsMarkedForLater(t *testing.T) {
	for name, subject := range map[string]string{"everything": mark.SubjectAll, "one book": mark.SubjectBook("b")} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.mark(mark.Grants, subject, start)
			b.mark(mark.Later, mark.SubjectAll, start.Add(time.Hour))
			b.work()
			marks := b.marks()
			_, later := marks["later#all"]
			_, now := marks["grants#"+subject]
			if later != (subject != mark.SubjectAll) || now {
				t.Errorf("marks %v are left", marks)
			}
		})
	}
}
