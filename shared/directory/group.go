package directory

import "time"

// Group is a set of people, as the provider names it. Its members are items of their own: see Reader.MembersOf.
type Group struct {
	// ID is ours (world.NewID) and never changes.
	ID string `json:"-"`
	// Version is the stored item's; it doesn't change when members come and go.
	Version string `json:"-"`
	// DisplayName isn't unique: real tenants have several groups of one name.
	DisplayName string `json:"displayName"`
	// ExternalID is the provider's id of the group. Several groups may carry the same one.
	ExternalID string `json:"externalId,omitempty"`
	Kind       Kind   `json:"kind"`
	// Deleted groups are kept for their names: only GroupEvenDeleted returns them.
	Deleted bool `json:"deleted,omitempty"`

	Created  time.Time `json:"created"`
	Modified time.Time `json:"modified"`
}

// Kind says what a group is made of.
type Kind string

// The kinds. A provider that says nothing means Users. Books can't be given to a group of Devices.
const (
	Users   Kind = "users"
	Devices Kind = "devices"
)

// Member names somebody or something in a group.
type Member struct {
	// ID is a person's id for a person; whatever the provider wrote otherwise. A person's id needn't be known yet.
	ID string
	// Type is empty for a person; otherwise the SCIM resource type, e.g. "Group" or "Device".
	Type string
}

// IsPerson tells people from what can't read books.
func (m Member) IsPerson() bool { return m.Type == "" }
