package books_test

import (
	"slices"
	"testing"

	"github.com/bookplate/bookplate/functions/books"
	"github.com/bookplate/bookplate/infra/desk"
)

func TestABookHasGraphsProperties(t *testing.T) {
	r := newRig(t)
	e := r.get(t, booksPath+"/"+r.book(plenty)).Body
	for name, want := range map[string]any{
		"@odata.type": "#microsoft.graph.iosVppEBook", "id": r.book(plenty), "displayName": "The Lighthouse Algebra",
		"publisher": "Ines Marchetti", "publishedDateTime": "2019-09-01T00:00:00Z", "largeCover": nil,
		"privacyInformationUrl": nil, "vppTokenId": r.token, "appleId": nil, "vppOrganizationName": "MADE-UP-SCHOOL",
		"language": nil, "seller": nil, "totalLicenseCount": 30.0, "usedLicenseCount": 0.0,
		"x_adamId": plenty, "x_pricingParam": "STDQ", "x_author": "Ines Marchetti", "x_availableLicenseCount": 30.0,
		"x_coverUrl": "https://apple.example/covers/900000001/600x600bb.jpg",
	} {
		if got, ok := e[name]; !ok || got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for _, name := range []string{
		"description", "informationUrl", "genres", "createdDateTime", "lastModifiedDateTime",
		"x_countedDateTime",
	} {
		if e[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	endless := r.get(t, booksPath+"/"+r.book("900000005")).Body
	if endless["totalLicenseCount"] != 2147483647.0 || endless["x_availableLicenseCount"] != nil ||
		endless["x_unlimited"] != true {
		t.Errorf("%v", endless)
	}
}

func TestBooksAreListedAsClientsAsk(t *testing.T) {
	r := newRig(t)
	all, pages := r.walk(t, booksPath+"?$top=4")
	if len(all) < 10 || pages != (len(all)+3)/4 {
		t.Fatalf("%d books on %d pages", len(all), pages)
	}
	for query, want := range map[string]int{
		"": len(all),
		"?$filter=isof('microsoft.graph.iosVppEBook')": len(all),
		"?$filter=x_adamId eq '900000004'":             2,
		"?$search=\"winter\"":                          1,
		"?filter=totalLicenseCount eq 30":              1,
		"?$filter=microsoft.graph.iosVppEBook/vppOrganizationName eq 'made-up-school' and x_adamId eq '900000001'": 1,
		"?$filter=vppTokenId eq " + r.token:             len(all),
		"?$filter=displayName eq 'nothing of the kind'": 0,
	} {
		if got := r.get(t, booksPath+query).List(); len(got) != want {
			t.Errorf("%q: %d books, want %d", query, len(got), want)
		}
	}
	if n := r.get(t, booksPath+"/$count?$filter=x_pricingParam eq 'PLUS'"); n.Raw != "1" {
		t.Errorf("count %s", n.Raw)
	}
	ordered := r.get(t, booksPath+"?$orderby=totalLicenseCount desc&$top=1&$select=id,displayName&$count=true")
	if e := ordered.List()[0]; e["displayName"] != "A Free Primer" || ordered.Body["@odata.count"] != float64(len(all)) {
		t.Error(ordered.Raw)
	}
	r.Send(t, r, "viewer", "GET", booksPath+"?$filter=nothing eq 1", "").Refused(t, 400, "BadRequest", "nothing")
	r.Send(t, r, "viewer", "GET", booksPath+"?$expand=installSummary", "").Refused(t, 400, "BadRequest", "assignments")
	r.Send(t, r, "viewer", "GET", booksPath+"/no-book", "").Refused(t, 404, "ResourceNotFound", "no-book")
}

func TestAssignmentsAreExpanded(t *testing.T) {
	r := newRig(t)
	group := r.Group(t, "7b", desk.Domain, "ana")
	r.give(t, plenty, group.ID)
	one := r.get(t, booksPath+"/"+r.book(plenty)+"?$expand=assignments&$select=id").Body
	many := r.get(t, booksPath+"?$expand=assignments&$filter=id eq '"+r.book(plenty)+"'").List()[0]
	for _, e := range []map[string]any{one, many} {
		list, _ := e["assignments"].([]any)
		if len(list) != 1 {
			t.Fatalf("%v", e)
		}
		if first, _ := list[0].(map[string]any); first["installIntent"] != "required" {
			t.Errorf("%v", first)
		}
	}
	if none := r.get(t,
		booksPath+"?$expand=assignments&$filter=x_adamId eq '900000003'").List()[0]["assignments"]; none == nil {
		t.Error("a book without assignments has no list")
	}
}

func TestBooksThatAppleNoLongerListsStay(t *testing.T) {
	r := newRig(t)
	r.Want(t, 204, r.tokens, "administrator", "DELETE", "/v1.0/deviceAppManagement/vppTokens/"+r.token, "")
	if got := r.get(t, booksPath).List(); len(got) != 0 {
		t.Errorf("books of a deleted token are listed: %v", got)
	}
	if e := r.get(t, booksPath+"/"+r.book(plenty)).Body; e["vppTokenId"] != nil ||
		e["displayName"] != "The Lighthouse Algebra" {
		t.Errorf("%v", e)
	}
}

func TestBooksComeFromAppleOnly(t *testing.T) {
	r := newRig(t)
	r.Send(t, r, "administrator", "POST", booksPath, `{"@odata.type":"#microsoft.graph.iosVppEBook","displayName":"Mine"}`).
		Refused(t, 400, "BooksComeFromApple", "Apple")
	for _, method := range []string{"PATCH", "DELETE"} {
		a := r.Send(t, r, "administrator", method, booksPath+"/"+r.book(plenty), "{}")
		a.Refused(t, 405, "MethodNotAllowed", "Apple", "assign")
		if a.Header.Get("Allow") == "" {
			t.Error("no Allow")
		}
	}
	r.Send(t, r, "viewer", "GET", booksPath+"/"+r.book(plenty)+"/deviceStates", "").
		Refused(t, 404, "ResourceNotFound", "deviceStates")
}

func TestTheSingletonIsThere(t *testing.T) {
	r := newRig(t)
	if e := r.get(t, "/v1.0/deviceAppManagement"); e.Body["isEnabledForMicrosoftStoreForBusiness"] != false {
		t.Error(e.Raw)
	}
	r.Send(t, r, "", "GET", "/v1.0/deviceAppManagement", "").Refused(t, 401, "InvalidAuthenticationToken")
}

func TestRoutesAreTheMuxPatterns(t *testing.T) {
	if routes := books.Routes(); len(routes) != 30 || !slices.Contains(routes, "GET /v1.0/bookplate/readers") {
		t.Errorf("%q", routes)
	}
}
