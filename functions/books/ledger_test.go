package books_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/infra/desk"
)

const today = "2030-09-01" // when every test begins

func TestTheLedgerSaysWhoGotWhatWhenWhyAndOnWhoseOrder(t *testing.T) {
	r := newRig(t)
	class := r.Group(t, "7b", desk.Domain, "ana", "ben")
	guests := r.Group(t, "guests", desk.Domain, "gus")
	r.give(t, plenty, class.ID)
	r.give(t, generated, guests.ID)
	for path, want := range map[string]int{
		"?person=ana@school.example":                                              1,
		"?title=" + plenty:                                                        2,
		"?title=" + r.book(plenty):                                                2,
		"?title=" + plenty + "&person=x-ben":                                      1,
		"?title=" + plenty + "&group=" + guests.ID:                                0,
		"?from=" + today:                                                          3,
		"?from=" + today + "&to=" + today:                                         3,
		"?from=" + today + "&group=" + class.ID:                                   2,
		"?from=2030-08-01&to=2030-08-31":                                          0,
		"?from=2030-09-01T08:00:00Z&to=2030-09-01T08:00:01Z":                      0,
		"?from=" + today + "&title=" + generated:                                  1,
		"?from=" + today + "&tokenId=" + r.token:                                  3,
		"?from=" + today + "&location=" + r.Place.UID():                           3,
		"?person=gus@school.example&from=2030-09-02&to=2030-09-03":                0,
		"?title=" + plenty + "&from=" + today + "&to=2030-09-01T08:00:00%2B01:00": 0,
	} {
		if got, _ := r.walk(t, ours+"/ledger"+path); len(got) != want {
			t.Errorf("%s: %d entries, want %d: %v", path, len(got), want, got)
		}
	}
	e := r.get(t, ours+"/ledger?person=ana@school.example").List()[0]
	cause, _ := e["cause"].(map[string]any)
	if e["origin"] != "assignment" || e["state"] != "licensed" || e["licenses"] != 1.0 || e["displayName"] != "ana" ||
		e["givenDateTime"] == nil || e["eventId"] == nil || e["bookName"] == "" || e["bookId"] != r.book(plenty) ||
		cause["groupName"] != "7b" || cause["requester"] != "manager@school.example" || cause["intent"] != "required" {
		t.Errorf("%v", e)
	}
	if _, pages := r.walk(t, ours+"/ledger?$top=1&from="+today); pages < 3 {
		t.Errorf("three entries on %d pages", pages)
	}
}

func TestTheLedgerOutlivesPersonGroupAndToken(t *testing.T) {
	r := newRig(t)
	class := r.Group(t, "7b", desk.Domain, "ana")
	r.give(t, plenty, class.ID)
	ana, err := r.Directory.PeopleByUserName(t.Context(), "ana@school.example")
	desk.Must(t, err)
	desk.Must(t, r.Directory.DeletePerson(t.Context(), ana[0].ID, ""))
	desk.Must(t, r.Directory.DeleteGroup(t.Context(), class.ID, ""))
	r.Want(t, 204, r.tokens, "administrator", "DELETE", "/v1.0/deviceAppManagement/vppTokens/"+r.token, "")
	for _, path := range []string{
		"?person=" + ana[0].ID, "?title=" + plenty, "?from=" + today + "&location=" + r.Place.UID(), "?from=" + today,
	} {
		list := r.get(t, ours+"/ledger"+path).List()
		if len(list) != 1 || list[0]["deleted"] != true || list[0]["displayName"] != "ana" {
			t.Fatalf("%s: %v", path, list)
		}
		if cause, _ := list[0]["cause"].(map[string]any); cause["groupName"] != "7b" {
			t.Errorf("%s: %v", path, cause)
		}
	}
}

func TestTheLedgerIsAFileForSpreadsheetsAndPrograms(t *testing.T) {
	r := newRig(t)
	class := r.Group(t, `=HYPERLINK("x")`, desk.Domain, "+ana", "ben")
	r.give(t, plenty, class.ID)
	path := ours + "/ledger?from=" + today
	file := r.get(t, path+"&$format=csv&bom=true")
	text, marked := strings.CutPrefix(file.Raw, "\uFEFF")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	desk.Must(t, err)
	if !marked || len(rows) != 3 || file.Header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Fatalf("%q", file.Raw)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	for _, row := range rows[1:] {
		if row[column["group"]] != `'=HYPERLINK("x")` || row[column["requester"]] != "manager@school.example" ||
			strings.HasPrefix(row[column["name"]], "+") {
			t.Errorf("%q", row)
		}
	}
	if plain := r.get(t, path+"&$format=csv"); plain.Raw != text {
		t.Errorf("without being asked for a mark: %q", plain.Raw)
	}
	r.Send(t, r, "viewer", "GET", path+"&$format=csv&bom=maybe", "").Refused(t, 400, "BadRequest", "bom")

	lines := r.Want(t, 200, r, "viewer", "GET", path+"&$top=1", "", "Accept", "application/x-ndjson")
	var one map[string]any
	desk.Must(t, json.Unmarshal([]byte(lines.Raw), &one))
	if one["personId"] == nil || one["cause"] == nil || strings.Count(lines.Raw, "\n") != 1 {
		t.Errorf("%q", lines.Raw)
	}
	next, ok := strings.CutSuffix(strings.TrimPrefix(lines.Header.Get("Link"), "<"), `>; rel="next"`)
	if rest := r.Want(t, 200, r, "viewer", "GET", next, "", "Accept", "application/x-ndjson"); !ok ||
		strings.Count(rest.Raw, "\n") != 1 || rest.Raw == lines.Raw {
		t.Errorf("%q and then %q", lines.Raw, rest.Raw)
	}
}

func TestALedgerThatCantBeReadIsRefusedWithWords(t *testing.T) {
	r := newRig(t)
	for query, words := range map[string][]string{
		"":                               {"person=", "title=", "from="},
		"?group=allUsers":                {"from="},
		"?from=yesterday":                {"2030-09-01"},
		"?from=2030-09-02&to=2030-08-01": {"ends before"},
		"?from=2031-01-01":               {"hasn't begun", "earlier"},
		"?title=1&$format=xml":           {"json or csv or jsonl"},
		"?from=2028-01-01":               {"366"},
		"?from=" + today + "&$filter=x":  {"$filter"},
		"?title=1&$skiptoken=x":          {"damaged"},
	} {
		r.Send(t, r, "viewer", "GET", ours+"/ledger"+query, "").Refused(t, 400, "BadRequest", words...)
	}
	r.Send(t, r, "viewer", "GET", ours+"/ledger?person=nobody", "").Refused(t, 404, "PersonNotFound")
	r.Send(t, r, "viewer", "GET", ours+"/ledger?title=none", "").Refused(t, 404, "ResourceNotFound")
	if list := r.get(t, ours+"/ledger?title=1").List(); len(list) != 0 {
		t.Errorf("%v", list)
	}
}
