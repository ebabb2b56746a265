package directory

import (
	"strings"
	"time"
)

// Person is somebody in the directory. Values are kept as the provider wrote them.
type Person struct {
	// ID is ours (world.NewID) and never changes.
	ID string `json:"-"`
	// Version is the stored item's; it changes with every write of the person, not with their memberships.
	Version string `json:"-"`

	// UserName is unique in any letter case among people who aren't deleted.
	UserName string `json:"userName"`
	// ExternalID is the provider's id of the person. Several people may carry the same one.
	ExternalID string `json:"externalId,omitempty"`

	DisplayName   string `json:"displayName,omitempty"`
	FormattedName string `json:"formattedName,omitempty"`
	GivenName     string `json:"givenName,omitempty"`
	FamilyName    string `json:"familyName,omitempty"`
	// Emails are in the provider's order. Email picks one.
	Emails []Email `json:"emails,omitempty"`

	EmployeeNumber string `json:"employeeNumber,omitempty"`
	// ManagedAppleAccount is set only where the administrator maps it; see the function ManagedAccount.
	ManagedAppleAccount string `json:"managedAppleAccount,omitempty"`

	// Active is the provider's word. A deleted person is never active.
	Active bool `json:"active"`
	// Deleted people are kept for their names: only PersonEvenDeleted and People return them.
	Deleted bool `json:"deleted,omitempty"`

	Created  time.Time `json:"created"`
	Modified time.Time `json:"modified"`
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
	at := strings.LastIndex(p.UserName, "@")
	if at < 1 {
		return "", false
	}
	for _, domain := range federated {
		if strings.EqualFold(p.UserName[at+1:], domain) {
			return p.UserName, true
		}
	}
	return "", false
}
