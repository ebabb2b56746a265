package lambda

import (
	"context"
	"net/http"
	"testing"

	"github.com/bookplate/bookplate/infra/setting"
)

// wire notes where a request went.
type wire struct{ to *http.Request }

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.to = r
	elsewhere := http.Header{"Location": {"https://elsewhere.example/"}}
	return &http.Response{StatusCode: http.StatusFound, Header: elsewhere, Body: http.NoBody}, nil
}

func TestTheOwnAPIIsWhereTheEventCameInAndNowhereElse(t *testing.T) {
	const domain = "execute-api.eu-central-1.amazonaws.com"
	for name, c := range map[string]struct {
		entrance
		public, want string
	}{
		"AWS's name":            {entrance{"abcde12345", "abcde12345." + domain}, "", "abcde12345." + domain},
		"the school's name":     {entrance{"abcde12345", "books.school.example"}, "books.school.example", "books.school.example"},
		"a name not configured": {entrance{"abcde12345", "elsewhere.example"}, "books.school.example", "abcde12345." + domain},
		"no id":                 {entrance{"", ""}, "", ""},
		"no id of an API":       {entrance{"elsewhere.example/", "x"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := &wire{}
			o := own{domain: domain, public: c.public, transport: w}
			ctx := withEntrance(context.Background(), c.entrance)
			r, err := http.NewRequestWithContext(ctx, "GET", "http://user@elsewhere.example/v1.0/x?y=z", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = "elsewhere.example"
			answer, err := o.RoundTrip(r)
			if c.want == "" {
				if err == nil || w.to != nil {
					t.Fatalf("it went to %v", w.to.URL)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if got := w.to.URL.String(); got != "https://"+c.want+"/v1.0/x?y=z" || w.to.Host != c.want {
				t.Errorf("it went to %s, with the host %s", got, w.to.Host)
			}
			if answer.StatusCode != http.StatusFound {
				t.Error("a redirection was followed")
			}
		})
	}
}

func TestTheOwnAPIForTestsIsOnLoopback(t *testing.T) {
	for at, good := range map[string]bool{"": true, "http://127.0.0.1:4000": true, "https://elsewhere.example": false} {
		p := Process{Env: setting.New(func(name string) (string, bool) {
			switch setting.Name(name) {
			case setting.OwnURL:
				return at, true
			case setting.GatewayDomain:
				return "execute-api.eu-central-1.amazonaws.com", true
			}
			return "", false
		})}
		p.OwnAPI()
		if err := p.Env.Err(); (err == nil) != good {
			t.Errorf("%q: %v", at, err)
		}
	}
}
