package books_test

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/book"
)

func TestGrantsSayHowEverybodyStandsAndWhy(t *testing.T) {
	r := newRig(t)
	group := r.Group(t, "7b", desk.Domain, "ana", "ben")
	strangers := r.Group(t, "guests", "elsewhere.example", "gus")
	r.give(t, plenty, group.ID)
	r.give(t, "900000004", strangers.ID)

	given, _ := r.walk(t, ours+"/grants?$top=1&book="+r.book(plenty))
	for _, g := range given {
		cause, _ := g["cause"].(map[string]any)
		if g["state"] != "licensed" || g["givenDateTime"] == nil || g["foundAtSync"] != false || g["batchId"] == "" ||
			cause["groupName"] != "7b" || cause["requester"] != "manager@school.example" || g["displayName"] == "" {
			t.Errorf("%v", g)
		}
	}
	waiting := r.get(t, ours+"/grants?book="+r.book("900000004")).List()
	if len(given) != 2 || len(waiting) != 1 || waiting[0]["state"] != "waiting" || waiting[0]["reason"] != "invitation" ||
		waiting[0]["text"] == nil || waiting[0]["next"] == nil {
		t.Errorf("given %v, waiting %v", given, waiting)
	}
	r.Send(t, r, "viewer", "GET", ours+"/grants", "").Refused(t, 400, "BadRequest", "book=")
	r.Send(t, r, "viewer", "GET", ours+"/grants?book=none", "").Refused(t, 404, "ResourceNotFound")
	r.Send(t, r, "viewer", "GET", ours+"/grants?book="+r.book(plenty)+"&$filter=state eq 'x'", "").
		Refused(t, 400, "BadRequest", "$filter")
}

func TestAPairUnderWayShowsTheStateOfItsBatch(t *testing.T) {
	r := newRig(t)
	group := r.Group(t, "7b", desk.Domain, "ana")
	r.Fake.Script(func(in *applefake.Incoming) applefake.Fault {
		if in.Endpoint == applefake.EndpointAssociate {
			return applefake.Fault{EventDelay: time.Hour}
		}
		return applefake.Fault{}
	})
	r.give(t, plenty, group.ID)
	g := r.get(t, ours+"/grants?book="+r.book(plenty)).List()[0]
	b := r.get(t, ours+"/batches?tokenId="+r.token).List()[0]
	if g["state"] != "sent" || g["batchId"] != b["id"] || b["state"] != "sent" || b["open"] != true ||
		b["peopleCount"] != 1.0 {
		t.Errorf("grant %v, batch %v", g, b)
	}
	r.Fake.Script(nil)
	r.Clock.Advance(2 * time.Hour)
	r.Work(t, r.Place.UID())
	if b := r.get(t, ours+"/batches?location="+r.Place.UID()).List()[0]; b["state"] != "settled" || b["open"] != false ||
		b["endDateTime"] == nil {
		t.Errorf("%v", b)
	}
}

func TestLicensesSayWhoHasWhatAndForeignOnesStandApart(t *testing.T) {
	r := newRig(t)
	group := r.Group(t, "7b", desk.Domain, "ana", "ben")
	r.give(t, plenty, group.ID)
	r.give(t, generated, group.ID)

	all, pages := r.walk(t, ours+"/licenses?$top=1&book="+r.book(generated))
	mine, foreign := 0, 0
	for _, l := range all {
		switch l["foreign"] {
		case true:
			foreign++
			if l["personId"] != nil || l["origin"] != "foreign" || l["cause"] != nil || l["clientUserId"] == "" {
				t.Errorf("%v", l)
			}
		case false:
			mine++
			if l["origin"] != "assignment" || l["userName"] == "" || foreign > 0 {
				t.Errorf("%v", l)
			}
		}
	}
	used := r.get(t, booksPath+"/"+r.book(generated)).Body["usedLicenseCount"]
	if mine != 2 || foreign == 0 || float64(mine+foreign) != used || pages < 3 {
		t.Errorf("%d of ours, %d foreign on %d pages; Apple counts %v", mine, foreign, pages, used)
	}

	people, err := r.Directory.PeopleByUserName(t.Context(), "ana@school.example")
	desk.Must(t, err)
	desk.Must(t, r.Directory.DeleteGroup(t.Context(), group.ID, ""))
	for _, name := range []string{people[0].ID, "ANA@school.example", "x-ana"} {
		list := r.get(t, ours+"/licenses?person="+name).List()
		if len(list) != 2 || list[0]["displayName"] != "ana" || list[0]["bookName"] == "" {
			t.Errorf("%s: %v", name, list)
		}
		if cause, _ := list[0]["cause"].(map[string]any); cause["groupName"] != "7b" {
			t.Errorf("a deleted group has lost its name: %v", cause)
		}
	}
	desk.Must(t, r.Directory.DeletePerson(t.Context(), people[0].ID, ""))
	if list := r.get(t, ours+"/licenses?person="+people[0].ID).List(); len(list) != 2 || list[0]["deleted"] != true ||
		list[0]["displayName"] != "ana" {
		t.Errorf("a deleted person: %v", list)
	}
	r.Send(t, r, "viewer", "GET", ours+"/licenses?person=nobody", "").Refused(t, 404, "PersonNotFound", "nobody")
	r.Send(t, r, "viewer", "GET", ours+"/licenses", "").Refused(t, 400, "BadRequest", "book=", "person=")
}

