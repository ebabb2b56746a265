//go:build aws && e2e

package e2e

import (
	"strconv"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/infra/sam"
)

// sometimes are the rights that the main job uses or doesn't, by chance, and why a function has them.
var sometimes = map[string]string{
	"directory sqs:SendMessage": "it wakes the locations that wish books for a changed group: here, if who leaves is in one",
	"work sqs:SendMessage":      "it wakes itself when its time is up and work is left; here the sweep may always come first",
}

// platform are the actions that Lambda itself takes in a function's name.
var platform = map[string]bool{
	"logs:CreateLogStream": true, "logs:PutLogEvents": true,
	"sqs:ReceiveMessage": true, "sqs:DeleteMessage": true, "sqs:GetQueueAttributes": true,
	// With a key of the operator's, DynamoDB and Secrets Manager use it in the name of who calls.
	"kms:Decrypt": true, "kms:DescribeKey": true, "kms:Encrypt": true, "kms:GenerateDataKey": true,
	"kms:ReEncryptFrom": true, "kms:ReEncryptTo": true,
}

// holdRights holds the calls that functions made to their roles, and the roles to the calls.
func holdRights(t *testing.T, template sam.Template, calls map[string]map[call]int) {
	for name, f := range template.Functions {
		role := template.Roles[f.ID+"Role"]
		used := map[string]bool{}
		for c, n := range calls[name] {
			used[c.Action] = true
			if !allowed(role.May(c.Action), c.Resource) {
				t.Errorf("%s called %s on %s %d times, which its role doesn't allow", name, c.Action, c.Resource, n)
			}
		}
		for _, action := range role.Actions() {
			why, listed := sometimes[name+" "+action]
			switch {
			case platform[action] || used[action]:
			case !listed:
				t.Errorf("%s has %s, and hasn't used it: take it away, or list it with the reason", name, action)
			default:
				t.Logf("%s has %s, unused this time: %s", name, action, why)
			}
		}
	}
}

// allowed says that one of a statement's resources is what was called.
func allowed(resources []sam.Value, called string) bool {
	for _, r := range resources {
		switch {
		case strings.HasSuffix(r.Text, ":table/${TableName}") && called == tableName,
			strings.HasSuffix(r.Text, ":table/${TableName}/index/index1") && called == tableName+"/index/index1",
			strings.HasSuffix(r.Text, ":table/${TableName}/index/index2") && called == tableName+"/index/index2",
			r.Text == "Wakes.Arn" && strings.HasSuffix(called, "/"+tableName),
			strings.HasSuffix(r.Text, ":secret:bookplate/${Stage}/*") && strings.HasPrefix(called, "bookplate/e2e/"):
			return true
		}
	}
	return false
}

func itoa(n int) string { return strconv.Itoa(n) }
