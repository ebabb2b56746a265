package license

import (
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
)

// State is what is stored of a pair's life. What happens between reserved and licensed (prepared, sending, sent) is the
// batch's state, so that reserving a pair is one write and settling it is one more.
type State string

// The states.
const (
	Wanted   State = "wanted"   // nothing stands in the way; the next batch may take it
	Waiting  State = "waiting"  // Reason says for what
	Reserved State = "reserved" // Batch alone may send it
	Licensed State = "licensed" // Apple lists it
	Refused  State = "refused"  // Apple said no for good; Reason and Detail say why
	Gone     State = "gone"     // Apple listed it once and no longer does (a refund); kept for the ledger
)

// Reason is why a pair waits or was refused, for programs; people read its text (assign).
type Reason string

// Refunded is why a license is gone: Apple no longer lists it.
const Refunded Reason = "refunded"

// License is the right of one person to one title, over all locations.
type License struct {
	AdamID   string `json:"adamId"`
	PersonID string `json:"personId"`
	State    State  `json:"state"`
	Reason   Reason `json:"reason,omitempty"`
	Detail   string `json:"detail,omitempty"` // e.g. Apple's error number, or the place where it is bound to
	// Location and Pricing are where the pair is wanted, reserved or licensed.
	Location string `json:"location,omitempty"` // uId
	Pricing  string `json:"pricing,omitempty"`
	// Batch is the batch that alone may send the pair; kept after settling, as part of the ledger.
	Batch string `json:"batch,omitempty"`
	// Bound is the location in which the pair's last sending had an unknown outcome. While it is set, only that
	// location may send the pair again (law 1).
	Bound string `json:"bound,omitempty"`
	// BoundAs is the quality in which that sending was. STDQ and PLUS are one title, so the other one may not be sent
	// either: Apple would give both.
	BoundAs string `json:"boundAs,omitempty"`
	// Cause is the wish that asked for it; nil when it was found at a sync.
	Cause *Cause `json:"cause,omitempty"`
	// Found says that Apple listed it without a sending of ours: somebody else gave it, or it was there before us.
	Found bool `json:"found,omitempty"`
	// Event is Apple's id of the request that gave it.
	Event string `json:"event,omitempty"`
	// Since is when State last changed; Asked and Given are when it was first wanted, since it last lapsed, and when it was known
	// to be given.
	Since time.Time `json:"since"`
	Asked time.Time `json:"asked,omitzero"`
	Given time.Time `json:"given,omitzero"`
	// Lost is when Apple was seen to list it no more; zero while it does. Only an order from after that spends another one.
	Lost time.Time `json:"lost,omitzero"`
	// Former are the gifts before the last one, oldest first, that Apple has taken back (Gifts); FormerMore counts those before
	// them which aren't kept.
	Former     []Gift `json:"former,omitempty"`
	FormerMore int    `json:"formerMore,omitempty"`
	// Rows are all that Apple lists for this person and title: STDQ and PLUS, and former identities of the person.
	Rows []Row `json:"rows,omitempty"`
}

// Cause is why a person is to get a title.
type Cause struct {
	BookID       string `json:"bookId"`
	AssignmentID string `json:"assignmentId"`
	GroupID      string `json:"groupId"`
	Intent       string `json:"intent"`
	Requester    string `json:"requester"`
	Approver     string `json:"approver,omitempty"`
}

// Row is one assignment at Apple.
type Row struct {
	Location     string    `json:"location"`
	ClientUserID string    `json:"clientUserId"`
	Pricing      string    `json:"pricing"`
	Found        time.Time `json:"found"`
}

// is says that two rows are the same assignment at Apple.
func (r Row) is(o Row) bool {
	return r.Location == o.Location && r.ClientUserID == o.ClientUserID && r.Pricing == o.Pricing
}

// BoundElsewhere says that a sending with an unknown outcome keeps the pair from being sent at a place: it was in another
// location, or in the other quality.
func (l License) BoundElsewhere(location, pricing string) bool {
	return l.Bound != "" && (l.Bound != location || l.BoundAs != pricing)
}

// Has says that Apple lists the title for the person, in whatever location and quality.
func (l License) Has() bool { return len(l.Rows) > 0 }

// HasIn says that Apple lists the title for the person in that location.
func (l License) HasIn(location string) bool {
	return slices.ContainsFunc(l.Rows, func(r Row) bool { return r.Location == location })
}

// BatchState is where a batch stands.
type BatchState string

// The states of a batch.
const (
	Prepared  BatchState = "prepared"  // stored; pairs are being reserved; nothing was sent
	Sending   BatchState = "sending"   // may have been sent
	Sent      BatchState = "sent"      // Apple took it: Event is known
	Settled   BatchState = "settled"   // nothing of it is open
	Abandoned BatchState = "abandoned" // ended before it was sent
)

// Batch is one request to Apple that spends: each of its titles for each of its readers. The pairs it may send are
// those; which of them are still open is in their License items.
type Batch struct {
	ID       string     `json:"id"`
	Location string     `json:"location"`
	State    BatchState `json:"state"`
	// Titles and People make the pairs. People are personIds alone, so that a thousand fit an item; their clientUserIds
	// are derived (reader.ClientUserID).
	Titles []apple.AssetKey `json:"titles"`
	People []string         `json:"people"`
	// Dropped are people whose pairs were reserved and who were then left out, until those are known to be free.
	Dropped []string `json:"dropped,omitempty"`
	// SinceVersion is an id of Apple's assignments listing from before the sending: what the batch gave shows in the
	// delta since it.
	SinceVersion string `json:"sinceVersion"`
	Event        string `json:"event,omitempty"`
	// Created, SendingAt (law 2: the transport starts the request before NotAfter or never), SentAt, Ended.
	Created   time.Time `json:"created"`
	SendingAt time.Time `json:"sendingAt,omitzero"`
	NotAfter  time.Time `json:"notAfter,omitzero"`
	SentAt    time.Time `json:"sentAt,omitzero"`
	Ended     time.Time `json:"ended,omitzero"`
	// Polls counts how often the batch was looked at after it was sent.
	Polls int `json:"polls,omitempty"`
	// Outcome says in words how it ended.
	Outcome string `json:"outcome,omitempty"`
}

// Open says that pairs of the batch may still be undecided.
func (b Batch) Open() bool { return b.State == Prepared || b.State == Sending || b.State == Sent }

// MayHaveSpent says that the batch's request may have reached Apple.
func (b Batch) MayHaveSpent() bool { return b.State == Sending || b.State == Sent }

// Holds says that the batch may send the pair. A prepared or sending batch holds what it lists; one that has ended
// holds nothing.
func (b Batch) Holds(adamID, personID string) bool {
	if !b.Open() {
		return false
	}
	title := slices.ContainsFunc(b.Titles, func(t apple.AssetKey) bool { return t.AdamID == adamID })
	return title && slices.Contains(b.People, personID)
}
