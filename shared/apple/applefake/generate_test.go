package applefake_test

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

func bulk(titles, readers, licenses int) applefake.LocationSpec {
	s := spec()
	s.Generated = applefake.Generated{Titles: titles, Readers: readers, Licenses: licenses}
	return s
}

func TestGeneratedContentIsConsistent(t *testing.T) {
	for _, g := range [][3]int{{1, 1, 1}, {1, 7, 7}, {3, 2, 6}, {40, 97, 1000}, {10, 100, 999}, {5, 3, 0}, {4, 0, 0}} {
		t.Run(fmt.Sprint(g), func(t *testing.T) {
			r := build(t, applefake.Options{PageSize: 64}, bulk(g[0], g[1], g[2]))
			holders, pairs := map[string]int{}, map[string]bool{}
			byUser := map[string]int{}
			for _, page := range r.walk("/assignments") {
				for _, row := range page.Assignments {
					holders[row.AdamID]++
					byUser[row.ClientUserID]++
					pairs[row.AdamID+row.ClientUserID] = true
				}
			}
			if len(pairs) != g[2] {
				t.Errorf("%d different licenses, want %d", len(pairs), g[2])
			}
			for _, page := range r.walk("/assets") {
				for _, a := range page.Assets {
					if a.PricingParam == "STDQ" && a.AssignedCount != holders[a.AdamID] {
						t.Errorf("title %s: assignedCount %d, but %d rows", a.AdamID, a.AssignedCount,
							holders[a.AdamID])
					}
					if n := len(ids(r.walk("/assignments?adamId=" +
						a.AdamID)...)); (n == 0) != (holders[a.AdamID] == 0) {
						t.Errorf("title %s by adamId: %d", a.AdamID, n)
					}
				}
			}
			users := 0
			for _, page := range r.walk("/users") {
				for _, u := range page.Users {
					users++
					rows := 0
					for _, p := range r.walk("/assignments?clientUserId=" + u.ClientUserID) {
						rows += p.Size
					}
					if rows != byUser[u.ClientUserID] {
						t.Errorf("user %s holds %d by clientUserId, %d in all", u.ClientUserID, rows,
							byUser[u.ClientUserID])
					}
					if (u.Status == "Registered") != (u.InviteCode != "") ||
						(u.Status == "Registered") != (u.IDHash == "") {
						t.Errorf("user %+v", u)
					}
				}
			}
			if users != g[1] {
				t.Errorf("%d users, want %d", users, g[1])
			}
			r.sound()
		})
	}
}

func TestTheSeedDecidesGeneratedContent(t *testing.T) {
	trace := func(seed uint64) string {
		r := build(t, applefake.Options{Seed: seed}, bulk(20, 30, 100))
		r.token = r.at.Token()
		return r.get("/assets").raw + r.get("/users").raw + r.get("/assignments").raw
	}
	first, second := trace(1), trace(1)
	if first != second {
		t.Error("one seed gave two contents")
	}
	if first == trace(2) {
		t.Error("two seeds gave one content")
	}
}

func TestMoreLicensesThanPairsAreRefused(t *testing.T) {
	server, err := applefake.New(applefake.Options{Clock: build(t, applefake.Options{}, spec()).clock})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.AddLocation(bulk(2, 3, 7)); err == nil {
		t.Error("7 licenses were spread over 2 titles and 3 readers")
	}
}

// What happens to generated readers and licenses is kept beside them.
func TestGeneratedReadersLiveOn(t *testing.T) {
	r := build(t, applefake.Options{}, bulk(10, 100, 500))
	var registered, associated user
	for _, u := range r.get("/users").Users {
		switch u.Status {
		case "Registered":
			registered = u
		case "Associated":
			associated = u
		}
	}
	r.accept(registered.ClientUserID, "late@school.example")
	if a := r.finish("/users/create", who("mine",
		`,"managedAppleId":"`+associated.Email+`"`)); a.Failures[0].ErrorNumber != 9641 {
		t.Errorf("a generated reader's account was linked twice: %s", a.raw)
	}
	rows := r.get("/assignments?clientUserId=" + associated.ClientUserID).Assignments
	held := rows[0].AdamID
	_, available := r.counts(held)
	if a := r.finish("/assets/associate", want(held, associated.ClientUserID)); a.EventStatus != "COMPLETE" {
		t.Error(a.raw)
	}
	if _, after := r.counts(held); after != available {
		t.Error("a generated license was given again")
	}
	r.finish("/assets/associate", want(book, associated.ClientUserID))
	r.finish("/users/retire", who(associated.ClientUserID, ""))
	if got := len(r.get("/assignments?clientUserId=" + associated.ClientUserID).Assignments); got != len(rows)+1 {
		t.Errorf("%d licenses after retiring, want %d", got, len(rows)+1)
	}
	r.finish("/users/create", who(associated.ClientUserID, ""))
	r.accept(associated.ClientUserID, associated.Email)
	if got := r.states(associated.ClientUserID); got != "Deleted Associated" {
		t.Errorf("states %q", got)
	}
	if err := r.at.RefundFrom(held, "STDQ", associated.ClientUserID); err != nil {
		t.Fatal(err)
	}
	if got := len(r.get("/assignments?clientUserId=" + associated.ClientUserID).Assignments); got != len(rows) {
		t.Errorf("%d licenses after the refund, want %d", got, len(rows))
	}
	if assigned, _ := r.counts(held); assigned != len(r.get("/assignments?adamId="+held).Assignments) {
		t.Errorf("assignedCount %d after the refund", assigned)
	}
	if a := r.finish("/assets/associate", want(held, associated.ClientUserID)); a.EventStatus != "COMPLETE" {
		t.Error(a.raw)
	}
	r.sound()
	if found := r.server.DoubleSpends(); len(found) != 0 {
		t.Errorf("double spends: %+v", found)
	}
}

func TestTitlesAreDistinct(t *testing.T) {
	r := build(t, applefake.Options{}, bulk(1640, 0, 0))
	names := map[string]bool{}
	for t := 0; t < 1640; t += 40 {
		list := ""
		for i := range 40 {
			list += "," + strconv.Itoa(1400000000+t+i)
		}
		for _, title := range r.get("/WebObjects/MZStorePlatform.woa/wa/lookup?id=" + list[1:]).Results {
			names[title.Name] = true
		}
	}
	if len(names) != 1640 {
		t.Errorf("%d different names of 1,640 titles", len(names))
	}
}

func TestAMillionLicensesCostNoMemory(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	r := build(t, applefake.Options{WireLimit: 10}, bulk(1200, 50_000, 1_000_000))
	last := r.get("/assignments?pageIndex=1999")
	if last.TotalPages != 2000 || last.Size != 500 || last.NextPageIndex != nil {
		t.Fatalf("page 1999 of %d has %d rows", last.TotalPages, last.Size)
	}
	if a := r.get("/assignments?clientUserId=" + last.Assignments[0].ClientUserID); a.Size == 0 {
		t.Error("a reader's licenses can't be found")
	}
	if a := r.get("/assignments?adamId=" + last.Assignments[0].AdamID); a.TotalPages < 1 || a.Size == 0 {
		t.Error("a title's licenses can't be found")
	}
	after := heap()
	if after > before+2<<20 {
		t.Errorf("a million licenses cost %d bytes", after-before)
	}
	runtime.KeepAlive(r)
}
