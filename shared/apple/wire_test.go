package apple

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/vault"
	"github.com/bookplate/bookplate/shared/world"
)

const (
	base      = "https://vpp.itunes.apple.com/mdm/v2"
	madeUp    = "TUFERS1VUC1CRUFSRVI=" // base64 of MADE-UP-BEARER
	ourUID    = "1000000000000001"
	ourID     = "6f6d0c0e-5b7a-4a52-9d53-0a6f5f5f0b11"
	strangeID = "ffffffff-0000-4000-8000-000000000001"

	ours      = `"uId":"` + ourUID + `","mdmInfo":{"id":"` + ourID + `","name":"Bookplate","metadata":""}`
	strangers = `"uId":"` + ourUID + `","mdmInfo":{"id":"` + strangeID + `","name":"Other Desk","metadata":"host=o"}`
	nobodys   = `"uId":"` + ourUID + `"`

	emptyPage = `{"assets":[],"currentPageIndex":0,"size":0,"totalPages":1,"versionId":"v1",` + ours + `}`
	queued    = `{"eventId":"event-1",` + ours + `}`
	config    = "GET /mdm/v2/client/config"
	assets    = "GET /mdm/v2/assets"
	associate = "POST /mdm/v2/assets/associate"
)

var noon = time.Date(2031, 2, 3, 12, 0, 0, 0, time.UTC)

// step answers one request.
type step func(*http.Request) (*http.Response, error)

// wire is a scripted transport: the answers to each "METHOD /path", in order; the last one repeats.
type wire struct {
	t     *testing.T
	clock *world.Virtual

	mu    sync.Mutex
	steps map[string][]step
	seen  []seen
}

// seen is a request as it was started.
type seen struct {
	what   string
	query  string
	body   string
	header http.Header
	at     time.Time
}

func newWire(t *testing.T) *wire {
	w := &wire{t: t, clock: world.NewVirtual(1, noon), steps: map[string][]step{}}
	w.on("GET /mdm/v2/service/config", ok(`{"limits":{"maxRequestPerSecond":10},"urls":{}}`))
	return w
}

func (w *wire) on(what string, steps ...step) { w.steps[what] = steps }

func (w *wire) RoundTrip(request *http.Request) (*http.Response, error) {
	var body []byte
	if request.Body != nil {
		body, _ = io.ReadAll(request.Body)
	}
	what := request.Method + " " + request.URL.Path
	w.mu.Lock()
	w.seen = append(w.seen, seen{what, request.URL.RawQuery, string(body), request.Header, w.clock.Now()})
	steps := w.steps[what]
	if len(steps) > 1 {
		w.steps[what] = steps[1:]
	}
	w.mu.Unlock()
	if len(steps) == 0 {
		w.t.Errorf("unexpected request: %s", what)
		return nil, errors.New("unexpected request")
	}
	return steps[0](request)
}

// started are the requests of one kind.
func (w *wire) started(what string) (found []seen) {
	for _, s := range w.seen {
		if s.what == what {
			found = append(found, s)
		}
	}
	return found
}

func (w *wire) service(options ...func(*Options)) *Service {
	o := Options{BaseURL: base, HTTP: w, World: w.clock.World(), Timeout: -1}
	for _, change := range options {
		change(&o)
	}
	s, err := NewService(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *wire) location(options ...func(*Options)) *Location {
	return w.service(options...).Open(vault.NewSecret(madeUp), Identity{UID: ourUID, MDMID: ourID})
}

func logTo(b *bytes.Buffer) func(*Options) {
	return func(o *Options) {
		o.Log = slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
}

func reply(status int, body io.Reader, header ...string) step {
	return func(request *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(body), Request: request}, nil
	}
}

func ok(body string) step { return status(http.StatusOK, body) }

func status(code int, body string, header ...string) step {
	return func(request *http.Request) (*http.Response, error) {
		return reply(code, strings.NewReader(body), header...)(request)
	}
}

func refusal(code int, number string, header ...string) step {
	return status(code, `{"errorNumber":`+number+`,"errorMessage":"Apple's words"}`, header...)
}

func fails(err error) step {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// broken is an answer whose connection breaks after the text.
func broken(text string) step {
	return func(request *http.Request) (*http.Response, error) {
		return reply(http.StatusOK, io.MultiReader(strings.NewReader(text), resetReader{}))(request)
	}
}

type resetReader struct{}

var errReset = errors.New("connection reset by peer")

func (resetReader) Read([]byte) (int, error) { return 0, errReset }

var errDial = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

func readAssets(l *Location) error {
	return l.AssetPages(context.Background(), AssetQuery{}, 0, func(Page, []Asset) error { return nil })
}

func spend(l *Location, until time.Time) (string, error) {
	return l.Associate(context.Background(), Association{
		Assets:        []AssetKey{{AdamID: "900000101", PricingParam: PricingSTDQ}},
		ClientUserIDs: []string{"u-1"},
		NotAfter:      until,
	})
}
