package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/local/demo"
)

var hint = regexp.MustCompile(`curl -H "Authorization: Bearer \$VIEWER" '([^']+)'`)

// holdHints follows what the screen suggests to try; where it leaves a name open, only the path must be there.
func holdHints(r *running) {
	r.t.Helper()
	viewer := r.until(`VIEWER=(\S+)`, time.Second)
	r.until("Ctrl-C stops it", time.Second)
	hints := hint.FindAllStringSubmatch(r.output(), -1)
	if len(hints) != 3 {
		r.t.Errorf("%d hints are on the screen:\n%s", len(hints), r.output())
	}
	for _, h := range hints {
		want := http.StatusOK
		if strings.Contains(h[1], "<") {
			want = http.StatusNotFound
		}
		if status, text, err := ask(r.t.Context(), http.MethodGet, h[1], viewer, ""); err != nil || status != want {
			r.t.Errorf("%s: %d, %v: %.200s", h[1], status, err, text)
		}
	}
}

func TestWhatTheScreenOfARealInstallationSuggestsWorksThere(t *testing.T) {
	r := begin(t, "-apple", loopbackFake, "-data", t.TempDir(), "-listen", "127.0.0.1:0")
	r.until("Ctrl-C stops it", 5*time.Second)
	holdHints(r)
	if strings.Contains(r.output(), demo.Domain) {
		t.Errorf("it names somebody of the demo:\n%s", r.output())
	}
	r.end()
}
