package license_test

import (
	"testing"

	"github.com/bookplate/bookplate/shared/license"
	"github.com/bookplate/bookplate/shared/table/mem"
)

func TestABatchThatBeginsSendingMeanwhileKeepsThePair(t *testing.T) {
	s := newShelf(t)
	s.reserve(here, license.Prepared)
	s.beforeCommit(func() {
		doc, err := license.OpenBatch(t.Context(), s.store.ReadStore, here, "batch-1")
		if err != nil {
			t.Fatal(err)
		}
		doc.Value.State = license.Sending
		op, err := doc.Save()
		if err != nil {
			t.Fatal(err)
		}
		s.commit(op)
	})
	s.add(from(there, "anna"), rowOf(stdq, "anna@2000"))
	if got := s.peopleOf(here); got != "anna ben" {
		t.Errorf("the batch holds %q, want both: it may have been sent", got)
	}
	if l := s.load("anna").Value; !l.Has() {
		t.Errorf("Apple's row was lost: %+v", l)
	}
}

// beforeCommit lets somebody else act ahead of the next Commit.
func (s *shelf) beforeCommit(act func()) {
	s.engine.SetFaults(mem.Faults{Before: func(c mem.Call) error {
		if c.Kind == mem.Commit {
			s.engine.SetFaults(mem.Faults{})
			act()
		}
		return nil
	}})
}

func TestARowIsNotLostWhenSomebodyElseChangesTheLicense(t *testing.T) {
	tests := map[string]func(s *shelf){
		"a batch reserves it": func(s *shelf) { s.reserve(here, license.Prepared) },
		"another location's sync finds it": func(s *shelf) {
			s.add(from(there, "anna"), rowOf(stdq, "anna@2000"))
		},
		"the same row is applied": func(s *shelf) { s.add(from(here, "anna"), rowOf(stdq, "anna@1000")) },
	}
	for name, act := range tests {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			s.beforeCommit(func() { act(s) })
			s.add(from(here, "anna"), rowOf(stdq, "anna@1000"))
			l := s.load("anna").Value
			n := 0
			for _, row := range l.Rows {
				if row.Location == here {
					n++
				}
			}
			if l.State != license.Licensed || n != 1 {
				t.Errorf("anna's item is %+v, want the row of location %s once", l, here)
			}
		})
	}
}

// Somebody else gives the title while a batch of ours is under way with it, and Apple does both. The second license is ours,
// and the ledger says on whose order.
func TestWhatOurBatchGaveIsOursAlsoWhenSomebodyElseWasFaster(t *testing.T) {
	for name, state := range map[string]license.BatchState{"sent": license.Sent, "sending": license.Sending} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			s.reserve(here, state)
			s.add(from(there, "anna"), rowOf(stdq, "anna@2000"))
			l := s.load("anna").Value
			if !l.Found || !l.Has() || l.Bound != here || l.BoundAs != stdq.PricingParam {
				t.Fatalf("before ours is listed: %+v", l)
			}
			src := from(here, "anna")
			src.Event = "event-1"
			s.add(src, rowOf(stdq, "anna@1000"))
			l = s.load("anna").Value
			if l.Found || l.Batch != "batch-1" || l.Event != "event-1" || l.Location != here || l.Bound != "" || len(l.Rows) != 2 {
				t.Errorf("then: %+v", l)
			}
		})
	}
	s := newShelf(t)
	s.reserve(here, license.Sent)
	src := from(here, "anna")
	src.Event = "event-1"
	s.add(src, rowOf(plus, "anna@1000"), rowOf(stdq, "anna@1000")) // both in one listing
	if l := s.load("anna").Value; l.Found || l.Event != "event-1" || l.Pricing != stdq.PricingParam || len(l.Rows) != 2 {
		t.Errorf("listed together: %+v", l)
	}
	for _, at := range []string{here, there} {
		s := newShelf(t)
		s.reserve(here, license.Prepared)
		s.add(from(at, "anna"), rowOf(stdq, "anna@"+at))
		if l := s.load("anna").Value; !l.Found || l.Bound != "" || l.Batch != "" {
			t.Errorf("taken out of a batch that was never sent, by a row of %s: %+v", at, l)
		}
	}
}
