package stack

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/bookplate/bookplate/functions/assignments"
	"github.com/bookplate/bookplate/functions/books"
	scim "github.com/bookplate/bookplate/functions/directory"
	"github.com/bookplate/bookplate/functions/front"
	"github.com/bookplate/bookplate/functions/tokens"
	"github.com/bookplate/bookplate/infra"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/graph"
)

// version of the program, as Apple and the log see it.
const version = "0.1"

// handler is all functions behind one mux, as the gateway has them on AWS.
func (s *Stack) handler() (http.Handler, error) {
	entrance := door.Config{Verify: s.access.verify, World: s.world, Log: s.options.Log}
	scimHandler, err := scim.New(scim.Config{
		Directory: s.directory, Clock: s.world.Clock, Log: s.options.Log,
		Verify: func(r *http.Request) error {
			_, err := auth.Gate{Verify: s.access.verify}.Check(auth.IdentityProvider, r)
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	var all []string
	register := func(patterns []string, h http.Handler) {
		for _, p := range patterns {
			mux.Handle(p, h)
		}
		all = append(all, patterns...)
	}
	register(tokens.Routes(), tokens.New(tokens.Config{
		Config: entrance, Store: s.store, Vault: s.vault, Apple: s.service, Queue: s.queue,
		Version: version, Host: s.URL(),
	}))
	register(assignments.Routes(), assignments.New(assignments.Config{
		Config: entrance, Store: s.store, Directory: s.readers, Queue: s.queue, Hold: s.options.Hold,
		Federated: s.options.Federated, ApprovalAbove: s.options.ApprovalAbove, SelfApproval: s.options.SelfApproval,
	}))
	register(books.Routes(), books.New(books.Config{
		Config: entrance, Store: s.store.ReadStore, Directory: s.readers, Invitation: s.invitation,
	}))
	mux.Handle(scim.Prefix+"/", scimHandler)
	whole := canonical(mux, door.Segments(all))
	mux.Handle("/", front.New(front.Config{
		Config: entrance, OpenAPI: infra.OpenAPI(), Paths: infra.Paths(), API: within{whole}, Ready: s.isReady,
	}))
	return whole, nil
}

// canonical spells paths as the routes do before the mux sees them: Graph's clients vary in letter case.
func canonical(mux *http.ServeMux, segments []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		escaped := graph.CanonicalPath(r.URL.EscapedPath(), segments)
		if path, err := url.PathUnescape(escaped); err == nil && path != r.URL.Path && !isSCIM(r.URL.Path) {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = path, escaped
		}
		mux.ServeHTTP(w, r)
	})
}

func isSCIM(path string) bool { return len(path) >= 5 && path[:5] == "/scim" }

func (s *Stack) invitation(ctx context.Context, inviteCode string) (string, error) {
	config, err := s.service.Config(ctx)
	if err != nil {
		return "", err
	}
	return apple.InvitationURL(config, inviteCode)
}

func (s *Stack) isReady(context.Context) error {
	if !s.ready.Load() {
		return errors.New("starting, or stopping")
	}
	return nil
}
