package applefake

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// AddManagedAccount makes an address a Managed Apple Account of the location's organization.
func (l *Location) AddManagedAccount(address string) error {
	_, err := l.act(op{Kind: opAccount, Text: strings.ToLower(address)})
	return err
}

// LinkElsewhere says that an account is linked to a user outside of what the fake knows: linking it is refused with 9641.
func (l *Location) LinkElsewhere(address string) error {
	_, err := l.act(op{Kind: opTaken, Text: strings.ToLower(address)})
	return err
}

// AcceptInvitation is a person following their invitation link and signing in with an account, managed or their own.
// It fails when the code is unknown or was used. An account that is linked to another user may accept: the old API let
// it, and the new one's documentation doesn't say.
func (l *Location) AcceptInvitation(inviteCode, account string) error {
	_, err := l.actIf(op{Kind: opAccept, Text: inviteCode, Text2: account}, func() error {
		if account == "" || l.invited(inviteCode) == nil {
			return errors.New("the invitation is unknown, was accepted, or no account accepts it")
		}
		return nil
	})
	return err
}

// invited is the Registered user with an invite code, or nil.
func (l *Location) invited(code string) *record {
	r := l.byInvite[code]
	if i, ok := l.gen.byInvite(code); ok && r == nil {
		r = l.reader(i)
	}
	if r == nil || r.status != Registered {
		return nil
	}
	return r
}

func (l *Location) accept(at time.Time, code, account string) {
	r := l.invited(code)
	l.touchUsers(at, l.link(r, account)...)
	l.notifyAssociated(at, l.userRow(r))
}

// AddUser makes a user by other hands, linked to an account unless that is empty.
func (l *Location) AddUser(clientUserID, email, account string) error {
	u := requestUser{ClientUserID: clientUserID, Email: email, ManagedAppleID: account}
	_, err := l.actIf(op{Kind: opAddUser, Users: []requestUser{u}}, func() error {
		if clientUserID == "" || l.active(clientUserID) != nil {
			return fmt.Errorf("the user %q exists", clientUserID)
		}
		return nil
	})
	return err
}

func (l *Location) addUser(at time.Time, u requestUser) {
	r := l.register(u.ClientUserID, u.Email, l.ops<<8)
	changed := []*record{r}
	if u.ManagedAppleID != "" {
		changed = l.link(r, u.ManagedAppleID)
	}
	l.touchUsers(at, changed...)
}

// GrantBySomeoneElse gives a license to each of the users at once and by other hands. Nothing is given if one of them is
// unknown or holds it already, or the licenses don't suffice.
func (l *Location) GrantBySomeoneElse(adamID, pricing string, clientUserIDs ...string) error {
	key := AssetKey{adamID, pricing}
	_, err := l.actIf(op{Kind: opGrant, Key: key, Assets: &manageAssets{ClientUserIDs: clientUserIDs}}, func() error {
		a := l.assetOf[key]
		if a == nil || a.available() < len(clientUserIDs) || len(duplicates(clientUserIDs)) > 0 {
			return fmt.Errorf("there aren't %d licenses of %s %s", len(clientUserIDs), adamID, pricing)
		}
		accounts := map[string]bool{}
		for _, id := range clientUserIDs {
			r := l.active(id)
			if r == nil || l.owns(r, key) || accounts[r.account] {
				return fmt.Errorf("the user %q is unknown or holds the license", id)
			}
			accounts[r.account] = r.account != ""
		}
		return nil
	})
	return err
}

func (l *Location) grant(o op) {
	var given []*holding
	for _, id := range o.Assets.ClientUserIDs {
		given = append(given, l.hold(&holding{key: o.Key, user: l.active(id), at: o.At, by: someoneElse}))
	}
	l.touchHeld(o.At, given)
}
