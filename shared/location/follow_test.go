package location_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/reader"
)

// asked has Apple asked for readers, one a request, and returns how many requests are marked.
func (b *bench) asked(people int) int {
	b.Helper()
	content, err := apple.DecodeToken([]byte(b.site.Token()))
	b.must(err)
	w := reader.Worker{
		Store: b.store, World: b.clock.World(), MaxUsers: 1, Poll: b.worker.Pace.Poll,
		Identity: reader.Identity{Location: uid, MDMID: mdmID},
		Apple:    b.worker.Service.Open(content.Secret, apple.Identity{UID: uid, MDMID: mdmID}),
	}
	var list []reader.Person
	for i := range people {
		list = append(list, reader.Person{ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i)})
	}
	n, _, err := w.Ensure(b.Context(), list, "")
	b.must(err)
	return n
}

func TestRequestsForReadersThatAreDueAreFollowedWithOneLookAtTheUsers(t *testing.T) {
	b := newBench(t)
	if n := b.asked(7); n != 7 {
		t.Fatalf("%d requests, want 7", n)
	}
	b.clock.Advance(time.Minute)
	before := b.fake.Counts()
	b.work()
	after := b.fake.Counts()
	if polls := after[applefake.EndpointStatus] - before[applefake.EndpointStatus]; polls != 7 {
		t.Errorf("%d polls, want one a request", polls)
	}
	if reads := after[applefake.EndpointUsers] - before[applefake.EndpointUsers]; reads != 1 {
		t.Errorf("the users were read %d times, want once", reads)
	}
	if marks := b.marks(); len(marks) != 0 {
		t.Errorf("marks are left: %v", marks)
	}
}

func TestGrantsWaitForTheRequestsForReadersThatAreStillUnderWay(t *testing.T) {
	b := newBench(t)
	b.asked(2)
	now := b.clock.Now().Add(time.Minute)
	b.clock.Advance(time.Minute)
	for name := range b.marks() { // one of the two isn't due yet
		b.mark(mark.Readers, name[len("readers#"):], now.Add(time.Second))
		break
	}
	b.work()
	marks := b.marks()
	if due, later := marks["grants#all"]; !later || !due.After(now) {
		t.Errorf("marks %v, want the grants put off while a request is under way", marks)
	}
	b.clock.Advance(time.Second)
	b.work()
	if marks := b.marks(); len(marks) != 0 {
		t.Errorf("marks %v are left when the last request has ended", marks)
	}
}
