package applefake_test

import (
	"bytes"
	"encoding/json"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

func TestTheServiceConfigAnnouncesWhatTheFakeServes(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.token = ""
	a := r.get("/service/config")
	want := applefake.DocumentedLimits()
	if a.Limits["maxAssets"] != want.MaxAssets || a.Limits["maxClientUserIds"] != 1000 || len(a.ErrorCodes) < 38 {
		t.Errorf("limits %v, %d error codes", a.Limits, len(a.ErrorCodes))
	}
	for _, key := range []string{
		"clientConfig", "getAssets", "associateAssets", "disassociateAssets", "revokeAssets", "getAssignments",
		"getUsers",
		"createUsers", "updateUsers", "retireUsers", "eventStatus", "contentMetadataLookup", "invitationEmail",
	} {
		u, err := url.Parse(a.URLs[key])
		if err != nil || u.Host != "vpp.example" || u.Scheme != "https" {
			t.Errorf("%s is %q", key, a.URLs[key])
		}
	}
	if !strings.Contains(a.URLs["invitationEmail"], "%25inviteCode%25") {
		t.Errorf("the invitation's template is %q", a.URLs["invitationEmail"])
	}
}

func TestAnInvitationIsAcceptedOnItsPage(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	r.finish("/users/create", who("u", ""))
	u, _ := r.at.User("u")
	link := strings.Replace(r.get("/service/config").URLs["invitationEmail"], "%25inviteCode%25", u.InviteCode, 1)
	path := strings.TrimPrefix(link, "https://vpp.example")
	r.token = ""
	if a := r.get(path); a.code != 200 || !strings.Contains(a.raw, "<form") {
		t.Fatalf("the page: %d %s", a.code, a.raw)
	}
	r.media = "application/x-www-form-urlencoded"
	if a := r.post(path, "account=me%40private.example"); a.code != 200 {
		t.Errorf("accepting: %d %s", a.code, a.raw)
	}
	if u, _ = r.at.User("u"); u.Status != applefake.Associated || u.Account != "me@private.example" {
		t.Errorf("the user is %+v", u)
	}
	if a := r.get(path); a.code != 404 {
		t.Errorf("the page again: %d", a.code)
	}
}

func TestTheLookupLeavesOutWhatItDoesNotKnow(t *testing.T) {
	s := spec()
	s.Stock = append(s.Stock, applefake.Stock{AdamID: "900000009", Total: 1, NoMetadata: true})
	r := build(t, applefake.Options{}, s)
	const lookup = "/WebObjects/MZStorePlatform.woa/wa/lookup?version=2&p=mdm-lockup&caller=MDM&platform=volumestore&cc=us&l=en"
	a := r.get(lookup + "&id=" + book + "," + other + ",900000009,404")
	if len(a.Results) != 2 || a.Results[book].Name != "A Book" || a.Results[book].ArtistName != "A. Author" ||
		a.Results[other].Name == "" {
		t.Errorf("got %s", a.raw)
	}
	if a := r.get("/WebObjects/MZStorePlatform.woa/wa/lookup?id=404"); a.code != 200 ||
		!strings.Contains(a.raw, `"results":{}`) {
		t.Errorf("nothing known: %s", a.raw)
	}
}

func TestTheCatalogOfBooks(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	if a := r.get("/v1/catalog/us/books?platform=web&ids=" + book); a.code != 401 {
		t.Errorf("a content token is no developer token: %d", a.code)
	}
	r.token = "made.up.developer-token"
	ids := strings.Repeat("1,", 149) + book
	for path, status := range map[string]int{
		"/v1/catalog/us/books?platform=web&ids=" + ids: 200, "/v1/catalog/us/books?platform=web&ids=1," + ids: 400,
		"/v1/catalog/us/books?ids=" + book: 400, "/v1/catalog/us/books/" + book + "?platform=web": 200,
		"/v1/catalog/us/books/404?platform=web": 404, "/v1/catalog/us/books?platform=web&ids=404": 200,
		"/v1/catalog/us/songs?platform=web&ids=1": 404,
	} {
		if a := r.get(path); a.code != status {
			t.Errorf("%s: %d, want %d", path, a.code, status)
		}
	}
	var books struct {
		Data []struct {
			ID, Type   string
			Attributes struct{ Name, ArtistName string }
		}
	}
	a := r.get("/v1/catalog/us/stoken-authenticated-books?platform=web&ids=404," + book)
	if err := json.Unmarshal([]byte(a.raw), &books); err != nil || len(books.Data) != 1 ||
		books.Data[0].Attributes.Name != "A Book" {
		t.Errorf("got %s", a.raw)
	}
}

func TestCoversAreDrawn(t *testing.T) {
	r := build(t, applefake.Options{}, spec())
	for file, status := range map[string]int{
		book + "/60x90bb.jpg": 200, book + "/60x90bb.png": 200, book + "/60x90bb.gif": 404, book + "/0x90bb.jpg": 404,
		book + "/9000x90bb.jpg": 404, "404/60x90bb.jpg": 404, book: 404,
	} {
		response, err := r.server.Transport().RoundTrip(r.request(http.MethodGet, "/covers/"+file, ""))
		if err != nil {
			t.Fatal(err)
		}
		var raw bytes.Buffer
		if _, err := raw.ReadFrom(response.Body); err != nil || response.StatusCode != status {
			t.Errorf("%s: %d (%v), want %d", file, response.StatusCode, err, status)
		}
		if status != 200 {
			continue
		}
		picture, _, err := image.Decode(&raw)
		if err != nil || picture.Bounds().Dx() != 60 || picture.Bounds().Dy() != 90 {
			t.Errorf("%s: %v", file, err)
		}
	}
}
