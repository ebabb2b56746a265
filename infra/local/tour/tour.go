package tour

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/bookplate/bookplate/infra/local/demo"
)

// Tour is one performance.
type Tour struct {
	// Base is the stack's URL; AdminToken and SCIMToken are bearers for it; ContentToken is the text of a .vpptoken file.
	Base, AdminToken, SCIMToken, ContentToken string
	Out                                       io.Writer
	Terminal                                  bool
	Now                                       func() time.Time
	// Patience is how long a step may take that waits for Apple; zero means three minutes.
	Patience time.Duration

	screen      *screen
	admin, scim client
	books       map[string]bookEntity // by adamId
	groups      map[string]string     // name to id
	before      map[string]bookEntity
}

type bookEntity struct {
	ID        string `json:"id"`
	Name      string `json:"displayName"`
	Total     int    `json:"totalLicenseCount"`
	Used      int    `json:"usedLicenseCount"`
	Available int    `json:"x_availableLicenseCount"`
	AdamID    string `json:"x_adamId"`
}

// Run performs the tour.
func (t *Tour) Run(ctx context.Context) error {
	t.screen = &screen{out: t.Out, terminal: t.Terminal, now: t.Now}
	web := &http.Client{Timeout: 30 * time.Second}
	t.admin = client{t.Base, t.AdminToken, web}
	t.scim = client{t.Base, t.SCIMToken, web}
	for _, step := range []func(context.Context) error{
		t.upload, t.sync, t.enroll, t.plan, t.refusal, t.assign, t.watch, t.result,
	} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("the tour stopped at %q: %w", t.screen.title, err)
		}
	}
	return nil
}

func (t *Tour) patience() time.Duration {
	if t.Patience > 0 {
		return t.Patience
	}
	return 3 * time.Minute
}

type tokenEntity struct {
	ID           string    `json:"id"`
	Organization string    `json:"organizationName"`
	Expires      time.Time `json:"expirationDateTime"`
	SyncStatus   string    `json:"lastSyncStatus"`
	State        string    `json:"state"`
	Location     string    `json:"x_locationId"`
}

const tokensPath = "/v1.0/deviceAppManagement/vppTokens"

// upload sends the raw text of the token file, unless it is there.
func (t *Tour) upload(ctx context.Context) error {
	t.screen.begin("Upload the content token")
	tokens, err := list[tokenEntity](ctx, t.admin, tokensPath)
	if err != nil {
		return err
	}
	if len(tokens) > 0 {
		t.screen.end("already there: " + tokens[0].Organization)
		return nil
	}
	var made tokenEntity
	err = t.admin.do(ctx, http.MethodPost, tokensPath, "text/plain", []byte(t.ContentToken), &made)
	if err != nil {
		return err
	}
	t.screen.end(fmt.Sprintf("%s, location %s, expires %s", made.Organization, made.Location, made.Expires.Format(time.DateOnly)))
	return nil
}

type runEntity struct {
	Phase  string `json:"phase"`
	Page   int    `json:"page"`
	Pages  int    `json:"pages"`
	Counts struct {
		Books, LicensesAdded, ReadersChanged int
	} `json:"counts"`
}

// sync waits until the first sync has ended.
func (t *Tour) sync(ctx context.Context) error {
	t.screen.begin("Sync with Apple")
	err := wait(ctx, t.patience(), func() (bool, error) {
		tokens, err := list[tokenEntity](ctx, t.admin, tokensPath)
		if err != nil || len(tokens) == 0 {
			return false, err
		}
		if tokens[0].SyncStatus == "completed" {
			return true, nil
		}
		runs, err := list[runEntity](ctx, t.admin, "/v1.0/bookplate/syncRuns?tokenId="+tokens[0].ID)
		if err == nil && len(runs) > 0 {
			t.screen.progress(fmt.Sprintf("%s, page %d of %d", runs[0].Phase, runs[0].Page, runs[0].Pages))
		}
		return false, err
	})
	if err != nil {
		return err
	}
	if t.books, err = t.readBooks(ctx); err != nil {
		return err
	}
	t.before = t.books
	given := 0
	for _, b := range t.books {
		given += b.Used
	}
	t.screen.end(fmt.Sprintf("%d titles, %d licenses given so far", len(t.books), given))
	return nil
}

func (t *Tour) readBooks(ctx context.Context) (map[string]bookEntity, error) {
	query := url.Values{"$top": {"1000"}}
	all, err := list[bookEntity](ctx, t.admin, "/v1.0/deviceAppManagement/managedEBooks?"+query.Encode())
	if err != nil {
		return nil, err
	}
	books := make(map[string]bookEntity, len(all))
	for _, b := range all {
		books[b.AdamID] = b
	}
	for _, title := range assigned() {
		if _, ok := books[title.AdamID]; !ok {
			return nil, fmt.Errorf("the book %q is not in the library: the data directory has another library in it; "+
				"choose another one with -data, or begin the demo anew with -reset", title.Name)
		}
	}
	return books, nil
}

// assigned are the titles that the tour assigns.
func assigned() []demo.Title { return append(demo.ClassSet[:], demo.ScarceTitle) }
