package books_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/bookplate/bookplate/functions/assignments"
	"github.com/bookplate/bookplate/functions/books"
	"github.com/bookplate/bookplate/functions/tokens"
	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/book"
)

const (
	booksPath = "/v1.0/deviceAppManagement/managedEBooks"
	ours      = "/v1.0/bookplate"
	plenty    = "900000001"  // 30 licenses
	generated = "1400000000" // held by foreign readers
)

// rig is a desk with a synced location.
type rig struct {
	*desk.Desk
	http.Handler
	tokens, assignments http.Handler
	token               string // its id
}

func newRig(t *testing.T) rig {
	t.Helper()
	s := desk.New(t)
	r := rig{
		Desk: s,
		Handler: books.New(books.Config{
			Config: s.Door(), Store: s.Store.ReadStore, Directory: s.Directory.Reader,
			Invitation: func(ctx context.Context, code string) (string, error) {
				config, err := s.Apple.Config(ctx)
				if err != nil {
					return "", err
				}
				return apple.InvitationURL(config, code)
			},
		}),
		tokens: tokens.New(tokens.Config{
			Config: s.Door(), Store: s.Store, Vault: s.Vault, Apple: s.Apple, Queue: s.Queue, Version: "0.1",
		}),
		assignments: assignments.New(assignments.Config{
			Config: s.Door(), Store: s.Store, Directory: s.Directory.Reader, Queue: s.Queue,
		}),
	}
	a := r.Want(t, 201, r.tokens, "administrator", "POST", "/v1.0/deviceAppManagement/vppTokens", r.Token,
		"Content-Type", "text/plain")
	r.token, _ = a.Body["id"].(string)
	r.Work(t, s.Place.UID())
	return r
}

func (r rig) book(adamID string) string {
	return book.ID(r.Place.UID(), apple.AssetKey{AdamID: adamID, PricingParam: apple.PricingSTDQ})
}

// give assigns a title to a group and lets the worker do it.
func (r rig) give(t *testing.T, adamID, group string) {
	t.Helper()
	r.Want(t, 204, r.assignments, "manager", "POST", booksPath+"/"+r.book(adamID)+"/assign",
		`{"managedEBookAssignments":[{"installIntent":"required","target":`+
			`{"@odata.type":"#microsoft.graph.groupAssignmentTarget","groupId":"`+
			group+`"}}]}`)
	for range 40 {
		r.Wake(t, r.Place.UID())
		r.Clock.Advance(10 * time.Second)
	}
}

func (r rig) get(t *testing.T, path string) desk.Answer {
	t.Helper()
	return r.Want(t, 200, r, "viewer", "GET", path, "")
}

// walk follows the links of a list to its end.
func (r rig) walk(t *testing.T, path string) (all []map[string]any, pages int) {
	t.Helper()
	for next := path; next != ""; pages++ {
		a := r.get(t, next)
		if link, ok := a.Body["@odata.nextLink"].(string); ok {
			if len(a.List()) == 0 {
				t.Fatalf("an empty page with a link: %s", a.Raw)
			}
			next = link
		} else {
			next = ""
		}
		all = append(all, a.List()...)
	}
	return all, pages
}
