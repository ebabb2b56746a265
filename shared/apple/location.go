package apple

import (
	"context"
	"errors"
)

// Identity is what every answer of a location is held against. An empty field is not known yet.
type Identity struct {
	UID   string // Apple's id of the location
	MDMID string // our mdmInfo.id
}

// Location is one location, opened with its token. Safe for concurrent use.
type Location struct{}

// ClientConfig reads what Apple says about the location.
func (l *Location) ClientConfig(context.Context) (ClientConfig, error) {
	return ClientConfig{}, errors.ErrUnsupported
}

// Claim makes us the owner of the location.
func (l *Location) Claim(ctx context.Context, owner MDMInfo) (ClientConfig, error) {
	return ClientConfig{}, errors.ErrUnsupported
}

// AssetPages reads the assets from page from on.
func (l *Location) AssetPages(ctx context.Context, q AssetQuery, from int, visit func(Page, []Asset) error) error {
	return errors.ErrUnsupported
}

// UserPages reads the users from page from on.
func (l *Location) UserPages(ctx context.Context, q UserQuery, from int, visit func(Page, []User) error) error {
	return errors.ErrUnsupported
}

// AssignmentPages reads the assignments from page from on.
func (l *Location) AssignmentPages(
	ctx context.Context, q AssignmentQuery, from int, visit func(Page, []Assignment) error,
) error {
	return errors.ErrUnsupported
}

// Associate spends.
func (l *Location) Associate(ctx context.Context, a Association) (eventID string, err error) {
	return "", errors.ErrUnsupported
}

// CreateUsers creates users.
func (l *Location) CreateUsers(ctx context.Context, users []NewUser) (eventID string, err error) {
	return "", errors.ErrUnsupported
}

// UpdateUsers updates users.
func (l *Location) UpdateUsers(ctx context.Context, users []NewUser) (eventID string, err error) {
	return "", errors.ErrUnsupported
}

// Event reads the state of an asynchronous request.
func (l *Location) Event(ctx context.Context, eventID string) (Event, error) {
	return Event{}, errors.ErrUnsupported
}

// TitleQuery says in which catalog titles are looked up.
type TitleQuery struct {
	Platform string // ClientConfig.Platform
	Country  string // ClientConfig.Country
	Language string // e.g. "en"; empty means English
}

// Titles looks titles up in Apple's catalog.
func (l *Location) Titles(ctx context.Context, q TitleQuery, adamIDs []string) (map[string]Title, error) {
	return nil, errors.ErrUnsupported
}

// Calls is the number of requests made, by Apple's key of the endpoint ("getAssets", …).
func (l *Location) Calls() map[string]int { return nil }

// Owner is the foreign owner that an answer named, if any has.
func (l *Location) Owner() (MDMInfo, bool) { return MDMInfo{}, false }
