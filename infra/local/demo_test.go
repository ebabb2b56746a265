package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/local/demo"
	"github.com/bookplate/bookplate/shared/apple/applefake"
)

const notificationSecret = "made-up-notification-secret-canary"

// books opens the books of a demo that isn't running.
func books(t *testing.T, dir string) (*applefake.Server, *applefake.Location) {
	t.Helper()
	options := demo.Options(dir)
	options.Client = http.DefaultClient
	server, err := applefake.New(options)
	if err != nil {
		t.Fatal(err)
	}
	location, err := server.AddLocation(demo.Library())
	if err != nil {
		t.Fatal(err)
	}
	return server, location
}

// prepare has Apple know a notification secret before the demo's first start, as if set by whoever managed the location
// before: Apple echoes it in clear. It returns everything that must not be shown or kept.
func prepare(t *testing.T, dir string) (secrets []string) {
	t.Helper()
	server, location := books(t, dir)
	token, err := location.IssueToken(time.Now().AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	apple := httptest.NewServer(server)
	defer apple.Close()
	listener := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer listener.Close()
	body := fmt.Sprintf(`{"notificationUrl":%q,"notificationAuthToken":%q}`, listener.URL+"/notify", notificationSecret)
	config := apple.URL + "/mdm/v2/client/config"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, config, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("setting the notification secret: %d, %v", answer.StatusCode, err)
	}
	_, echoed, err := ask(t.Context(), http.MethodGet, config, token, "")
	if err != nil || !strings.Contains(echoed, notificationSecret) {
		t.Fatalf("Apple doesn't echo the secret: %v", err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	return forms(t, token)
}

// forms are the secrets in all the forms in which they might slip out.
func forms(t *testing.T, token string) []string {
	t.Helper()
	var file struct{ Token string }
	inside, err := base64.StdEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(inside, &file)
	}
	secret, wrong := base64.StdEncoding.DecodeString(file.Token)
	if err != nil || wrong != nil || len(secret) < 20 {
		t.Fatalf("the token file has another form: %v, %v", err, wrong)
	}
	middle := len(token) / 2
	plain := []string{token, token[middle-12 : middle+12], file.Token, string(secret), notificationSecret}
	var all []string
	for _, s := range plain {
		all = append(all, s, url.QueryEscape(s), base64.StdEncoding.EncodeToString([]byte(s)))
	}
	return all
}

type ledger struct{ given, held int }

// ledgerOf reads the fake's own books, and holds them to be sound.
func ledgerOf(t *testing.T, dir string) ledger {
	t.Helper()
	server, location := books(t, dir)
	l := ledger{given: len(location.Ledger())}
	for range location.Licenses() {
		l.held++
	}
	if d := server.DoubleSpends(); len(d) > 0 {
		t.Errorf("spent twice: %+v", d)
	}
	if err := server.Invariants(); err != nil {
		t.Error(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	return l
}

// Laws 1, 6 and 8, on the whole demo: what it promises on the screen is so, nothing that it writes or answers holds a
// secret, and a second start spends nothing.
func TestTheDemoGivesOnceKeepsItsSecretsAndGoesOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	secrets := prepare(t, dir)
	r := begin(t, "-data", dir, "-listen", "127.0.0.1:0")
	r.until("Ctrl-C stops it", time.Minute)
	holdNone(t, "an answer", answers(r), secrets)
	holdHints(r)
	r.end()
	first := ledgerOf(t, dir)
	if said := fmt.Sprintf(`%d licenses given`, first.given); first.given < 200 || !strings.Contains(r.output(), said) {
		t.Errorf("%d licenses were given, and it said:\n%s", first.given, r.output())
	}
	holdNone(t, "the screen", r.output(), secrets)
	holdNone(t, "standard error", r.log.String(), secrets)
	holdFiles(t, dir, secrets)

	r = begin(t, "-data", dir, "-listen", "127.0.0.1:0")
	r.until("already there: MADE-UP-SCHOOL", 10*time.Second)
	r.until("Ctrl-C stops it", time.Minute)
	r.end()
	if strings.Contains(r.output(), "shown only now") {
		t.Error("the second start has made new access tokens")
	}
	if second := ledgerOf(t, dir); second != first {
		t.Errorf("after the second start %+v, before %+v", second, first)
	}
	holdFiles(t, dir, secrets)
	if err := reset(dir); err != nil || names(t, dir) != "" {
		t.Errorf("reset: %v, left is %s", err, names(t, dir))
	}
}

// answers asks for everything that an administrator can read.
func answers(r *running) string {
	r.t.Helper()
	bearer := r.until(`ADMINISTRATOR=(\S+)`, time.Second)
	var all strings.Builder
	get := func(path string, status int) string {
		r.t.Helper()
		got, text, err := ask(r.t.Context(), http.MethodGet, r.url()+path, bearer, "")
		if err != nil || got != status {
			r.t.Errorf("%s: %d, %v: %.200s", path, got, err, text)
		}
		all.WriteString(text)
		return text
	}
	first := func(text string) string {
		r.t.Helper()
		found := regexp.MustCompile(`"id":"([0-9a-f-]{36})"`).FindStringSubmatch(text)
		if found == nil {
			r.t.Fatalf("no id in %.200s", text)
		}
		return found[1]
	}
	token := first(get("/v1.0/deviceAppManagement/vppTokens", http.StatusOK))
	scarce := "/v1.0/deviceAppManagement/managedEBooks?$filter=x_adamId%20eq%20'" + demo.ScarceTitle.AdamID + "'"
	book := first(get(scarce, http.StatusOK))
	for _, path := range []string{
		"/beta/deviceAppManagement/vppTokens", "/beta/deviceAppManagement/vppTokens/" + token,
		"/v1.0/deviceAppManagement/vppTokens/" + token + "?$select=token", "/v1.0/deviceAppManagement",
		"/v1.0/deviceAppManagement/managedEBooks?$top=1000", "/v1.0/deviceAppManagement/managedEBooks/" + book,
		"/v1.0/deviceAppManagement/managedEBooks/" + book + "/assignments", "/v1.0/bookplate/grants?book=" + book,
		"/v1.0/bookplate/licenses?book=" + book, "/v1.0/bookplate/syncRuns", "/v1.0/bookplate/batches", "/v1.0/bookplate/acts",
		"/v1.0/bookplate/readers", "/v1.0/bookplate/readers?status=invited", "/openapi.yaml", "/healthz",
	} {
		get(path, http.StatusOK)
	}
	get("/v1.0/deviceAppManagement/nonsense", http.StatusNotFound)
	return all.String()
}

func holdNone(t *testing.T, where, text string, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("%s shows a secret: %q", where, text[max(0, at-100):at])
		}
	}
}

// holdFiles holds all files but the fake's own to keep no secret in clear, and to be their owner's only.
func holdFiles(t *testing.T, dir string, secrets []string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == demo.Journal {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		for _, secret := range secrets {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s has a secret", path)
			}
		}
		if info, infoErr := entry.Info(); infoErr != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, %v", path, info.Mode().Perm(), infoErr)
		}
		return err
	})
	if err != nil || files < 6 {
		t.Errorf("%d files were read: %v", files, err)
	}
}
