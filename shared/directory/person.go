package directory

import (
	"strings"
	"time"
)

// Person is somebody in the directory. Values are kept as the provider wrote them.
type Person struct {
	// ID is ours (world.NewID) and never changes.
	ID string
	// Version is the stored item's; it changes with every write of the person, not with their memberships.
	Version string

	// UserName is unique in any letter case among people who aren't deleted.
	UserName string
	// ExternalID is the provider's id of the person. Several people may carry the same one.
	ExternalID string

	DisplayName, FormattedName, GivenName, FamilyName string
	// Emails are in the provider's order. Email picks one.
	Emails []Email

	EmployeeNumber string
	// ManagedAppleAccount is set only where the administrator maps it; see the function ManagedAccount.
	ManagedAppleAccount string

	// Active is the provider's word. A deleted person is never active.
	Active bool
	// Deleted people are kept for their names: only PersonEvenDeleted and People return them.
	Deleted bool

	Created, Modified time.Time
}

// Email is one of a person's addresses.
type Email struct {
	Value   string `json:"value"`
	Type    string `json:"type,omitempty"`
	Display string `json:"display,omitempty"`
	Primary bool   `json:"primary,omitempty"`
}

// Email is the address to write to: the one of type work, otherwise the primary one, otherwise the first; empty when
// the person has none.
func (p Person) Email() string {
	best := ""
	for i, e := range p.Emails {
		switch {
		case strings.EqualFold(e.Type, "work"):
			return e.Value
		case e.Primary, i == 0:
			best = e.Value
		}
	}
	return best
}

// Name is how to call the person in a list: the display name, otherwise the name's parts, otherwise the user name.
func (p Person) Name() string {
	full := strings.TrimSpace(p.GivenName + " " + p.FamilyName)
	for _, name := range []string{p.DisplayName, p.FormattedName, full} {
		if name != "" {
			return name
		}
	}
	return p.UserName
}

// ManagedAccount is the person's Managed Apple Account, if they are known to have one: the attribute that the
// administrator maps, otherwise the user name when its domain is one of the federated ones (in any letter case).
func ManagedAccount(p Person, federated []string) (string, bool) {
	if p.ManagedAppleAccount != "" {
		return p.ManagedAppleAccount, true
	}
	local, domain, found := cutLast(p.UserName, "@")
	if !found || local == "" {
		return "", false
	}
	for _, f := range federated {
		if strings.EqualFold(domain, f) {
			return p.UserName, true
		}
	}
	return "", false
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
