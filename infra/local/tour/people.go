package tour

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/bookplate/bookplate/infra/local/demo"
	"github.com/bookplate/bookplate/shared/world"
)

const width = 8 // requests at once, as identity providers send them

// enroll sends the school's people and groups as an identity provider does.
func (t *Tour) enroll(ctx context.Context) error {
	t.screen.begin("People and groups over SCIM")
	people, groups := demo.School()
	ids := make([]string, len(people))
	var done atomic.Int64
	err := world.Real().Run(ctx, width, len(people), func(ctx context.Context, i int) error {
		id, err := t.person(ctx, people[i])
		ids[i] = id
		if n := done.Add(1); n%20 == 0 {
			t.screen.progress(fmt.Sprintf("%d of %d people", n, len(people)))
		}
		return err
	})
	if err != nil {
		return err
	}
	byName := make(map[string]string, len(people))
	for i, p := range people {
		byName[p.UserName] = ids[i]
	}
	t.groups = make(map[string]string, len(groups))
	for _, g := range groups {
		if t.groups[g.Name], err = t.group(ctx, g, byName); err != nil {
			return err
		}
	}
	t.screen.end(fmt.Sprintf("%d people in %d groups", len(people), len(groups)))
	return nil
}

type object map[string]any

func (t *Tour) person(ctx context.Context, p demo.Person) (string, error) {
	var made struct{ ID string }
	err := t.scim.post(ctx, "/scim/v2/Users", object{
		"schemas":    []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName":   p.UserName,
		"externalId": "ext-" + p.UserName,
		"name":       object{"givenName": p.GivenName, "familyName": p.FamilyName},
		"emails":     []object{{"value": p.UserName, "type": "work", "primary": true}},
		"active":     true, "displayName": p.GivenName + " " + p.FamilyName,
	}, &made)
	if conflict(err) {
		return t.scim.found(ctx, "Users", "userName", p.UserName)
	}
	return made.ID, err
}

func conflict(err error) bool {
	e, ok := err.(*answerError) //nolint:errorlint // the client returns it bare
	return ok && e.status == http.StatusConflict
}

func (t *Tour) group(ctx context.Context, g demo.Group, people map[string]string) (string, error) {
	id, err := t.scim.found(ctx, "Groups", "displayName", g.Name)
	if err != nil {
		return "", err
	}
	var members []object
	for _, name := range g.Members {
		members = append(members, object{"value": people[name], "type": "User"})
	}
	for _, device := range g.Devices {
		members = append(members, object{"value": device, "type": "Device"})
	}
	if id == "" {
		var made struct{ ID string }
		err := t.scim.post(ctx, "/scim/v2/Groups", object{
			"schemas":     []string{"urn:ietf:params:scim:schemas:core:2.0:Group"},
			"displayName": g.Name, "externalId": "ext-" + g.Name, "members": members,
		}, &made)
		return made.ID, err
	}
	return id, nil
}
