package apple

import "errors"

// InvitationURL is the link with which a person links their Apple Account to a Registered user.
func InvitationURL(cfg ServiceConfig, inviteCode string) (string, error) {
	return "", errors.ErrUnsupported
}
