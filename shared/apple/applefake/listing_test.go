package applefake_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

// walk reads all pages of a listing by nextPageIndex and returns the pages.
func (r *rig) walk(path string) []answer {
	r.t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	var pages []answer
	for index := 0; ; {
		a := r.get(fmt.Sprint(path, sep, "pageIndex=", index))
		if a.code != 200 || a.CurrentPageIndex != index {
			r.t.Fatalf("page %d: %s", index, a.raw)
		}
		pages = append(pages, a)
		if a.NextPageIndex == nil {
			return pages
		}
		index = *a.NextPageIndex
	}
}

func ids(pages ...answer) string {
	var all []string
	for _, p := range pages {
		for _, u := range p.Users {
			all = append(all, u.ClientUserID)
		}
		for _, row := range p.Assignments {
			all = append(all, row.AdamID+"/"+row.ClientUserID)
		}
	}
	return strings.Join(all, " ")
}

func TestPages(t *testing.T) {
	for size, wantPages := range map[int]int{1: 5, 2: 3, 3: 2, 5: 1, 500: 1} {
		r := build(t, applefake.Options{PageSize: size}, spec())
		r.users("a", "b", "c", "d", "e")
		pages := r.walk("/users")
		if len(pages) != wantPages || ids(pages...) != "a b c d e" {
			t.Errorf("size %d: %d pages with %s", size, len(pages), ids(pages...))
		}
		for i, p := range pages {
			if p.TotalPages != wantPages || p.Size != len(p.Users) || p.Size > size ||
				p.VersionID != pages[0].VersionID {
				t.Errorf("size %d, page %d: %s", size, i, p.raw)
			}
		}
		if a := r.get(fmt.Sprint("/users?pageIndex=", wantPages)); a.ErrorNumber != 9650 {
			t.Errorf("size %d: the page after the last got %s", size, a.raw)
		}
	}
}

func TestAnEmptyListingHasOnePageOrNone(t *testing.T) {
	for none, want := range map[bool]int{false: 1, true: 0} {
		r := build(t, applefake.Options{NoPagesWhenEmpty: none}, spec())
		a := r.get("/assignments")
		if a.TotalPages != want || a.NextPageIndex != nil || !strings.Contains(a.raw, `"assignments":[]`) {
			t.Errorf("no pages %t: %s", none, a.raw)
		}
	}
}

func TestPagesDriftWhileDataChange(t *testing.T) {
	r := build(t, applefake.Options{PageSize: 2}, spec())
	r.users("a", "b", "c", "d")
	for _, id := range []string{"a", "b", "c", "d"} {
		r.finish("/assets/associate", want(app, id))
	}
	first := r.get("/assignments")
	r.finish("/assets/revoke", `{"clientUserIds":["a"]}`)
	second := r.get("/assignments?pageIndex=1")
	if second.VersionID == first.VersionID {
		t.Error("a change in the middle of a walk doesn't show in the versionId")
	}
	if got := ids(first, second); got != app+"/a "+app+"/b "+app+"/d" {
		t.Errorf("the walk saw %q; c must have slipped through", got)
	}
	r.users("e")
	r.finish("/assets/associate", want(app, "e"))
	if a := r.get("/assignments?pageIndex=1"); a.TotalPages != 2 || a.NextPageIndex != nil {
		t.Errorf("%s", a.raw)
	}
}

func TestADeltaHasWhatCameSinceAVersion(t *testing.T) {
	r := build(t, applefake.Options{PageSize: 2}, spec())
	r.users("a", "b", "c")
	r.finish("/assets/associate", want(book, "a"))
	users, assignments := r.get("/users").VersionID, r.get("/assignments").VersionID
	if a := r.get("/users?sinceVersionId=" + users); a.Size != 0 || a.VersionID != users || a.TotalPages != 1 {
		t.Errorf("nothing changed: %s", a.raw)
	}
	r.finish("/assets/associate", want(book, "b", "c"))
	r.finish("/assets/associate", want(other, "b"))
	r.finish("/users/retire", who("b", ""))
	r.finish("/users/create", who("d", ""))
	pages := r.walk("/assignments?sinceVersionId=" + assignments)
	if got, want := ids(pages...), book+"/b "+book+"/c "+other+"/b"; got != want || len(pages) != 2 {
		t.Errorf("assignments: %q on %d pages, want %q", got, len(pages), want)
	}
	a := r.get("/users?sinceVersionId=" + users)
	if ids(a) != "b d" || a.Users[0].Status != "Retired" || a.VersionID == users {
		t.Errorf("users: %s", a.raw)
	}
	if b := r.get("/users?sinceVersionId=" + a.VersionID); b.Size != 0 {
		t.Errorf("the new version begins with changes: %s", b.raw)
	}
	if b := r.get("/assignments?adamId=" + other + "&sinceVersionId=" + assignments); ids(b) != other+"/b" {
		t.Errorf("with a filter: %s", b.raw)
	}
}