func TestReadersWhoAreInvitedAreListedForAMailMerge(t *testing.T) {
	r := newRig(t)
	strangers := r.Group(t, "guests", "elsewhere.example", "gus", "hal", `=cmd|"x"`, "@ivy")
	known := r.Group(t, "7b", desk.Domain, "ana")
	r.give(t, plenty, strangers.ID)
	r.give(t, "900000004", known.ID)

	a := r.get(t, ours+"/readers?status=invited&$top=3")
	if !strings.Contains(a.Body["note"].(string), "doesn't mail") {
		t.Error(a.Raw)
	}
	all, _ := r.walk(t, ours+"/readers?status=invited&$top=3")
	if everybody, _ := r.walk(t, ours+"/readers"); len(all) != 4 || len(everybody) != 5 {
		t.Errorf("%d invited of %d", len(all), len(everybody))
	}
	link, _ := all[0]["invitationUrl"].(string)
	if !strings.HasPrefix(link, "https://apple.example/") || strings.Contains(link, "inviteCode%25") {
		t.Errorf("link %q", link)
	}
	for _, ask := range []struct{ path, accept string }{
		{ours + "/readers?status=invited&$format=csv", "*/*"}, {ours + "/readers?status=invited&tokenId=" + r.token, "text/csv"},
	} {
		file := r.Want(t, 200, r, "viewer", "GET", ask.path, "", "Accept", ask.accept)
		rows, err := csv.NewReader(strings.NewReader(file.Raw)).ReadAll()
		if err != nil || len(rows) != 5 ||
			strings.Join(rows[0], " ") != "name userName email location invitationUrl invitedSince" ||
			file.Header.Get("Content-Type") != "text/csv; charset=utf-8" {
			t.Fatalf("%v %q", err, rows)
		}
		for _, row := range rows[1:] {
			if strings.ContainsAny(row[0][:1], "=+-@\t\r") || strings.ContainsAny(row[1][:1], "=+-@\t\r") ||
				row[3] != "School Library" {
				t.Errorf("%q", row)
			}
		}
	}
	part := r.Want(t, 200, r, "viewer", "GET", ours+"/readers?status=invited&$format=csv&$top=3", "")
	next, ok := strings.CutSuffix(strings.TrimPrefix(part.Header.Get("Link"), "<"), `>; rel="next"`)
	if !ok {
		t.Fatalf("no way to the rest: %v", part.Header)
	}
	if rest := r.Want(t, 200, r, "viewer", "GET", next, ""); strings.Count(part.Raw+rest.Raw, "\n") != 6 {
		t.Errorf("%q and %q", part.Raw, rest.Raw)
	}
	r.Send(t, r, "viewer", "GET", ours+"/readers?status=lost", "").Refused(t, 400, "BadRequest", "invited")
	r.Send(t, r, "viewer", "GET", ours+"/readers?tokenId=lost", "").Refused(t, 404, "ResourceNotFound")
}

func TestWhileAppleIsAwayReadersAreListedWithoutLinks(t *testing.T) {
	r := newRig(t)
	strangers := r.Group(t, "guests", "elsewhere.example", "gus")
	r.give(t, plenty, strangers.ID)
	r.Clock.Advance(time.Hour)
	limits := applefake.DocumentedLimits()
	r.Fake.SetLimits(limits)
	r.Fake.Script(func(*applefake.Incoming) applefake.Fault { return applefake.Fault{Answer: applefake.AnswerHTML} })
	if list := r.get(t, ours+"/readers").List(); len(list) != 1 || list[0]["status"] != "invited" {
		t.Errorf("%v", list)
	}
}

