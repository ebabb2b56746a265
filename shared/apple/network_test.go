package apple

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/vault"
	"github.com/bookplate/bookplate/shared/world"
)

// These tests go over loopback, because what they hold is net/http's behavior.

func overLoopback(t *testing.T, handler http.HandlerFunc, timeout time.Duration) *Location {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/service/config") {
			_, _ = io.WriteString(w, `{"limits":{"maxRequestPerSecond":1000}}`)
			return
		}
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	s, err := NewService(Options{
		BaseURL: server.URL, HTTP: transport, World: world.NewVirtual(1, noon).World(), Timeout: timeout,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Open(vault.NewSecret(madeUp), Identity{UID: ourUID, MDMID: ourID})
}

func TestOverTheNetworkABearerDoesNotFollowARedirect(t *testing.T) {
	var strayed atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	defer elsewhere.Close()
	l := overLoopback(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}, 0)
	if err := readAssets(l); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
	if _, err := spend(l, noon.Add(time.Hour)); endOf(t, err) != nobodyKnows {
		t.Error(err)
	}
	if strayed.Load() != 0 {
		t.Error("the redirect was followed")
	}
}

func TestOverTheNetworkAWriteOnAConnectionThatDiesIsNotRepeated(t *testing.T) {
	var reads, writes atomic.Int32
	l := overLoopback(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			reads.Add(1)
			_, _ = io.WriteString(w, emptyPage)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		writes.Add(1) // it happened, and nobody is told
		panic(http.ErrAbortHandler)
	}, 0)
	if err := readAssets(l); err != nil { // leaves a connection that is used again
		t.Fatal(err)
	}
	_, err := spend(l, noon.Add(time.Hour))
	if endOf(t, err) != nobodyKnows || writes.Load() != 1 || reads.Load() != 1 {
		t.Errorf("%v after %d writes", err, writes.Load())
	}
}

func TestOverTheNetworkNobodyListening(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	l := overLoopback(t, nil, 0)
	if _, err := l.service.current(context.Background()); err != nil {
		t.Fatal(err)
	}
	l.service.base.Host = address
	if _, err := spend(l, noon.Add(time.Hour)); endOf(t, err) != nothing || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
}

func TestOverTheNetworkTheTimeoutCoversTheAnswer(t *testing.T) {
	const timeout = 50 * time.Millisecond
	l := overLoopback(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, emptyPage[:10])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // until the client has hung up
	}, timeout)
	_, err := spend(l, noon.Add(time.Hour))
	if endOf(t, err) != nobodyKnows || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