func TestRemovalsMakeAVersionButNeverShowInADelta(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.users("a", "b")
	r.finish("/assets/associate", want(app, "a", "b"))
	r.finish("/assets/associate", want(book, "a", "b"))
	before := r.get("/assignments").VersionID
	r.finish("/assets/revoke", `{"clientUserIds":["a"]}`)
	if err := r.at.RefundFrom(book, "STDQ", "b"); err != nil {
		t.Fatal(err)
	}
	a := r.get("/assignments?sinceVersionId=" + before)
	if a.Size != 0 || a.VersionID == before {
		t.Errorf("delta: %s", a.raw)
	}
	if got := ids(r.get("/assignments")); got != app+"/b "+book+"/a" {
		t.Errorf("full: %q", got)
	}
	r.sound()
}

func TestVersionIDsBelongToTheirEndpointAndLocation(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	second, err := r.server.AddLocation(applefake.LocationSpec{Name: "Second"})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, path := range []string{"/users", "/assignments", "/assets"} {
		id := r.get(path).VersionID
		seen[id] = true
		for _, elsewhere := range []string{"/users", "/assignments"} {
			if a := r.get(elsewhere + "?sinceVersionId=" + id); (a.ErrorNumber == 9721) != (path != elsewhere) {
				t.Errorf("the id of %s at %s: %s", path, elsewhere, a.raw)
			}
		}
	}
	mine := r.get("/users").VersionID
	if r.token, err = second.IssueToken(start.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if a := r.get("/users?sinceVersionId=" + mine); a.ErrorNumber != 9721 || len(seen) != 3 {
		t.Errorf("another location's id: %s", a.raw)
	}
}

func TestAVersionIDExpiresAMonthAfterItWasReplaced(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	id := r.get("/users").VersionID
	r.clock.Advance(90 * 24 * time.Hour)
	if a := r.get("/users?sinceVersionId=" + id); a.code != 200 {
		t.Errorf("the current version: %s", a.raw)
	}
	r.users("a")
	r.clock.Advance(29 * 24 * time.Hour)
	if a := r.get("/users?sinceVersionId=" + id); a.Size != 1 {
		t.Errorf("replaced 29 days ago: %s", a.raw)
	}
	r.clock.Advance(2 * 24 * time.Hour)
	if a := r.get("/users?sinceVersionId=" + id); a.ErrorNumber != 9721 || a.code != 400 {
		t.Errorf("replaced 31 days ago: %s", a.raw)
	}
}

func TestAssetsAreFilteredAndVersioned(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	for query, want := range map[string]int{
		"productType=Book": 4, "productType=App": 1, "adamId=" + other: 2, "pricingParam=PLUS": 1,
		"revocable=true": 1, "deviceAssignable=false": 4, "minAvailableCount=3&maxAvailableCount=3": 1,
		"minAssignedCount=1": 0, "maxAssignedCount=0": 5, "adamId=404": 0, "adamId=" + other + "&pricingParam=PLUS": 1,
	} {
		if a := r.get("/assets?" + query); len(a.Assets) != want {
			t.Errorf("%s: %d assets, want %d", query, len(a.Assets), want)
		}
	}
	a := r.get("/assets").Assets[0]
	if a.ProductType != "Book" || a.Revocable || a.DeviceAssignable || *a.RetiredCount != 0 || *a.TotalCount != 3 {
		t.Errorf("a book is %+v", a)
	}
	before := r.get("/assets").VersionID
	if err := r.at.Purchase(book, "STDQ", 10); err != nil {
		t.Fatal(err)
	}
	if _, available := r.counts(book); available != 13 || r.get("/assets").VersionID == before {
		t.Errorf("after a purchase %d are available", available)
	}
}

func TestARefundOfMoreThanIsLeftMakesAvailableNegative(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.users("a", "b")
	r.finish("/assets/associate", want(book, "a", "b"))
	if err := r.at.Refund(book, "STDQ", 2); err != nil {
		t.Fatal(err)
	}
	if assigned, available := r.counts(book); assigned != 2 || available != -1 || r.holders(book) != "a b" {
		t.Errorf("%d assigned, %d available, holders %q", assigned, available, r.holders(book))
	}
	if err := r.at.Refund(book, "STDQ", 2); err == nil {
		t.Error("more was refunded than was bought")
	}
	r.sound()
}