func TestSyncRunsAreListedNewestFirstWithTheOneUnderWay(t *testing.T) {
	r := newRig(t)
	order := func() {
		r.Want(t, 200, r.tokens, "manager", "POST", "/v1.0/deviceAppManagement/vppTokens/"+r.token+"/syncLicenses?full=true", "")
	}
	r.Clock.Advance(time.Hour)
	order()
	r.Work(t, r.Place.UID())
	all, pages := r.walk(t, ours+"/syncRuns?$top=1")
	if len(all) != 2 || pages != 2 || all[0]["trigger"] != "full" || all[1]["first"] != true ||
		all[0]["status"] != "completed" {
		t.Fatalf("%v", all)
	}
	r.Fake.Script(func(in *applefake.Incoming) applefake.Fault {
		if in.Endpoint == applefake.EndpointAssignments {
			return applefake.Fault{Answer: applefake.AnswerConnectionLost}
		}
		return applefake.Fault{}
	})
	order()
	r.Wake(t, r.Place.UID())
	running := r.get(t, ours+"/syncRuns?tokenId="+r.token).List()
	if len(running) != 3 || running[0]["status"] != "inProgress" || running[0]["endDateTime"] != nil ||
		running[0]["error"] == nil {
		t.Errorf("%v", running)
	}
}

func TestActsAreListedNewestFirst(t *testing.T) {
	r := newRig(t)
	r.Clock.Advance(40 * 24 * time.Hour)
	r.Want(t, 204, r.tokens, "administrator", "DELETE", "/v1.0/deviceAppManagement/vppTokens/"+r.token, "")
	all, pages := r.walk(t, ours+"/acts?$top=1")
	if len(all) != 2 || pages < 2 || all[0]["kind"] != "tokenDeleted" || all[1]["by"] != "administrator@school.example" {
		t.Errorf("%v", all)
	}
	if old := r.get(t, ours+"/acts?month=2030-09").List(); len(old) != 1 || old[0]["kind"] != "tokenUploaded" {
		t.Errorf("%v", old)
	}
	r.Send(t, r, "viewer", "GET", ours+"/acts?month=september", "").Refused(t, 400, "BadRequest", "2030-09")
	r.Send(t, r, "viewer", "GET", ours+"/acts?$skiptoken=x", "").Refused(t, 400, "BadRequest", "damaged")
	// Without a token there is no telling which location is meant.
	r.Send(t, r, "viewer", "GET", ours+"/syncRuns", "").Refused(t, 400, "BadRequest", "tokenId=")
	if runs := r.get(t, ours+"/syncRuns?location="+r.Place.UID()).List(); len(runs) == 0 {
		t.Error("the runs of a location without a token are gone")
	}
}

// A link that was made for one list and is used on another is refused, not misread.
func TestLinksOfOtherListsAreRefused(t *testing.T) {
	r := newRig(t)
	group := r.Group(t, "7b", desk.Domain, "ana", "ben")
	r.give(t, plenty, group.ID)
	a := r.get(t, ours+"/grants?$top=1&book="+r.book(plenty))
	link, _ := a.Body["@odata.nextLink"].(string)
	_, token, found := strings.Cut(link, "$skiptoken=")
	if !found {
		t.Fatal(a.Raw)
	}
	r.Send(t, r, "viewer", "GET", ours+"/grants?book="+r.book("900000004")+"&$skiptoken="+token, "").
		Refused(t, 400, "BadRequest", "damaged")
	r.Send(t, r, "viewer", "GET", booksPath+"?$skiptoken="+token, "").Refused(t, 400, "BadRequest", "damaged")
}

// STDQ and PLUS are one title but two books, each with its own people.
func TestThePeopleOfOneQualityDontShowAtTheOther(t *testing.T) {
	r := newRig(t)
	const title = "900000004"
	group := r.Group(t, "7b", desk.Domain, "ana", "ben", "cem")
	r.give(t, title, group.ID)
	desk.Must(t, r.Place.AddUser("somebody", "", "somebody@school.example"))
	desk.Must(t, r.Place.GrantBySomeoneElse(title, "PLUS", "somebody"))
	r.Want(t, 200, r.tokens, "manager", "POST", "/v1.0/deviceAppManagement/vppTokens/"+r.token+"/syncLicenses", "")
	r.Work(t, r.Place.UID())
	plus := book.ID(r.Place.UID(), apple.AssetKey{AdamID: title, PricingParam: apple.PricingPLUS})
	for path, want := range map[string]int{
		"/grants?$top=1&book=" + r.book(title): 3, "/grants?$top=1&book=" + plus: 0,
		"/licenses?$top=1&book=" + r.book(title): 3, "/licenses?$top=1&book=" + plus: 1,
	} {
		if all, _ := r.walk(t, ours+path); len(all) != want {
			t.Errorf("%s: %d, want %d: %v", path, len(all), want, all)
		}
	}
}
