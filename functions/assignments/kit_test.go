package assignments_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/functions/assignments"
	"github.com/bookplate/bookplate/functions/tokens"
	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/book"
)

const hold = 10 * time.Minute

// rig is a desk with a synced location.
type rig struct {
	*desk.Desk
	http.Handler
	tokens http.Handler
	token  string // its id
}

func newRig(t *testing.T) rig {
	t.Helper()
	s := desk.New(t)
	r := rig{Desk: s, Handler: assignments.New(assignments.Config{
		Config: s.Door(), Store: s.Store, Directory: s.Directory.Reader, Queue: s.Queue, Hold: hold,
	})}
	r.tokens = tokens.New(tokens.Config{
		Config: s.Door(), Store: s.Store, Vault: s.Vault, Apple: s.Apple, Queue: s.Queue, Version: "0.1",
	})
	a := r.Want(t, 201, r.tokens, "administrator", "POST", "/v1.0/deviceAppManagement/vppTokens", r.Token,
		"Content-Type", "text/plain")
	r.token, _ = a.Body["id"].(string)
	r.Work(t, s.Place.UID())
	s.Queue.Woken = nil
	return r
}

// book is the path of a title's book in standard quality.
func (r rig) book(adamID string) string {
	return "/v1.0/deviceAppManagement/managedEBooks/" +
		book.ID(r.Place.UID(), apple.AssetKey{AdamID: adamID, PricingParam: apple.PricingSTDQ})
}

// groupTarget is an assignment to a group.
func groupTarget(intent, group string) string {
	return `{"installIntent":"` + intent + `","target":{"@odata.type":"#microsoft.graph.groupAssignmentTarget",` +
		`"groupId":"` + group + `"}}`
}

func list(assignments ...string) string {
	text := ""
	for i, a := range assignments {
		if i > 0 {
			text += ","
		}
		text += a
	}
	return `{"managedEBookAssignments":[` + text + `]}`
}

// assigned are the groups of a book, in order.
func (r rig) assigned(t *testing.T, at string) []string {
	t.Helper()
	var groups []string
	for _, e := range r.Want(t, 200, r, "viewer", "GET", at+"/assignments", "").List() {
		target, _ := e["target"].(map[string]any)
		id, _ := target["groupId"].(string)
		groups = append(groups, id)
	}
	slices.Sort(groups)
	return groups
}
