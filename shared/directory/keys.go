package directory

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/bookplate/bookplate/shared/table"
)

// The directory's items. x is a hex digit, shardOf of the id before or after it, so that no partition carries all of
// the writes of a push; walking the sixteen partitions in order is the one stable order of people, groups and members.
//
//	people#<x>            <personId>           Person; deleted ones stay
//	groups#<x>            <groupId>            groupBody; deleted ones stay
//	userName#<lower>      -                    pointer: who has this user name; one Commit with the person
//	formerName#<lower>    <personId>           pointer: who was deleted and had this user name; one Commit with the person
//	externalId#<id>       person#<personId>    pointer, also to a deleted person; one Commit with the person
//	externalId#<id>       group#<groupId>      pointer; one Commit with the group
//	account#<lower>       <personId>           pointer by Managed Apple Account, also to a deleted person; same Commit
//	email#<lower>         <personId>           pointer by the address that Person.Email picks; same Commit
//	groupName#<lower>     <groupId>            pointer; same Commit as the group
//	members#<groupId>#<x> <personId>           an edge: that person is in that group; bulk, unconditional
//	                                           Index1: memberOf#<personId>, <groupId>
//	others#<groupId>      <id>                 outsider: something else that is in that group; bulk, unconditional
//
// Heat: a push writes edges, sixteen partitions a group; a sign-in of nobody reads any of it. groups#<x> is written
// when a group is created, renamed or replaced as a whole, never when a member comes or goes.

const shards = "0123456789abcdef"

// shardOf is the first hex digit of the id's SHA-256.
func shardOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	return shards[sum[0]>>4:][:1]
}

func personKey(id string) table.Key { return table.Key{Part: "people#" + shardOf(id), Sort: id} }

func groupKey(id string) table.Key { return table.Key{Part: "groups#" + shardOf(id), Sort: id} }

func userNameKey(name string) table.Key {
	return table.Key{Part: "userName#" + strings.ToLower(name), Sort: "-"}
}

func formerNamePart(name string) string { return "formerName#" + strings.ToLower(name) }

func accountPart(account string) string { return "account#" + strings.ToLower(account) }

func emailPart(address string) string { return "email#" + strings.ToLower(address) }

func groupNamePart(name string) string { return "groupName#" + strings.ToLower(name) }

func externalIDPart(externalID string) string { return "externalId#" + externalID }

const (
	personPrefix = "person#" // of sort keys under externalIDPart
	groupPrefix  = "group#"
)

func edgePart(groupID, shard string) string { return "members#" + groupID + "#" + shard }

func edgeKey(groupID, personID string) table.Key {
	return table.Key{Part: edgePart(groupID, shardOf(personID)), Sort: personID}
}

func memberOfPart(personID string) string { return "memberOf#" + personID }

func othersPart(groupID string) string { return "others#" + groupID }

func otherKey(groupID, id string) table.Key { return table.Key{Part: othersPart(groupID), Sort: id} }

// pointer is the body of what leads to a person or group.
type pointer struct {
	ID string `json:"id"`
}

// outsider is the body of a member that isn't a person.
type outsider struct {
	Type string `json:"type"`
}

func edgeItem(groupID, personID string) table.Item {
	return table.Item{
		Key:   edgeKey(groupID, personID),
		Index: [2]table.IndexKey{table.Index1: {Part: memberOfPart(personID), Sort: groupID}},
		Body:  []byte("{}"),
	}
}

// lead is a text by which something can be found, and where the pointer for it stands.
type lead struct {
	text string
	key  table.Key
}

// pointTo makes the pointers to a person or group. Texts that are empty lead nowhere.
func pointTo(id string, leads ...lead) ([]table.Item, error) {
	var items []table.Item
	for _, l := range leads {
		if l.text == "" {
			continue
		}
		item, err := table.Encode(l.key, pointer{id})
		if err != nil {
			return nil, fmt.Errorf("point to %s: %w", id, err)
		}
		items = append(items, item)
	}
	return items, nil
}

// repoint is the ops that turn the old pointers into the new ones. A new one's key is demanded absent where unique says
// so; keys in both lists stay untouched.
func repoint(before, after []table.Item, unique func(table.Key) bool) []table.Op {
	had := make(map[table.Key]bool, len(before))
	for _, item := range before {
		had[item.Key] = true
	}
	var ops []table.Op
	for _, item := range after {
		if had[item.Key] {
			delete(had, item.Key)
			continue
		}
		condition := table.Any()
		if unique(item.Key) {
			condition = table.Absent()
		}
		ops = append(ops, table.Put(item, condition))
	}
	for _, item := range before {
		if had[item.Key] {
			ops = append(ops, table.Delete(item.Key, table.Any()))
		}
	}
	return ops
}
