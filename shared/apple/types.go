package apple

import "time"

// Unlimited is the total count of an asset that never runs out (Apple: 2^31-1).
const Unlimited = 2147483647

// Product types and pricing of assets.
const (
	ProductBook = "Book"
	ProductApp  = "App"
	PricingSTDQ = "STDQ" // standard quality
	PricingPLUS = "PLUS" // high quality; an inventory of its own
)

// States of a user.
const (
	UserRegistered = "Registered" // known, no Apple Account linked
	UserAssociated = "Associated" // an Apple Account is linked
	UserRetired    = "Retired"
	UserDeleted    = "Deleted"
)

// States of an event.
const (
	EventPending  = "PENDING"
	EventComplete = "COMPLETE"
	EventFailed   = "FAILED" // partly or wholly: what is not among the failures was done
)

// MDMInfo says who manages a location. Only ID identifies; the rest is for people.
type MDMInfo struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Metadata string `json:"metadata"`
}

// Limits are Apple's live limits on requests, with the documented values where Apple leaves one out.
type Limits struct {
	MaxAssets            int // assets an associate request
	MaxClientUserIDs     int // users an associate request
	MaxUsers             int // users a create, update or retire request
	MaxRequestsPerSecond int // all requests of one location
	MaxMDMID             int
	MaxMDMName           int
	MaxMDMMetadata       int
	MaxNotification      int // of the notification URL, and of its secret
}

// ServiceConfig is what Apple says about itself. It may change at any time.
type ServiceConfig struct {
	Limits Limits
	// URLs are absolute and checked, by Apple's key ("getAssets", "invitationEmail", …).
	URLs map[string]string
}

// ClientConfig is what Apple says about one location. It never carries the notification secret that Apple echoes: the
// decoder drops it.
type ClientConfig struct {
	UID              string
	LocationName     string
	Country          string // ISO 3166 alpha-2, upper case
	Platform         string // PlatformEducation or PlatformBusiness
	Website          string
	MDMInfo          *MDMInfo // nil when nobody has claimed the location
	NotificationURL  string
	NotificationType []string
	TokenExpires     time.Time // zero when Apple doesn't say
}

// Platforms of a location (ClientConfig.Platform).
const (
	PlatformEducation = "volumestore"
	PlatformBusiness  = "enterprisestore"
)

// AssetKey is what identifies an asset: one title in one quality.
type AssetKey struct {
	AdamID       string `json:"adamId"`
	PricingParam string `json:"pricingParam"`
}

// Asset is a title as stocked by a location. Apple gives no formula for the counts; don't assume one.
type Asset struct {
	AssetKey
	ProductType      string `json:"productType"`
	AssignedCount    int    `json:"assignedCount"`
	AvailableCount   int    `json:"availableCount"`
	RetiredCount     int    `json:"retiredCount"`
	TotalCount       int    `json:"totalCount"`
	DeviceAssignable bool   `json:"deviceAssignable"`
	Revocable        bool   `json:"revocable"`
}

// Assignment is one license: an asset held by a user. Those held by a device (SerialNumber) are never books.
type Assignment struct {
	AssetKey
	ClientUserID string `json:"clientUserId"`
	SerialNumber string `json:"serialNumber"`
}

// User is a person as Apple knows them in a location. Several rows may share a ClientUserID; at most one of them is
// Registered or Associated.
type User struct {
	ClientUserID string `json:"clientUserId"`
	Email        string `json:"email"`
	Status       string `json:"status"`
	IDHash       string `json:"idHash"`     // same Apple Account, same hash; present once an account is or was linked
	InviteCode   string `json:"inviteCode"` // on Registered users
}

// NewUser is what a user is created or updated with.
type NewUser struct {
	ClientUserID   string `json:"clientUserId"`
	Email          string `json:"email,omitempty"`
	ManagedAppleID string `json:"managedAppleId,omitempty"` // links the account at once
}

// Page says where a page stands in its listing.
type Page struct {
	Index      int
	TotalPages int
	VersionID  string // of this listing at the moment of this page
	Last       bool   // no further page
}

// Event is the state of an asynchronous request.
type Event struct {
	ID        string
	Status    string // EventPending, EventComplete, EventFailed
	Type      string // ASSOCIATE, CREATE, UPDATE, …
	Requested int    // tasks in the request
	Completed int    // tasks done
	Failures  []Failure
}

// Failure is one reason for which parts of a request were refused, with the parts it names.
type Failure struct {
	Number  int
	Message string
	Info    ErrorInfo
}

// ErrorInfo names the parts of a request that an error is about. Empty lists mean: Apple didn't say.
type ErrorInfo struct {
	Assets        []AssetKey `json:"assets"`
	ClientUserIDs []string   `json:"clientUserIds"`
	SerialNumbers []string   `json:"serialNumbers"`
}

// AssetQuery filters a listing of assets. Zero values don't filter.
type AssetQuery struct {
	ProductType string
	AdamID      string
}

// AssignmentQuery filters a listing of assignments. Zero values don't filter.
type AssignmentQuery struct {
	AdamID       string
	ClientUserID string
	SinceVersion string // only what came since that version of the listing; removals never show
}

// UserQuery filters a listing of users. Zero values don't filter.
type UserQuery struct {
	ClientUserID string
	SinceVersion string
}

// Association is a request that spends: every asset for every user. It can't be taken back.
type Association struct {
	Assets        []AssetKey
	ClientUserIDs []string
	// NotAfter is the moment from which the transport refuses to start the request (design law 2), checked after all
	// waiting for pace, immediately before the request is handed to the connection.
	NotAfter time.Time
}

// Title is what Apple's catalog says of a work.
type Title struct {
	AdamID      string
	Name        string
	Author      string
	Description string
	Kind        string
	Genres      []string
	ReleaseDate string
	URL         string
	Artwork     string // URL template with {w}, {h} and {f}
}
