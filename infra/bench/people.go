package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/bookplate/bookplate/shared/world"
)

// atOnceSCIM is how many requests an identity provider sends at once.
const atOnceSCIM = 8

// membersAtOnce is how many members it adds to a group in one request.
const membersAtOnce = 1000

const scimType = "application/scim+json"

type object map[string]any

// enroll brings people in as an identity provider does: each by a request of their own, then the members of one group.
// Their userNames are Managed Apple Accounts. It returns the group's id.
func enroll(ctx context.Context, scim client, readers int, show *progress) (string, error) {
	ids := make([]string, readers)
	var done atomic.Int64
	err := world.Real().Run(ctx, atOnceSCIM, readers, func(ctx context.Context, i int) error {
		var made struct{ ID string }
		err := scim.send(ctx, http.MethodPost, "/scim/v2/Users", scimType, object{
			"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
			"userName": userName(i), "externalId": fmt.Sprintf("ext-%06d", i), "active": true,
			"name": object{"givenName": "Reader", "familyName": fmt.Sprint("Number ", i)},
		}, &made)
		ids[i] = made.ID
		show.say("%d of %d people", done.Add(1), readers)
		return err
	})
	if err != nil {
		return "", err
	}
	var group struct{ ID string }
	err = scim.send(ctx, http.MethodPost, "/scim/v2/Groups", scimType, object{
		"schemas":     []string{"urn:ietf:params:scim:schemas:core:2.0:Group"},
		"displayName": groupName, "externalId": "ext-group",
	}, &group)
	if err != nil {
		return "", err
	}
	for chunk := range slices.Chunk(ids, membersAtOnce) {
		var members []object
		for _, id := range chunk {
			members = append(members, object{"value": id})
		}
		err := scim.do(ctx, http.MethodPatch, "/scim/v2/Groups/"+group.ID, scimType, patch(members), nil)
		if err != nil {
			return "", err
		}
		show.say("members of the group")
	}
	return group.ID, nil
}
