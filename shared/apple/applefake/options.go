package applefake

import (
	"errors"
	"net/http"
	"time"

	"github.com/bookplate/bookplate/shared/world"
)

// Options are the clock, the seed, and one switch for each thing that Apple's documentation leaves open. The zero value
// of a switch is the likeliest behavior; Clock is required.
type Options struct {
	Clock world.Clock
	Seed  uint64 // decides ids, generated content, and what is left to chance

	// BaseURL is scheme and host of the URLs that the service config announces; empty: those of the request.
	BaseURL string
	// Client delivers notifications, also the test notification of a client config. Nil: nothing can be delivered, and
	// a config that asks for notifications is refused with 9728.
	Client *http.Client
	// Journal is the path of the file that keeps every accepted change; empty: nothing outlives the process.
	Journal string
	// WireLimit is how many requests [Server.Wire] remembers; 0: all of them.
	WireLimit int

	Limits *Limits // nil: the documented ones

	// ErrorsAsHTTP200 answers every refusal with status 200, as has been seen of Apple.
	ErrorsAsHTTP200 bool
	// TokenNumbers overrides the error numbers of refused tokens, by cause.
	TokenNumbers map[TokenCause]int
	// KeepOldTokens: a newer token doesn't revoke the older ones.
	KeepOldTokens bool
	// ExpirationDate says which answers carry tokenExpirationDate.
	ExpirationDate ExpirationPolicy

	UnknownUser     UnknownUserMode
	Shortage        ShortageMode
	DuplicateAssign DuplicateMode
	// RegisterOnLinkFailure: a create whose account can't be linked leaves the user Registered; else no user is made.
	RegisterOnLinkFailure bool

	PageSize int // 0: 500
	// NoPagesWhenEmpty: the totalPages of an empty listing is 0 instead of 1.
	NoPagesWhenEmpty bool
	// VersionTTL is how long a version id stays usable after a newer one has replaced it; 0: 30 days.
	VersionTTL time.Duration
	// EventTTL is how long an event can be asked for; 0: 7 days.
	EventTTL time.Duration
	Latency  Latency
	// OutOfOrder lets a later event end before an earlier one of the same location, as Jitter or PerTask have it.
	OutOfOrder bool

	// Burst is how many requests may come at once; 0: the rate. The rate is Limits.MaxRequestPerSecond; below zero: no limit.
	Burst      int
	RetryAfter RetryAfterMode

	Notify Notify
	// PlainHTTP allows notification URLs without TLS, for tests on loopback.
	PlainHTTP bool
}

// Latency is how long an event takes: Base, and PerTask for each of its tasks, and a random part up to Jitter.
type Latency struct {
	Base    time.Duration // 0: 2 seconds; below zero: none
	PerTask time.Duration
	Jitter  time.Duration
}

// Notify is what goes wrong with notifications, in percent of them, and how they are grouped.
type Notify struct {
	Drop      int           // lost without an attempt
	Duplicate int           // sent twice, with the same notificationId
	Delay     time.Duration // a random delay up to this; it also reorders
	Mixed     bool          // one notification may carry rows of several assets
}

// UnknownUserMode says how a write for an unknown or retired user is refused with 9609.
type UnknownUserMode int

// The documentation lists 9609 as synchronous and shows it as asynchronous.
const (
	UnknownUserAsync UnknownUserMode = iota
	UnknownUserSync
)

// ShortageMode says what an association does when licenses don't suffice (9709).
type ShortageMode int

// Apple doesn't say which of these holds.
const (
	ShortagePerAsset     ShortageMode = iota // an asset that doesn't suffice for all is given to nobody
	ShortageFirstCome                        // given in the order of the request until none is left
	ShortageWholeRequest                     // if one asset doesn't suffice, nothing is given
)

// DuplicateMode says what associating an asset again to its holder does. It never takes a second license.
type DuplicateMode int

// The old API had a number of its own for this (9616); the documentation of this one has none.
const (
	DuplicateNoOp   DuplicateMode = iota // done already: counts as completed
	DuplicateRefuse                      // the whole request is refused at once with 9602
	DuplicateFail                        // the task fails with 9616
)

// ExpirationPolicy says which answers carry tokenExpirationDate. The client config always does.
type ExpirationPolicy int

// Documentation, its examples and observation differ.
const (
	ExpirationAlways ExpirationPolicy = iota
	ExpirationLast15Days
	ExpirationClientConfigOnly
)

// RetryAfterMode says whether and how an answer 429 names the time to wait.
type RetryAfterMode int

// Apple documents the header for 5xx only.
const (
	RetryAfterNone RetryAfterMode = iota
	RetryAfterSeconds
	RetryAfterDate
)

// TokenCause is why a token is refused.
type TokenCause int

// Causes with the number that each gets unless Options.TokenNumbers says otherwise.
const (
	CauseExpired  TokenCause = iota // 9621
	CauseReplaced                   // 9625: a newer token, or revoked
	CausePassword                   // 9625: the password of the account that made it was changed
	CauseGarbage                    // 9622: not a token, or only the inner part of one
	CauseHeader                     // 9722: no Authorization header, or not a bearer
)

// Limits are the limits of the service config, in its order.
type Limits struct {
	MaxAssets                    int `json:"maxAssets"`
	MaxUsers                     int `json:"maxUsers"`
	MaxClientUserIDs             int `json:"maxClientUserIds"`
	MaxSerialNumbers             int `json:"maxSerialNumbers"`
	MaxRevokeClientUserIDs       int `json:"maxRevokeClientUserIds"`
	MaxRevokeSerialNumbers       int `json:"maxRevokeSerialNumbers"`
	MaxNotificationLength        int `json:"maxNotificationLength"`
	MaxMDMIDLength               int `json:"maxMdmIdLength"`
	MaxMDMNameLength             int `json:"maxMdmNameLength"`
	MaxMDMMetadataLength         int `json:"maxMdmMetadataLength"`
	MaxRequestPerSecond          int `json:"maxRequestPerSecond,omitempty"`
	MaxSubscriptions             int `json:"maxSubscriptions"`
	MaxSubscriptionClientUserIDs int `json:"maxSubscriptionClientUserIds"`
}

// DocumentedLimits are the limits of Apple's example of a service config.
func DocumentedLimits() Limits {
	return Limits{
		MaxAssets: 25, MaxUsers: 100, MaxClientUserIDs: 1000, MaxSerialNumbers: 1000,
		MaxRevokeClientUserIDs: 100, MaxRevokeSerialNumbers: 100, MaxNotificationLength: 512,
		MaxMDMIDLength: 100, MaxMDMNameLength: 100, MaxMDMMetadataLength: 255,
		MaxRequestPerSecond: 15, MaxSubscriptions: 25, MaxSubscriptionClientUserIDs: 1000,
	}
}

func (o *Options) complete() error {
	if o.Clock == nil {
		return errors.New("applefake needs a clock")
	}
	if o.Limits == nil {
		limits := DocumentedLimits()
		o.Limits = &limits
	}
	if o.PageSize <= 0 {
		o.PageSize = 500
	}
	if o.VersionTTL <= 0 {
		o.VersionTTL = 30 * 24 * time.Hour
	}
	if o.EventTTL <= 0 {
		o.EventTTL = 7 * 24 * time.Hour
	}
	if o.Latency.Base == 0 {
		o.Latency.Base = 2 * time.Second
	}
	o.Latency.Base = max(o.Latency.Base, 0)
	return nil
}
