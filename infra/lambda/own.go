package lambda

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"github.com/bookplate/bookplate/infra/setting"
)

// entrance is by which API, and under which name, the gateway has let a request in: its own word, and not the caller's.
type entrance struct{ id, name string }

type entranceKey struct{}

func withEntrance(ctx context.Context, e entrance) context.Context {
	return context.WithValue(ctx, entranceKey{}, e)
}

// OwnAPI carries requests to the API through which the present event came, and nowhere else: of a request's own URL only
// path and query count, no proxy is asked, and no redirection is followed. So a caller's bearer, which such requests
// have, can't leave the installation.
func (p Process) OwnAPI() http.RoundTripper {
	o := own{domain: p.Env.Text(setting.GatewayDomain), transport: &http.Transport{DisableCompression: true}}
	if public, err := url.Parse(p.Env.Text(setting.PublicURL)); err == nil {
		o.public = public.Host
	}
	if at := p.Env.Text(setting.OwnURL); at != "" {
		if !onLoopback(at) {
			p.Env.Refuse(setting.OwnURL, errors.New("it isn't on loopback"))
		}
		o.test = at
	}
	return o
}

type own struct {
	domain, public string
	test           string // instead of both
	transport      http.RoundTripper
}

// RoundTrip is http.RoundTripper's.
func (o own) RoundTrip(r *http.Request) (*http.Response, error) {
	base, err := o.base(r.Context())
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.URL.User = base.Scheme, base.Host, nil
	r.Host = base.Host
	return o.transport.RoundTrip(r)
}

var apiID = regexp.MustCompile(`^[a-z0-9]{5,20}$`)

// base is where the API answers: under the installation's own name if that is how the request came, so that links in answers
// lead there; otherwise under the name that AWS has given it.
func (o own) base(ctx context.Context) (*url.URL, error) {
	if o.test != "" {
		return url.Parse(o.test)
	}
	e, _ := ctx.Value(entranceKey{}).(entrance)
	switch {
	case o.public != "" && e.name == o.public:
		return &url.URL{Scheme: "https", Host: o.public}, nil
	case apiID.MatchString(e.id):
		return &url.URL{Scheme: "https", Host: e.id + "." + o.domain}, nil
	}
	return nil, fmt.Errorf("the event doesn't say by which API it came (%.40q)", e.id)
}
