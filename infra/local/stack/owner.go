package stack

import (
	"fmt"
	"net/url"
	"strings"
)

// owner is the Apple to which a data directory belongs. What is kept of one Apple is nonsense at another: people and
// licenses that are made up must never stand beside those of a school.
type owner string

// Any other owner is the base URL of a real Apple.
const (
	nobody owner = ""     // nothing is kept yet
	demos  owner = "demo" // the demo's own fake, whose journal is in the directory too
	// All URLs on loopback are one owner: there, fakes are tried out as processes of their own, whose port may be another
	// at each start. It isn't the demo's: a relay on loopback may lead to the real Apple.
	loopbacks owner = "loopback"
	unknown   owner = "unknown" // not the demo's; an earlier version noted no URL
)

// appleURL is where Apple's service is.
const appleURL = "https://vpp.itunes.apple.com/mdm/v2"

// owner is whose the data directory has to be.
func (o Options) owner() (owner, error) {
	if o.Demo {
		return demos, nil
	}
	return ownerAt(o.Apple)
}

// ownerAt is the owner with a base URL. Spellings of one URL are one owner.
func ownerAt(base string) (owner, error) {
	u, err := url.Parse(strings.TrimRight(base, "/"))
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nobody, fmt.Errorf("%q is not a base URL like %s", base, appleURL)
	}
	if loopback(u.Hostname()) {
		return loopbacks, nil
	}
	host := strings.TrimSuffix(strings.ToLower(u.Host), ":443") // only loopback has plain HTTP, with another port of its own
	return owner(u.Scheme + "://" + host + u.EscapedPath()), nil
}

// parseOwner reads an owner as it is kept, or as an administrator has written it.
func parseOwner(text string) (owner, error) {
	switch o := owner(strings.TrimSpace(text)); o {
	case demos, loopbacks:
		return o, nil
	default:
		return ownerAt(string(o))
	}
}

// String says it to people.
func (o owner) String() string {
	switch o {
	case nobody:
		return "nobody"
	case demos:
		return "the demo, where everything is made up"
	case loopbacks:
		return "an installation whose Apple is on this machine"
	case unknown:
		return "an installation other than the demo"
	default:
		return "the installation whose Apple is " + string(o)
	}
}

// goOn says how to start with a directory of this owner.
func (o owner) goOn() string {
	switch o {
	case demos:
		return "leave out -apple and BOOKPLATE_APPLE"
	case loopbacks:
		return "give -apple with a URL on this machine"
	case unknown:
		return "give -apple with the URL that it was always started with (Apple's own is " + appleURL + ")"
	default:
		return "give -apple " + string(o)
	}
}
