package books

import (
	"context"
	"net/http"

	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/table"
)

// Config is what the function is made of.
type Config struct {
	door.Config
	Store     *table.ReadStore
	Directory *directory.Reader
	// Invitation makes the link with which an invited person links their Apple Account, from an invite code
	// (apple.InvitationURL with the live service configuration).
	Invitation func(ctx context.Context, inviteCode string) (string, error)
}

type server struct{ Config }

// New returns the handler of the routes.
func New(c Config) http.Handler { return door.New(c.Config, routes(server{c})) }

// Routes are the handler's mux patterns.
func Routes() []string { return door.Patterns(routes(server{})) }

const (
	booksPath = "/deviceAppManagement/managedEBooks"
	bookPath  = booksPath + "/{id}"
	ourPath   = "/bookplate"
)

func routes(s server) []door.Route {
	return []door.Route{
		{Method: http.MethodGet, Path: "/deviceAppManagement", Need: auth.Viewer, Answer: s.management},
		{Method: http.MethodGet, Path: booksPath, Need: auth.Viewer, Answer: s.collection().List},
		{Method: http.MethodGet, Path: booksPath + "/$count", Need: auth.Viewer, Answer: s.collection().Count},
		{Method: http.MethodPost, Path: booksPath, Need: auth.Viewer, Answer: s.refuseCreate},
		{Method: http.MethodGet, Path: bookPath, Need: auth.Viewer, Answer: s.get},
		{Method: http.MethodPatch, Path: bookPath, Need: auth.Viewer, Answer: s.refuseChange},
		{Method: http.MethodDelete, Path: bookPath, Need: auth.Viewer, Answer: s.refuseChange},
		{Method: http.MethodGet, Path: ourPath + "/syncRuns", Need: auth.Viewer, Answer: list(s.syncRuns, "tokenId", "location")},
		{Method: http.MethodGet, Path: ourPath + "/grants", Need: auth.Viewer, Answer: list(s.grants, "book")},
		{Method: http.MethodGet, Path: ourPath + "/licenses", Need: auth.Viewer, Answer: list(s.licenses, "book", "person")},
		{Method: http.MethodGet, Path: ourPath + "/ledger", Need: auth.Viewer, Answer: list(s.ledger,
			"person", "title", "group", "from", "to", "tokenId", "location", "bom", "$format")},
		{Method: http.MethodGet, Path: ourPath + "/readers", Need: auth.Viewer, Answer: list(s.readers,
			"tokenId", "location", "status", "bom", "$format")},
		{Method: http.MethodGet, Path: ourPath + "/readers/{id}", Need: auth.Viewer, Answer: s.reader},
		{Method: http.MethodGet, Path: ourPath + "/batches", Need: auth.Viewer, Answer: list(s.batches, "tokenId", "location")},
		{Method: http.MethodGet, Path: ourPath + "/acts", Need: auth.Viewer, Answer: list(s.acts, "month")},
	}
}
