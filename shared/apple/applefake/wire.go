package applefake

// AssetKey is what identifies an asset: one title in one quality.
type AssetKey struct {
	AdamID       string `json:"adamId"`
	PricingParam string `json:"pricingParam"`
}

// MDMInfo says which device management service manages a location.
type MDMInfo struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Metadata string `json:"metadata"`
}

// The two qualities of a title; each is an asset, with an inventory of its own.
const (
	STDQ = "STDQ"
	PLUS = "PLUS"
)

// States of a user.
const (
	Registered = "Registered"
	Associated = "Associated"
	Retired    = "Retired"
	Deleted    = "Deleted" // a retired record whose account and books have moved to a newer one of the same id
)

const unlimitedTotal = 2147483647

const (
	dateLayout = "2006-01-02T15:04:05-0700"
	typeBook   = "Book"
	typeApp    = "App"
)

// common is in every authenticated answer.
type common struct {
	TokenExpirationDate string   `json:"tokenExpirationDate,omitempty"`
	UID                 string   `json:"uId"`
	MDMInfo             *MDMInfo `json:"mdmInfo,omitempty"`
}

type paging struct {
	CurrentPageIndex int    `json:"currentPageIndex"`
	NextPageIndex    *int   `json:"nextPageIndex,omitempty"`
	Size             int    `json:"size"`
	TotalPages       int    `json:"totalPages"`
	VersionID        string `json:"versionId"`
}

type assetRow struct {
	AssetKey
	ProductType        string   `json:"productType"`
	AssignedCount      int      `json:"assignedCount"`
	AvailableCount     *int     `json:"availableCount,omitempty"`
	RetiredCount       *int     `json:"retiredCount,omitempty"`
	TotalCount         *int     `json:"totalCount,omitempty"`
	DeviceAssignable   bool     `json:"deviceAssignable"`
	Revocable          bool     `json:"revocable"`
	SupportedPlatforms []string `json:"supportedPlatforms,omitempty"`
}

type assetsAnswer struct {
	Assets          []assetRow `json:"assets"`
	UnlimitedAssets []assetRow `json:"unlimitedAssets,omitempty"`
	paging
	common
}

type assignmentRow struct {
	AssetKey
	ClientUserID string `json:"clientUserId,omitempty"`
	SerialNumber string `json:"serialNumber,omitempty"`
	UserStatus   string `json:"userStatus,omitempty"`
	IDHash       string `json:"idHash,omitempty"`
}

type assignmentsAnswer struct {
	Assignments []assignmentRow `json:"assignments"`
	paging
	common
}

type userRow struct {
	ClientUserID string `json:"clientUserId"`
	Email        string `json:"email,omitempty"`
	IDHash       string `json:"idHash,omitempty"`
	InviteCode   string `json:"inviteCode,omitempty"`
	Status       string `json:"status"`
}

type usersAnswer struct {
	Users []userRow `json:"users"`
	paging
	common
}

type eventAnswer struct {
	EventID string `json:"eventId"`
	common
}

type statusAnswer struct {
	EventStatus  string     `json:"eventStatus"`
	EventType    string     `json:"eventType"`
	NumRequested int        `json:"numRequested"`
	NumCompleted int        `json:"numCompleted"`
	Failures     []*refusal `json:"failures,omitempty"`
	common
}

type clientConfigAnswer struct {
	CountryISO2ACode            string   `json:"countryISO2ACode"`
	DefaultPlatform             string   `json:"defaultPlatform"`
	LocationName                string   `json:"locationName"`
	NotificationAuthToken       string   `json:"notificationAuthToken,omitempty"`
	NotificationURL             string   `json:"notificationUrl,omitempty"`
	SubscribedNotificationTypes []string `json:"subscribedNotificationTypes,omitempty"`
	WebsiteURL                  string   `json:"websiteURL"`
	common
}

// manageAssets is the body of associate, disassociate and revoke.
type manageAssets struct {
	Assets        []AssetKey `json:"assets,omitempty"`
	ClientUserIDs []string   `json:"clientUserIds,omitempty"`
	SerialNumbers []string   `json:"serialNumbers,omitempty"`
}

// requestUser is a user in the body of create, update and retire.
type requestUser struct {
	ClientUserID   string `json:"clientUserId"`
	Email          string `json:"email,omitempty"`
	ManagedAppleID string `json:"managedAppleId,omitempty"`
}

type manageUsers struct {
	Users []requestUser `json:"users"`
}

// clientConfigBody is the body of POST /client/config; a nil field was not in it.
type clientConfigBody struct {
	MDMInfo               *MDMInfo `json:"mdmInfo,omitempty"`
	NotificationTypes     []string `json:"notificationTypes,omitempty"`
	NotificationURL       *string  `json:"notificationUrl,omitempty"`
	NotificationAuthToken *string  `json:"notificationAuthToken,omitempty"`
}
