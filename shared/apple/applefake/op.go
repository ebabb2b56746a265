package applefake

import (
	"fmt"
	"time"
)

// op is one accepted change of a location: everything that is needed to let it happen again. The journal is a list of
// these, and nothing changes a location's books but apply and the events that apply has made.
type op struct {
	At   time.Time `json:"at"`
	UID  string    `json:"uId"`
	Kind opKind    `json:"op"`

	Spec   string            `json:"spec,omitempty"`
	Assets *manageAssets     `json:"assets,omitempty"`
	Users  []requestUser     `json:"users,omitempty"`
	Config *clientConfigBody `json:"config,omitempty"`
	Stock  *Stock            `json:"stock,omitempty"`
	MDM    *MDMInfo          `json:"mdmInfo,omitempty"`
	Key    AssetKey          `json:"asset,omitzero"`
	N      int               `json:"n,omitempty"`
	Text   string            `json:"text,omitempty"`
	Text2  string            `json:"text2,omitempty"`
	Until  time.Time         `json:"until,omitzero"` // a token's end, an event's due time
	Cause  TokenCause        `json:"cause,omitempty"`
	Fail   int               `json:"fail,omitempty"`   // the whole event fails with this number
	Partly bool              `json:"partly,omitempty"` // or, of an association, only every second task
	By     string            `json:"by,omitempty"`     // id of the manager at that moment
}

type opKind string

const (
	opLocation     opKind = "location" // the first of each location: a digest of its spec
	opAssociate    opKind = "ASSOCIATE"
	opDisassociate opKind = "DISASSOCIATE"
	opRevoke       opKind = "REVOKE"
	opCreate       opKind = "CREATE"
	opUpdate       opKind = "UPDATE"
	opRetire       opKind = "RETIRE"
	opConfigure    opKind = "configure"
	opIssueToken   opKind = "issueToken"
	opRevokeTokens opKind = "revokeTokens"
	opPurchase     opKind = "purchase"
	opRefund       opKind = "refund"
	opRefundFrom   opKind = "refundFrom"
	opGrant        opKind = "grant"
	opAddUser      opKind = "addUser"
	opAccept       opKind = "accept"
	opAccount      opKind = "account"
	opTaken        opKind = "taken"
	opTakeOver     opKind = "takeOver"
)

// commit journals a change and then makes it: what has been answered is on disk. The lock is held, the events that
// are due have ended, and the change has been found valid. It returns what the change made: an event's id, a token.
func (l *Location) commit(o op) (string, error) {
	o.UID = l.uid
	if l.mdm != nil {
		o.By = l.mdm.ID
	}
	if j := l.server.journal; j != nil {
		if err := j.write(l, o); err != nil {
			return "", fmt.Errorf("writing the journal: %w", err)
		}
	} else {
		l.done = append(l.done, o)
	}
	return l.apply(o), nil
}

// act commits a change that doesn't come as a request.
func (l *Location) act(o op) (string, error) {
	return l.actIf(o, func() error { return nil })
}

// actIf commits a change if it is valid after everything that is due has ended.
func (l *Location) actIf(o op, valid func() error) (string, error) {
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	o.At = l.server.options.Clock.Now()
	l.settle(o.At)
	if err := valid(); err != nil {
		return "", fmt.Errorf("%s in location %s: %w", o.Kind, l.uid, err)
	}
	return l.commit(o)
}

func (l *Location) apply(o op) string {
	l.ops++
	switch o.Kind {
	case opAssociate, opDisassociate, opRevoke, opCreate, opUpdate, opRetire:
		return l.enqueue(o)
	case opConfigure:
		l.configure(*o.Config)
	case opIssueToken:
		return l.issue(o.Until)
	case opRevokeTokens:
		l.invalidate(o.Cause)
	case opPurchase:
		l.purchase(o.At, *o.Stock)
	case opRefund:
		l.refund(o.At, o.Key, o.N)
	case opRefundFrom:
		l.refundFrom(o.At, o.Key, o.Text)
	case opGrant:
		l.grant(o)
	case opAddUser:
		l.addUser(o.At, o.Users[0])
	case opAccept:
		l.accept(o.At, o.Text, o.Text2)
	case opAccount:
		l.accounts[o.Text] = true
	case opTaken:
		l.taken[o.Text] = true
	case opTakeOver:
		l.mdm = o.MDM
	case opLocation:
	}
	return ""
}
