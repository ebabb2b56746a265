package books_test

import (
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/bookplate/bookplate/infra"
	"github.com/bookplate/bookplate/infra/desk"
)

// A filter that is ignored answers with everything, which looks like what was asked for.
func TestAFilterThatIsMisspeltOrGivenTwiceIsRefusedByName(t *testing.T) {
	r := newRig(t)
	for query, target := range map[string]string{
		"ledger?title=1&persom=x": "persom", "ledger?title=1&groupId=x": "groupId", "ledger?title=1&title=2": "title",
		"ledger?title=1&Title=2": "title", "grants?book=x&person=y": "person", "licenses?person=x&title=1": "title",
		"readers?state=invited": "state", "batches?open=true": "open", "acts?year=2030": "year", "syncRuns?token=x": "token",
		"requests?bok=x": "bok",
	} {
		h := r.Handler
		if strings.HasPrefix(query, "requests") {
			h = r.assignments
		}
		a := r.Send(t, h, "viewer", "GET", ours+"/"+query, "")
		if a.Refused(t, 400, "BadRequest", target); a.Target() != target {
			t.Errorf("%s: %s", query, a.Raw)
		}
	}
	r.Send(t, r, "viewer", "GET", ours+"/ledger?persom=x", "").Refused(t, 400, "BadRequest", "person", "title", "from", "tokenId")
}

func TestFiltersAreReadInAnyLetterCase(t *testing.T) {
	r := newRig(t)
	r.give(t, plenty, r.Group(t, "7b", desk.Domain, "ana", "ben").ID)
	for _, query := range []string{
		"ledger?title=" + plenty + "&Person=x-ana", "ledger?PERSON=x-ana", "licenses?Person=x-ana",
		"ledger?From=" + today + "&Top=1", "readers?Status=associated&$Top=1", "acts?MONTH=2030-09",
	} {
		if list := r.get(t, ours+"/"+query).List(); len(list) != 1 {
			t.Errorf("%s: %d, want 1", query, len(list))
		}
	}
	if a := r.get(t, ours+"/ledger?From="+today+"&Format=CSV"); strings.Count(a.Raw, "\n") != 3 {
		t.Errorf("%q", a.Raw)
	}
}

func TestAFilterByWhatNeverWasIsRefused(t *testing.T) {
	r := newRig(t)
	class := r.Group(t, "7b", desk.Domain, "ana")
	r.give(t, plenty, class.ID)
	const nobody = "11111111-2222-4333-8444-555555555555"
	for query, code := range map[string]string{
		"ledger?title=1&group=" + nobody: "GroupNotFound", "ledger?from=" + today + "&location=x": "LocationNotFound",
		"ledger?title=1&location=" + nobody: "LocationNotFound", "batches?location=x": "LocationNotFound",
		"readers?location=x": "LocationNotFound", "syncRuns?location=x": "LocationNotFound", "batches?tokenId=x": "ResourceNotFound",
		"grants?book=x": "ResourceNotFound", "licenses?book=x": "ResourceNotFound",
	} {
		a := r.Send(t, r, "viewer", "GET", ours+"/"+query, "")
		if a.Refused(t, 404, code); a.Target() == "" || !strings.Contains(query, a.Target()+"=") {
			t.Errorf("%s: the target is %q", query, a.Target())
		}
	}
	desk.Must(t, r.Directory.DeleteGroup(t.Context(), class.ID, ""))
	r.Want(t, 204, r.tokens, "administrator", "DELETE", "/v1.0/deviceAppManagement/vppTokens/"+r.token, "")
	for query, want := range map[string]int{
		"ledger?title=" + plenty + "&group=" + strings.ToUpper(class.ID): 1, "ledger?title=" + plenty + "&group=allUsers": 0,
		"ledger?from=" + today + "&location=" + r.Place.UID(): 1,
	} {
		if list := r.get(t, ours+"/"+query).List(); len(list) != want {
			t.Errorf("%s: %d, want %d", query, len(list), want)
		}
	}
}

func TestListsTakeTheParametersThatAreDescribed(t *testing.T) {
	r := newRig(t)
	type parameter struct {
		Ref  string `yaml:"$ref"`
		Name string
	}
	var described struct {
		Paths map[string]struct {
			Get struct{ Parameters []parameter }
		}
	}
	desk.Must(t, yaml.Unmarshal(infra.OpenAPI(), &described))
	lists := 0
	for path, item := range described.Paths {
		if !strings.HasPrefix(path, "/bookplate/") || len(item.Get.Parameters) == 0 || strings.Contains(path, "{") {
			continue
		}
		lists++
		h := r.Handler
		if path == "/bookplate/requests" {
			h = r.assignments
		}
		message := r.Want(t, 400, h, "viewer", "GET", "/v1.0"+path+"?nonsense=1", "").Message()
		_, there, _ := strings.Cut(strings.TrimSuffix(message, "."), "There are ")
		got := strings.Split(there, ", ")
		var want []string
		for _, p := range item.Get.Parameters {
			name := p.Name
			switch p.Ref[strings.LastIndexByte(p.Ref, '/')+1:] {
			case "top", "skiptoken":
				name = "$" + p.Ref[strings.LastIndexByte(p.Ref, '/')+1:]
			case "tokenId", "location":
				name = p.Ref[strings.LastIndexByte(p.Ref, '/')+1:]
			}
			want = append(want, name)
		}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s takes %v, and openapi.yaml has %v", path, got, want)
		}
	}
	if lists != 8 {
		t.Errorf("%d lists are described", lists)
	}
}
