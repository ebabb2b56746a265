//go:build aws && e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/local/demo"
	"github.com/bookplate/bookplate/shared/apple/applefake"
)

// fake is Apple's service with the demo's library, and what befalls whoever calls it.
type fake struct {
	server   *applefake.Server
	location *applefake.Location
	url      string
	token    string

	mu     sync.Mutex
	plan   []blow
	struck []string
	last   time.Time // of the last blow
}

// blow is a death in the middle of something.
type blow struct {
	name   string
	method string
	ending string // of the request's path
	after  int    // as many such requests pass first
	obeyed bool   // Apple does what is asked before the caller dies
}

func newFake(t *testing.T, kill func() int, plan ...blow) *fake {
	options := demo.Options(t.TempDir())
	server, err := applefake.New(options)
	if err != nil {
		t.Fatal(err)
	}
	location, err := server.AddLocation(demo.Library())
	if err != nil {
		t.Fatal(err)
	}
	token, err := location.IssueToken(options.Clock.Now().AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{server: server, location: location, token: token, plan: plan}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, hit := f.next(r)
		if !hit {
			server.ServeHTTP(w, r)
			return
		}
		if b.obeyed {
			server.ServeHTTP(httptest.NewRecorder(), r)
		}
		if n := kill(); n == 0 {
			t.Errorf("%s: nobody was at work", b.name)
		}
		panic(http.ErrAbortHandler) // the caller is gone, and gets no answer
	}))
	t.Cleanup(func() {
		web.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	f.url = web.URL + "/mdm/v2"
	return f
}

// inFlight is for how long after a death requests may still arrive from the dead: they are not struck again.
const inFlight = 3 * time.Second

// next says what befalls a request.
func (f *fake) next(r *http.Request) (blow, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.plan) == 0 || time.Since(f.last) < inFlight || f.plan[0].method != r.Method || !strings.HasSuffix(r.URL.Path, f.plan[0].ending) {
		return blow{}, false
	}
	if f.plan[0].after > 0 {
		f.plan[0].after--
		return blow{}, false
	}
	b := f.plan[0]
	f.plan, f.last = f.plan[1:], time.Now()
	f.struck = append(f.struck, b.name+" at "+time.Now().Format(time.TimeOnly))
	return b, true
}

func (f *fake) left() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.plan)
}
