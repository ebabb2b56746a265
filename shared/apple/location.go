package apple

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Identity is what every answer of a location is held against. An empty field is not known yet: the UID is then
// learned from the first answer, and without an MDMID nothing but Claim is written.
type Identity struct {
	UID   string // Apple's id of the location
	MDMID string // our mdmInfo.id
}

// Location is one location, opened with its token. Safe for concurrent use.
type Location struct {
	service *Service
	bearer  func() string // a function, because fmt prints even unexported fields, but of a function only the address
	gate    gate
	pace    pacer

	mu    sync.Mutex
	calls map[string]int
}

// Calls is the number of requests started so far, repeated ones included, by Apple's key of the endpoint ("getAssets",
// "clientConfig", …).
func (l *Location) Calls() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.calls)
}

// Owner is the foreign owner that an answer named, if any has.
func (l *Location) Owner() (MDMInfo, bool) { return l.gate.owner() }

// call is one request to Apple, and where its answer goes.
type call struct {
	endpoint
	doing  string // for errors: "reading the assets"
	query  url.Values
	body   any           // of writes
	answer func() fields // empties what an earlier try left and says where the members go
	whole  func() bool   // the answer has what Apple always sends
	cookie bool          // the token travels as the catalog's cookie, and the answer has no envelope

	spends   bool
	notAfter time.Time
	claim    *MDMInfo // the owner that the call makes of us
}

func (c *call) writes() bool { return c.method == http.MethodPost }

// attempt makes one request: it waits for the location's pace, asks the gate, sends, and lets the gate examine the
// answer before anybody else sees it.
func (l *Location) attempt(ctx context.Context, c *call) (envelope, *fault) {
	if err := l.gate.pass(c); err != nil { // nothing is waited for in vain
		return envelope{}, &fault{err: err}
	}
	request, err := l.prepare(ctx, c)
	if err != nil {
		return envelope{}, &fault{err: err}
	}
	pass := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := l.gate.pass(c); err != nil {
			return err
		}
		l.count(c.key)
		return nil
	}
	e, f := l.service.exchange(request, l.bearer(), pass, c.answer())
	if f == nil && (!c.whole() || !c.cookie && !c.writes() && e.uid == "") {
		f = nonsense("the answer lacks what Apple always sends")
	}
	if f != nil && f.after > 0 {
		l.pace.hold(l.service.world.Now().Add(f.after))
	}
	if c.cookie {
		return e, f
	}
	if err := l.gate.examine(c, e, f == nil); err != nil {
		return e, f.isolated(err)
	}
	l.noteLimits(f)
	return e, f
}

// isolated is the fault of an answer that named another owner or location. What is known about the request stays.
func (f *fault) isolated(why error) *fault {
	switch {
	case f == nil:
		return &fault{err: why, verdict: unknown}
	case f.verdict == refused:
		return &fault{err: fmt.Errorf("%w (%w)", why, f.err), verdict: refused}
	default:
		return &fault{err: why, verdict: f.verdict}
	}
}

// prepare builds the request and waits for its turn.
func (l *Location) prepare(ctx context.Context, c *call) (*http.Request, error) {
	cfg, err := l.service.current(ctx)
	if err != nil {
		return nil, err
	}
	target, err := l.service.endpointURL(cfg, c.endpoint)
	if err != nil {
		return nil, err
	}
	query := target.Query()
	for name, values := range c.query {
		query[name] = values
	}
	// Lists of ids: the catalog is only known to take plain commas.
	target.RawQuery = strings.ReplaceAll(query.Encode(), "%2C", ",")
	body, err := encode(c.body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, c.method, target.String(), body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if c.writes() {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.cookie {
		request.Header.Set("Cookie", "itvt="+l.bearer())
	} else {
		request.Header.Set("Authorization", "Bearer "+l.bearer())
	}
	wait, err := l.pace.reserve(l.service.world.Now(), cfg.Limits.MaxRequestsPerSecond)
	if err != nil {
		return nil, err
	}
	return request, l.service.world.Sleep(ctx, wait)
}

func encode(body any) (io.Reader, error) {
	if body == nil {
		return nil, nil
	}
	b, err := json.Marshal(body)
	return bytes.NewReader(b), err
}

func (l *Location) count(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[key]++
}

// noteLimits reads the service configuration again after an error that says that ours is old: the service has moved, or
// a limit has shrunk.
func (l *Location) noteLimits(f *fault) {
	if f == nil {
		return
	}
	if refusal, ok := errors.AsType[*Error](f.err); ok && refusal.outdated() {
		l.service.config.outdated()
	}
}
