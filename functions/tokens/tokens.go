package tokens

import (
	"net/http"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/queue"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/vault"
)

// Config is what the function is made of.
type Config struct {
	door.Config
	Store *table.Store
	Vault vault.Vault
	Apple *apple.Service
	Queue queue.Queue
	// Version is this program's, and Host says where it runs, e.g. "https://books.school.example": Apple shows both to
	// whoever else gets at the location. Host may be empty.
	Version, Host string
}

type server struct{ Config }

// New returns the handler of the routes.
func New(c Config) http.Handler { return door.New(c.Config, routes(server{c})) }

// Routes are the handler's mux patterns.
func Routes() []string { return door.Patterns(routes(server{})) }

const (
	tokensPath = "/deviceAppManagement/vppTokens"
	tokenPath  = tokensPath + "/{id}"
)

func routes(s server) []door.Route {
	return []door.Route{
		{Method: http.MethodGet, Path: tokensPath, Need: auth.Viewer, Answer: s.collection().List},
		{Method: http.MethodGet, Path: tokensPath + "/$count", Need: auth.Viewer, Answer: s.collection().Count},
		{Method: http.MethodPost, Path: tokensPath, Need: auth.Administrator, Answer: s.upload},
		{Method: http.MethodGet, Path: tokenPath, Need: auth.Viewer, Answer: s.get},
		{Method: http.MethodPatch, Path: tokenPath, Need: auth.Administrator, Answer: s.patch},
		{Method: http.MethodDelete, Path: tokenPath, Need: auth.Administrator, Answer: s.delete},
		{Method: http.MethodPost, Path: tokenPath + "/bookplate.claim", Need: auth.Administrator, Answer: s.claimIt},
		{Method: http.MethodPost, Path: tokenPath + "/bookplate.renew", Need: auth.Administrator, Answer: s.renewIt},
		{Method: http.MethodPost, Path: tokenPath + "/syncLicenses", Need: auth.Manager, Answer: s.syncLicenses},
	}
}
