package judge

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Request is one request to Apple, as it left a process and as its answer arrived there.
type Request struct {
	At      time.Time
	Process string // who sent it: a process is one memory
	UID     string // of the location that the token is for; empty for the service's configuration
	Method  string
	Path    string // without the prefix of the API
	Query   url.Values
	Body    []byte
	// Status and Answer are what arrived; Status 0: nothing, or not all of it. True: Apple's own answer, untouched.
	Status int
	Answer []byte
	True   bool
	// Due is by when Apple has done what it accepted, at the latest.
	Due time.Time

	read *said // what Answer says, once somebody has asked
}

func (r *Request) writes() bool { return r.Method == http.MethodPost }
func (r *Request) spends() bool { return r.Path == "/assets/associate" }

type asset struct {
	AdamID  string `json:"adamId"`
	Pricing string `json:"pricingParam"`
}

type row struct {
	asset
	ClientUserID string `json:"clientUserId"`
}

type content struct {
	Assets        []asset  `json:"assets"`
	ClientUserIDs []string `json:"clientUserIds"`
}

// asks is what a request that spends asks for.
func (r *Request) asks() (c content) {
	_ = json.Unmarshal(r.Body, &c) // what isn't JSON asks for nothing, and then no batch fits it
	return c
}

// said is what an answer says, as far as laws go.
type said struct {
	UID     string `json:"uId"`
	MDMInfo *struct {
		ID string `json:"id"`
	} `json:"mdmInfo"`
	ErrorNumber int    `json:"errorNumber"`
	EventID     string `json:"eventId"`
	EventStatus string `json:"eventStatus"`
	Assignments []row  `json:"assignments"`
}

func (r *Request) said() said {
	if r.read == nil {
		r.read = &said{}
		if r.Status != 0 {
			_ = json.Unmarshal(r.Answer, r.read) // a gateway's page says nothing
		}
	}
	return *r.read
}

// throttled is Apple's number for: too many requests. It says so before it looks at what is asked.
const throttled = 9646

// refused says that Apple has certainly done nothing.
func (r *Request) refused() bool {
	if r.Status == http.StatusTooManyRequests || r.said().ErrorNumber == throttled {
		return true
	}
	return r.True && r.Status != 0 && (r.Status >= 400 || r.said().ErrorNumber != 0)
}
